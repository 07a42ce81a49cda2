// Devices of one Mosquitto are divided among three instances, and change hands when instances come and go: nobody
// leaves a room because of that, nothing is run twice, and somebody answers soon.
// DEVICES_OVER=ejabberd: the same over three nodes of ejabberd and a Redis Cluster.

import assert from 'node:assert/strict'
import test from 'node:test'
import { hasPlugin } from '../topology/mosquitto.mjs'
import { startTopology } from '../topology/topology.mjs'
import { callAgain } from './support/again.mjs'
import { Api } from './support/api.mjs'
import { Browser } from './support/browser.mjs'
import { eventually } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { telling } from './support/outputs.mjs'
import { paced } from './support/pace.mjs'
import { divided } from './support/partitions.mjs'

const config = `
[chat]
enable_userlist_updates = true
heartbeat_rate = 400
heartbeat_timeout = 2000
lock_ttl = 2000
close_timeout = 4000
`
const HEARTBEAT_TIMEOUT = 2000
const COUNT = 24

const connections = instance => instance.metric('roombus_mqtt_connections')

const mosquitto = (hasPlugin ? ['inbox', 'broker'] : ['inbox']).map(delivery => ({ delivery }))
const ejabberd = [{ broker: 'ejabberd', brokerNodes: 3, redis: 'cluster' }]

for (const topology of process.env.DEVICES_OVER === 'ejabberd' ? ejabberd : mosquitto) {
  test(`devices change hands, ${topology.broker ?? `${topology.delivery} delivery`}`, { timeout: 180000 }, async context => {
    const t = await startTopology({ instances: 3, config, ...topology })
    try {
      const [first, second, third] = t.instances
      const part = (what, run) => context.test(what, telling(t.instances, run))
      const api = new Api(first, t.key)
      const room = 'hall'
      await api.call('addRoom', [room, { enableUserlistUpdates: true }])
      const devices = []
      let watcher
      let rounds = 0
      const left = receiver => receiver.received.peek(item => item.name === 'roomUserLeft')

      /** Every device's request is answered, in `room` it still is, and each gets what each sends. */
      async function all (what, limit) {
        const times = await Promise.all(devices.map(device => callAgain(device, 'listOwnSockets')))
        for (const [i, { result, ms }] of times.entries()) {
          assert.deepEqual(result, { [devices[i].id]: [room] }, `rooms of ${devices[i].id} ${what}`)
          assert.ok(ms < paced(limit), `${devices[i].id} was answered after ${ms} ms ${what}`)
        }
        if (process.env.TIMES) console.log(what, times.map(({ ms }) => ms).join(' '))
        await Promise.all(devices.map(device => callAgain(device, 'roomMessage', [room, { from: device.user, what }, { idempotencyKey: what }])))
        for (const device of devices) {
          for (const other of devices) await device.message(room, message => message.from === other.user && message.what === what)
        }
        assert.deepEqual(left(watcher), [], `somebody left ${what}`)
        for (const device of devices) {
          assert.deepEqual(device.waiting('roomUserLeft'), [])
          assert.equal(device.waiting('loginConfirmed').length, device.logins, `${device.id} is the same connection ${what}`)
        }
      }

      /**
       * All devices send messages without keys against doubles while `change` goes on. No request is answered twice, no
       * message is stored twice, and what was answered is stored. Answers the share of requests that were answered.
       */
      async function underLoad (change) {
        const round = ++rounds
        let sent = 0
        let changing = true
        const sending = (async () => {
          while (changing) {
            const n = ++sent
            await Promise.all(devices.map(device => device.publish(`${device.base}/call/roomMessage/k${round}-${n}`,
              device.encode([room, { key: `${device.user} ${round}-${n}` }]))))
            await new Promise(resolve => setTimeout(resolve, 150))
          }
        })()
        try {
          await change()
        } finally {
          changing = false
          await sending
        }
        for (const device of devices) await callAgain(device, 'listOwnSockets') // what came before has its answer now
        const stored = new Map()
        for (let last = 0; ;) {
          const page = await api.call('execUserCommand', [{ bypassPermissions: true }, 'roomHistoryGet', room, last, 100])
          for (const message of page) if (message.key !== undefined) stored.set(message.key, (stored.get(message.key) ?? 0) + 1)
          if (page.length === 0) break
          last = page[0].id
        }
        for (const [key, count] of stored) assert.equal(count, 1, `${key} ran twice`)
        let answered = 0
        for (const device of devices) {
          const keys = device.strayReplies.map(reply => reply.key).filter(key => key.startsWith(`k${round}-`))
          answered += keys.length
          assert.equal(new Set(keys).size, keys.length, `a request of ${device.id} was answered twice`)
          for (const reply of device.strayReplies.filter(reply => keys.includes(reply.key))) {
            if (device.decode(reply.payload, reply.packet).error) continue
            assert.ok(stored.has(`${device.user} ${reply.key.slice(1)}`), `${reply.key} of ${device.user} was answered, but is not stored`)
          }
        }
        return answered / (sent * devices.length)
      }

      await part('each instance serves its share', async () => {
        await divided(t.instances)
        watcher = await Browser.connect(first, { user: 'watcher' })
        await watcher.call('roomJoin', room)
        for (let n = 0; n < COUNT; ++n) {
          const device = await Device.connect(first, { user: `dev${n}`, version: n % 2 ? 5 : 4, encoding: n % 3 ? 'json' : 'cbor', ...t.deviceOptions(`dev${n}`) })
          devices.push(device)
          await callAgain(device, 'roomJoin', [room])
        }
        await eventually(async () => {
          const counts = await Promise.all(t.instances.map(connections))
          return counts.reduce((a, b) => a + b) === COUNT && counts.every(count => count > 0)
        }, 'each device at one instance, and some at each')
        for (const device of devices) device.logins = device.waiting('loginConfirmed').length
        await all('at first', 1000)
      })

      await part('devices of a killed instance go on under others', async () => {
        await third.kill()
        await all('after a kill', HEARTBEAT_TIMEOUT + 3000)
        await divided([first, second])
        await all('with two', 2000)
      })

      await part('an instance that comes gets its share', async () => {
        await third.start()
        await divided([first, second, third])
        await all('after a start', 2000)
        assert.ok(await connections(third) > 0)
      })

      await part('a clean stop is noticed by nobody, and nothing runs twice or is lost silently', async () => {
        const answered = await underLoad(async () => {
          const { code } = await third.terminate()
          assert.equal(code, 0)
          await divided([first, second])
          await third.start()
          await divided([first, second, third])
        })
        assert.ok(answered > 0.5, `${answered} of the requests were answered`)
        await all('after a clean stop', 3000)
      })

      await part('a crash under load runs nothing twice', async () => {
        await underLoad(async () => {
          await second.kill()
          await divided([first, third])
          await second.start()
          await divided([first, second, third])
        })
        await all('after a crash under load', 3000)
      })

      await part('one that stands still loses its devices, and harms nobody when it wakes up', async () => {
        await underLoad(async () => {
          third.freeze()
          await divided([first, second])
          third.thaw() // with all requests of meanwhile in its socket
          await divided([first, second, third])
        })
        await all('after it woke up', 3000)
      })

      await part('who goes while its instance is dead is ended by the next one', async () => {
        await third.kill()
        devices[1].drop()
        await devices[2].leave()
        const gone = new Set([devices[1].user, devices[2].user])
        await eventually(() => left(watcher).every(item => gone.has(item.args[1])) && left(watcher).length === 2,
          'the end of both', HEARTBEAT_TIMEOUT + 8000)
        const again = await Device.connect(first, { user: devices[1].user, ...t.deviceOptions(devices[1].user) })
        await callAgain(again, 'roomJoin', [room])
        await again.close()
      })
      watcher.close()
      for (const device of devices) await device.close()
    } finally {
      await t.close()
    }
  })
}

