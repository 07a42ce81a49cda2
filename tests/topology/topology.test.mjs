// The topologies at work: instances over Mosquitto and one Redis, and over clusters of ejabberd and Redis whose nodes die.

import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Api } from '../e2e/support/api.mjs'
import { Browser } from '../e2e/support/browser.mjs'
import { eventually } from '../e2e/support/deadline.mjs'
import { Device } from '../e2e/support/device.mjs'
import { telling } from '../e2e/support/outputs.mjs'
import { connectProbing, joinProbing } from '../e2e/support/probe.mjs'
import { ejabberd } from './ejabberd.mjs'
import { startTopology } from './topology.mjs'

const config = `
[chat]
enable_userlist_updates = true
heartbeat_rate = 500
heartbeat_timeout = 3000
`
const room = 'the den'
/** Bytes of each instance's output that are shown when a test fails. */
const MOST = 6000

/** A browser and a device at every instance, all in the room. */
async function members (topology, round) {
  const all = []
  for (const [n, instance] of topology.instances.entries()) {
    const browser = await Browser.connect(instance, { user: `web${n}-${round}` })
    await browser.call('roomJoin', room)
    const user = `dev${n}-${round}`
    const device = await connectProbing(instance, { user, client: user, version: 4 + n % 2, ...topology.deviceOptions(user) })
    await joinProbing(device, room)
    all.push(browser, device)
  }
  return all
}

/** Each member sends `each` messages; every one of them sees all messages of all in one order. */
async function talk (all, each) {
  const answers = await Promise.all(all.flatMap((member, m) => Array.from({ length: each }, (_, n) => member.call('roomMessage', room, { m, n }))))
  const ids = [...answers].sort((a, b) => a - b)
  assert.equal(new Set(ids).size, all.length * each)
  for (const member of all) {
    const seen = () => member.received.peek(item => item.name === 'roomMessage' && (item.room ?? item.args[0]) === room)
      .map(item => item.payload?.id ?? item.args[1].id)
    await eventually(() => seen().includes(ids.at(-1)), `message ${ids.at(-1)} at ${member.user}`)
    const firsts = [...new Set(seen())].filter(id => id >= ids[0])
    assert.deepEqual(firsts, ids, `what ${member.user} saw`)
  }
}

const close = all => Promise.all(all.map(member => member.close()))

/** SIGSTOP for a while. */
async function frozen (node, ms) {
  node.freeze()
  await delay(ms)
  node.thaw()
}

/** Repeats until it works, for at most `ms`: what a client does while parts come and go. Wrong messages are wrong at once. */
const insist = (what, action, ms = 40000) => eventually(() => action().then(() => true, error => {
  if (['deepStrictEqual', 'strictEqual'].includes(error.operator)) throw error
  return false
}), what, ms)

async function life (t, topology, faults) {
  await topology.devicesShared()
  await new Api(topology.instances[0], topology.key).call('addRoom', [room])
  let round = 0
  await t.test('everybody sees one order', telling(topology.instances, async () => {
    const all = await members(topology, round++)
    await talk(all, 10)
    await close(all)
  }, MOST))
  for (const [what, fault] of Object.entries(faults)) {
    await t.test(what, telling(topology.instances, async () => {
      const before = await Browser.connect(topology.instances[0], { user: 'before' })
      await before.call('roomJoin', room)
      const id = await before.call('roomMessage', room, { before: what })
      before.close()
      await fault()
      await insist(`rooms after: ${what}`, async () => {
        let all = []
        try {
          all = await members(topology, round++)
          await talk(all, 5)
          const [first] = await all[0].call('roomHistoryGet', room, id - 1, 1)
          assert.equal(first?.before, what)
        } finally {
          await close(all)
        }
      })
    }, MOST))
  }
}

function withTopology (name, options, body) {
  const skip = options.broker === 'ejabberd' && !ejabberd ? 'ejabberd is not installed (scripts/install-brokers)' : false
  test(name, { timeout: 240000, skip }, async t => {
    const topology = await startTopology({ config, ...options })
    await telling(topology.instances, body, MOST)(t, topology).finally(() => topology.close())
  })
}

withTopology('three instances over Mosquitto and one Redis', { instances: 3 }, (t, topology) => life(t, topology, {
  'an instance is killed and comes back': async () => {
    await topology.instances[2].kill()
    await topology.instances[2].start()
  },
  'Redis is killed and comes back': async () => {
    await topology.redis[0].kill()
    await topology.redis[0].start()
  },
  'the broker is killed and comes back': async () => {
    await topology.brokers[0].kill()
    await topology.brokers[0].start()
  }
}))

withTopology('three instances over three ejabberd and a Redis Cluster', { instances: 3, broker: 'ejabberd', redis: 'cluster' }, (t, topology) => life(t, topology, {
  'a master of Redis is killed and comes back as a replica': async () => {
    const [master] = await topology.redisMasters()
    await master.kill()
    await eventually(async () => (await topology.redisMasters()).length === 3, 'a new master', 30000)
    await master.start()
    await topology.redisStable()
  },
  'a node of the broker is killed and comes back': async () => {
    await topology.brokers[1].kill()
    await topology.brokers[1].start()
    await topology.brokerStable()
  },
  'an instance is killed and comes back': async () => {
    await topology.instances[1].kill()
    await topology.instances[1].start()
  },
  'a master of Redis is frozen, replaced, and wakes up': async () => {
    const [master] = await topology.redisMasters()
    master.freeze()
    await eventually(async () => (await topology.redisMasters()).length === 3, 'a new master', 30000)
    master.thaw()
    await topology.redisStable()
  },
  // shorter than net_ticktime: after that it would have to be restarted
  'a node of the broker is frozen': () => frozen(topology.brokers[2], 6000),
  'an instance is frozen for longer than its heartbeat may be late': () => frozen(topology.instances[2], 8000)
}))
