// The broker dies and comes back, an instance does, both do. Two seconds after they are back those who may hear a room
// hear it, and who is gone is gone; in between nobody hears it who may not: not who was put out meanwhile, and no
// stranger who subscribes everything.

import assert from 'node:assert/strict'
import test from 'node:test'
import { hasPlugin } from '../topology/mosquitto.mjs'
import { startTopology } from '../topology/topology.mjs'
import { Api } from './support/api.mjs'
import { eventually } from './support/deadline.mjs'
import { telling } from './support/outputs.mjs'
import { paced } from './support/pace.mjs'
import { SteadyBrowser, SteadyDevice } from './support/steady.mjs'

const ROOM = 'den'
const config = `
[chat]
heartbeat_rate = 300
heartbeat_timeout = 1500
bus_ack_timeout = 1000
lock_ttl = 1500
close_timeout = 4000
`
// without the plugin this is how long a device has to show itself to a broker that came back
const mqtt = { reconnect_grace: 700, offline_grace: 300 }
/** After the processes say that they are ready. */
const LIMIT_MS = 2000

const faults = {
  'the broker': t => [t.brokers[0]],
  'an instance': t => [t.instances.at(-1)],
  both: t => [t.brokers[0], t.instances.at(-1)]
}

for (const instances of [1, 2]) {
  for (const delivery of hasPlugin ? ['broker', 'inbox'] : ['inbox']) {
    test(`killed and back: ${instances} instance${instances > 1 ? 's' : ''}, ${delivery} delivery`, { timeout: 110000 }, async context => {
      const t = await startTopology({ instances, delivery, config, mqtt })
      const clients = []
      const add = client => { clients.push(client.start()); return client }
      let pump
      try {
        await t.devicesShared()
        const [first] = t.instances
        const last = t.instances.at(-1)
        const device = (user, more = {}) => add(new SteadyDevice(first, user, ROOM, { options: t.deviceOptions(user), ...more }))
        await new Api(first, t.key).call('addRoom', [ROOM, { owner: 'ann' }])
        const ann = add(new SteadyBrowser(first, 'ann', ROOM))
        const ben = add(new SteadyBrowser(last, 'ben', ROOM))
        const there = [ann, ben, ...['dan', 'dee', 'dot', 'dex'].map(user => device(user))]
        const stranger = device('mallory', { joins: false, silent: true, also: ['roombus/r/#', '#', 'roombus/u/#', 'roombus/bus/#', `roombus/r/${ROOM}/+/roomMessage`] })
        // messages flow all the time, through whoever takes them
        let n = 0
        pump = setInterval(() => {
          for (const from of [ann, ben]) from.client?.socket?.emit('roomMessage', ROOM, { n: ++n }, () => {})
        }, 25)
        const allHear = async (who, from, ms) => {
          for (const one of who) await eventually(() => one.got.some(number => number > from), `a message at ${one.user}`, ms)
        }
        await allHear(there, 0, 20000)

        const removed = []
        for (const [fault, which] of Object.entries(faults)) {
          await context.test(fault, telling(t.instances, async context => {
            const processes = which(t)
            const eve = device(`eve${removed.length}`)
            const gone = device(`gone${removed.length}`)
            await allHear([eve, gone], n, 20000)
            for (const one of processes) await one.kill()
            // one goes meanwhile, and one is put out as soon as anybody can do that
            const leaving = gone.stop()
            const putOut = (async () => {
              while (!ann.stopped && await ann.ask('roomAddToList', ROOM, 'blacklist', [eve.user]) !== null) await new Promise(resolve => setTimeout(resolve, 50))
              eve.mark = n
              removed.push(eve)
            })()
            await leaving
            for (const one of processes) await one.start()
            const ready = performance.now()
            const since = () => Math.round(performance.now() - ready)
            // without the plugin nobody knows sooner who is gone
            const most = paced(LIMIT_MS) + (delivery === 'inbox' ? mqtt.reconnect_grace : 0)
            const left = () => most - since()
            const back = n
            await allHear(there, back, left())
            const heard = since()
            await putOut
            const expected = there.map(one => one.user).sort()
            let list
            await eventually(async () => {
              list = await ann.ask('roomGetAccessList', ROOM, 'userlist')
              return list && String(list.sort()) === String(expected)
            }, 'presence', Math.max(left(), 1)).catch(error => { error.message += `: ${list} instead of ${expected}`; throw error })
            context.diagnostic(`messages after ${heard} ms, presence after ${since()} ms (limit ${Math.round(most)} ms)`)
            // and it goes on
            await allHear(there, n, 10000)
            for (const one of removed) {
              assert.deepEqual(one.got.filter(number => number > one.mark), [], `${one.user} was put out when ${one.mark} messages had been sent`)
              Object.assign(one, { joined: false, lastJoin: undefined }) // it tries again
              await eventually(() => one.lastJoin, `an answer to ${one.user}`)
              assert.equal(one.lastJoin, 'notAllowed')
            }
            assert.deepEqual(stranger.got, [], 'the stranger')
          }, 8000))
        }
        assert.equal(removed.length, 3)
      } finally {
        clearInterval(pump)
        await Promise.all(clients.map(client => client.stop())).finally(() => t.close())
      }
    })
  }
}
