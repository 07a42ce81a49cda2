// What several instances do with their broker: one answers, a lost broker comes back with everything, rooms come to
// each device's own topics where the broker has no plugin.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'
import { startTopology } from '../topology/topology.mjs'
import { callAgain } from './support/again.mjs'
import { Api } from './support/api.mjs'
import { Browser } from './support/browser.mjs'
import { Inbox, eventually, within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'

const mqtt = createRequire(import.meta.url)('mqtt')

const chat = `
[chat]
enable_userlist_updates = true
enable_access_lists_updates = true
enable_rooms_management = true
heartbeat_rate = 400
heartbeat_timeout = 2000
bus_ack_timeout = 2000
`

/** Three instances that have divided the devices: while parts change hands requests may stay unanswered. */
async function start (options) {
  const t = await startTopology({ instances: 3, config: chat, ...options })
  try {
    await t.devicesShared()
    return t
  } catch (error) {
    await t.close()
    throw error
  }
}
const messages = receiver => receiver.received.peek(item => item.name === 'roomMessage').map(item => item.payload?.n ?? item.args[1].n)

/** Members of every kind on every instance, in one room. */
async function fill (t, room) {
  const members = []
  for (const [n, instance] of t.instances.entries()) {
    members.push(await Browser.connect(instance, { user: `web${n}` }))
    members.push(await Device.connect(instance, { user: `old${n}`, ...t.deviceOptions?.(`old${n}`) }))
    members.push(await Device.connect(instance, { user: `new${n}`, version: 5, encoding: 'cbor', ...t.deviceOptions?.(`new${n}`) }))
  }
  for (const member of members) await member.call('roomJoin', room)
  return members
}

/** One message of each member, which all get, in the same order. */
async function everybodyIsHeard (members, room, from) {
  for (const [n, member] of members.entries()) await member.call('roomMessage', room, { n: from + n })
  const all = members.map((_, n) => from + n)
  for (const member of members) {
    await eventually(() => messages(member).includes(all.at(-1)), `the last message at ${member.user}`)
    const firsts = messages(member).filter((n, at, seen) => n >= from && seen.indexOf(n) === at)
    assert.deepEqual(firsts, all, `at ${member.user}`)
  }
}

for (const delivery of ['broker', 'inbox']) {
  test(`a broker that was killed comes back, and everybody goes on (${delivery})`, { timeout: 90000 }, async () => {
    const t = await start({ delivery })
    try {
      const api = new Api(t.instances[0], t.key)
      await api.call('addRoom', ['kitchen', {}])
      const members = await fill(t, 'kitchen')
      await everybodyIsHeard(members, 'kitchen', 0)
      await t.brokers[0].kill()
      for (const instance of t.instances) {
        await eventually(async () => await instance.readiness() === 503, `${instance.name} misses its broker`)
      }
      const web = members.find(member => member.user === 'web0')
      await t.brokers[0].start()
      for (const instance of t.instances) {
        await eventually(async () => await instance.metric('roombus_bus_up') === 1, `the bus of ${instance.name}`)
      }
      await eventually(() => web.call('roomMessage', 'kitchen', { n: -1 }).then(() => true, () => false), 'a message is taken', 30000)
      const browsers = members.filter(member => member.socket)
      await everybodyIsHeard(browsers, 'kitchen', 1000)
      await t.devicesShared()
      const late = await Device.connect(t.instances[1], { user: 'late', ...t.deviceOptions?.('late') })
      await callAgain(late, 'roomJoin', ['kitchen'], { transient: ['unavailable', 'timeout', 'invalidSocket'], ms: 20000 })
      await everybodyIsHeard([...browsers, late], 'kitchen', 2000)
    } finally {
      await t.close()
    }
  })
}

test('a removed device gets nothing more, whichever instance it belongs to', { timeout: 60000 }, async () => {
  const t = await start()
  try {
    const api = new Api(t.instances[0], t.key)
    const owner = await Browser.connect(t.instances[0], { user: 'boss' })
    const devices = []
    for (let n = 0; n < 30; ++n) {
      const options = n % 2 ? { version: 5, encoding: 'cbor' } : {}
      devices.push(await Device.connect(t.instances[0], { user: `dev${n}`, ...options, ...t.deviceOptions?.(`dev${n}`) }))
    }
    await eventually(async () => {
      const served = await Promise.all(t.instances.map(instance => instance.metric('roombus_mqtt_connections')))
      return served.reduce((a, b) => a + b) === devices.length && served.every(count => count > 0)
    }, 'each device at one instance, and some at each')
    for (const [n, out] of devices.slice(0, 12).entries()) {
      const room = `den${n}`
      const other = devices[n + 1]
      await api.call('addRoom', [room, { owner: 'boss' }])
      for (const member of [owner, out, other]) await member.call('roomJoin', room)
      await owner.call('roomMessage', room, { n: 1 })
      await owner.call('roomAddToList', room, 'blacklist', [out.user])
      await owner.call('roomMessage', room, { n: 2 })
      const inRoom = member => member.received.peek(item => item.name === 'roomMessage' && item.room === room).map(item => item.payload.n)
      await eventually(() => inRoom(other).includes(2), `the second message at ${other.user}`)
      await out.call('listOwnSockets')
      assert.deepEqual(inRoom(out), [1], `${out.user} was removed before the second`)
      assert.deepEqual(inRoom(other), [1, 2])
    }
  } finally {
    await t.close()
  }
})

test('one instance answers a call of the server API over MQTT', { timeout: 60000 }, async () => {
  const t = await start({ delivery: 'inbox', mqtt: { admin: true, admins: ['root'] } })
  try {
    const root = mqtt.connect(`mqtt://${t.brokers[0].bridgeAddress}`, { clientId: 'root', username: 'roombus', password: 'secret', reconnectPeriod: 0 })
    const got = new Inbox()
    root.on('message', (topic, payload) => got.push({ topic, payload: JSON.parse(payload) }))
    await within(root.subscribeAsync('roombus/admin/reply/#', { qos: 1 }), 'SUBACK')
    await within(root.subscribeAsync('roombus/admin/events/#', { qos: 1 }), 'SUBACK')
    const calls = 60
    for (let n = 0; n < calls; ++n) {
      await root.publishAsync(`roombus/admin/call/root/client${n}/addRoom/${n}`, JSON.stringify({ key: t.key, args: [`room${n}`] }), { qos: 1 })
    }
    const replies = () => got.peek(item => item.topic.startsWith('roombus/admin/reply/'))
    await eventually(() => replies().length >= calls, 'all replies')
    await root.publishAsync('roombus/admin/call/root/c/clusterBusEmit/x', JSON.stringify({ key: t.key, args: ['lunch', ['soup']] }), { qos: 1 })
    await eventually(() => replies().length >= calls + 1, 'the last reply')
    await eventually(() => got.peek(item => item.topic === 'roombus/admin/events/clusterBus').length > 0, 'the event')
    await new Api(t.instances[1], t.key).call('hasRoom', ['room1'])
    assert.equal(replies().length, calls + 1, 'each once')
    for (const reply of replies()) assert.deepEqual(reply.payload, { result: null })
    assert.equal(got.peek(item => item.topic === 'roombus/admin/events/clusterBus').length, 1)
    root.end(true)
  } finally {
    await t.close()
  }
})

test('an instance that starts while the broker is away serves when it comes, and says so', { timeout: 60000 }, async () => {
  const t = await start()
  try {
    const last = t.instances[2]
    await last.kill()
    await t.brokers[0].kill()
    const ready = last.start()
    ready.catch(() => {}) // until it is waited for
    const admin = last.admin
    const asked = await eventually(async () => {
      const answer = await fetch(`http://${admin}/readyz`).catch(() => undefined)
      return answer && { status: answer.status, text: await answer.text() }
    }, 'the admin listener answers')
    assert.equal(asked.status, 503)
    assert.match(asked.text, /broker/)
    await t.brokers[0].start()
    await ready
    for (const instance of t.instances) {
      await eventually(async () => await instance.readiness() === 200, `${instance.name} has its broker`)
    }
    await t.devicesShared()
    const api = new Api(t.instances[0], t.key)
    await api.call('addRoom', ['hall', {}])
    await everybodyIsHeard(await fill(t, 'hall'), 'hall', 0)
  } finally {
    await t.close()
  }
})