test('devices of one that comes back, or of the last one, keep their rooms', { timeout: 120000 }, async () => {
  const t = await startTopology({ instances: 2, delivery: 'inbox', config })
  await telling(t.instances, async () => {
    const [first, second] = t.instances
    await divided([first, second])
    const api = new Api(first, t.key)
    await api.call('addRoom', ['hall', { enableUserlistUpdates: true }])
    const devices = []
    for (let n = 0; n < 8; ++n) {
      devices.push(await Device.connect(first, { user: `dev${n}`, ...t.deviceOptions(`dev${n}`) }))
      await callAgain(devices[n], 'roomJoin', ['hall'])
    }
    const all = async (what, limit) => {
      for (const device of devices) {
        const { result, ms } = await callAgain(device, 'listOwnSockets')
        assert.deepEqual(result, { [device.id]: ['hall'] }, `rooms of ${device.id} ${what}`)
        assert.ok(ms < paced(limit), `${device.id} was answered after ${ms} ms ${what}`)
        assert.deepEqual(device.waiting('roomUserLeft'), [], what)
      }
    }
    await first.kill()
    await first.start() // before the other could take it for dead
    await all('after a crash and a quick start', 2000)
    await second.terminate()
    await first.terminate() // nobody is left
    await second.start()
    await all('after nobody was there', 2000)
    await eventually(async () => await second.metric('roombus_instances') === 1, 'the end of the first')
    await second.kill()
    await second.start()
    await all('after the only one crashed', 2000)
    for (const device of devices) await device.close()
  })().finally(() => t.close())
})
