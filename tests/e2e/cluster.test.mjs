// Three instances over one Mosquitto and one Redis are one service to everybody.

import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { startTopology } from '../topology/topology.mjs'
import { callAgain } from './support/again.mjs'
import { Api } from './support/api.mjs'
import { Browser } from './support/browser.mjs'
import { chatError } from './support/chat_error.mjs'
import { eventually, within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { paced } from './support/pace.mjs'

const chat = `
[chat]
enable_userlist_updates = true
enable_access_lists_updates = true
enable_direct_messages = true
enable_rooms_management = true
heartbeat_rate = 400
heartbeat_timeout = 2000
bus_ack_timeout = 2000
close_timeout = 4000
`

/** What a device may be told while others take over from the instance that served it. */
const COMING = ['unavailable', 'timeout']

let t
let api
let made = 0
before(async () => {
  t = await startTopology({ instances: 3, config: chat })
  await t.devicesShared()
  api = new Api(t.instances[0], t.key)
}, { timeout: 120000 })
after(() => t?.close())

/** A room of its own for each test. */
async function newRoom (state = {}) {
  const room = `room ${++made}`
  await api.call('addRoom', [room, { enableUserlistUpdates: true, enableAccessListsUpdates: true, ...state }])
  return room
}

const browser = (n, user, options = {}) => Browser.connect(t.instances[n], { user, ...options })
const device = (n, user, options = {}) => Device.connect(t.instances[n], { user, ...t.deviceOptions?.(user), ...options })
const ids = (receiver, room) => receiver.received.peek(item => item.name === 'roomMessage' && (item.room ?? item.args[0]) === room)
  .map(item => item.payload?.id ?? item.args[1].id)

test('everybody sees one order, wherever they are and whoever sends', { timeout: 60000 }, async () => {
  const room = await newRoom()
  const members = [await browser(0, 'ann'), await browser(1, 'ben', { version: 2 }), await browser(2, 'cid'),
    await device(0, 'dev4'), await device(1, 'dev5', { version: 5, encoding: 'cbor' })]
  for (const member of members) await member.call('roomJoin', room)
  const each = 40
  const answers = await Promise.all(members.flatMap((member, m) => Array.from({ length: each }, async (_, n) =>
    member.call('roomMessage', room, { from: m, n }))))
  const total = members.length * each
  assert.deepEqual([...answers].sort((a, b) => a - b), Array.from({ length: total }, (_, i) => i + 1))
  for (const member of members) {
    await eventually(() => ids(member, room).includes(total), `message ${total} at ${member.user}`)
    const seen = ids(member, room)
    const firsts = seen.filter((id, i) => seen.indexOf(id) === i)
    assert.deepEqual(firsts, Array.from({ length: total }, (_, i) => i + 1), `order at ${member.user}`)
    if (member.socket) assert.equal(seen.length, total, `no message twice at ${member.user}`)
  }
  for (const member of members) await member.close()
})

test('a sender has its own message before the reply', { timeout: 30000 }, async () => {
  const room = await newRoom()
  const [ann, ben] = [await browser(0, 'ann'), await browser(1, 'ben')]
  await ann.call('roomJoin', room)
  await ben.call('roomJoin', room)
  for (let n = 1; n <= 20; ++n) {
    const sender = n % 2 ? ann : ben
    const id = await sender.call('roomMessage', room, { n })
    assert.equal(id, n)
    assert.ok(ids(sender, room).includes(id))
  }
  ann.close()
  ben.close()
})

test('joins continue exactly where their answer ends', { timeout: 60000 }, async () => {
  const room = await newRoom()
  const sender = await browser(0, 'ann')
  await sender.call('roomJoin', room)
  let sending = true
  const load = (async () => { while (sending) await sender.call('roomMessage', room, { x: 1 }) })()
  try {
    for (let round = 0; round < 10; ++round) {
      const reader = await browser(1 + round % 2, 'ben')
      const [, joined] = await reader.results('roomJoin', room, { limit: 5 })
      await eventually(() => ids(reader, room).length >= 5, 'live messages')
      const seen = ids(reader, room)
      assert.deepEqual(seen, seen.map((_, i) => joined.lastMessageId + 1 + i))
      reader.close()
    }
  } finally {
    sending = false
    await load
    sender.close()
  }
})

test('who comes and goes is told on all instances, once', { timeout: 30000 }, async () => {
  const room = await newRoom()
  const [ann, ben] = [await browser(0, 'ann'), await browser(1, 'ben')]
  const sensor = await device(2, 'sensor')
  await ann.call('roomJoin', room)
  await ben.call('roomJoin', room)
  await sensor.call('roomJoin', room)
  await ann.notified('roomUserJoined', (r, user) => r === room && user === 'ben')
  await ann.notified('roomUserJoined', (r, user) => r === room && user === 'sensor')
  assert.deepEqual((await ann.call('roomGetAccessList', room, 'userlist')).sort(), ['ann', 'ben', 'sensor'])
  await ben.call('roomLeave', room)
  await ann.notified('roomUserLeft', (r, user) => r === room && user === 'ben')
  await sensor.close()
  await ann.notified('roomUserLeft', (r, user) => r === room && user === 'sensor')
  assert.equal(ann.received.peek(item => ['roomUserLeft', 'roomUserJoined'].includes(item.name) && item.args[1] !== 'ann').length, 0)
  ann.close()
  ben.close()
})

test('a removal holds everywhere when it is acknowledged', { timeout: 60000 }, async () => {
  const room = await newRoom({ owner: 'olga' })
  const olga = await browser(0, 'olga')
  const eves = [await browser(0, 'eve'), await browser(1, 'eve'), await device(2, 'eve')]
  const fred = await browser(2, 'fred')
  for (const member of [olga, fred, ...eves]) await member.call('roomJoin', room)
  let sending = true
  let last = 0
  const load = (async () => { while (sending) last = await fred.call('roomMessage', room, { x: 1 }) })()
  let info
  try {
    await eventually(() => last > 20, 'some messages')
    await olga.call('roomAddToList', room, 'blacklist', ['eve'])
    info = await olga.call('roomHistoryInfo', room)
    await eventually(() => last > info.lastMessageId + 50, 'more messages', 30000)
  } finally {
    sending = false
    await load
  }
  for (const eve of eves) {
    if (eve.socket) await eve.notified('roomAccessRemoved', r => r === room)
    else await eve.received.take(item => item.name === 'roomAccessRemoved', 'roomAccessRemoved at the device')
    const late = ids(eve, room).filter(id => id > info.lastMessageId)
    assert.deepEqual(late, [], `${eve.user} on ${eve.socket ? 'socket.io' : 'mqtt'}`)
    await assert.rejects(eve.call('roomMessage', room, { x: 1 }), chatError('notJoined', room))
  }
  await fred.notified('roomUserLeft', (r, user) => r === room && user === 'eve')
  for (const one of [olga, fred, ...eves]) await one.close()
})

test('what concerns a user reaches all its connections', { timeout: 30000 }, async () => {
  const room = await newRoom()
  const [here, there] = [await browser(0, 'ann'), await browser(1, 'ann')]
  const phone = await device(2, 'ann')
  await here.notified('socketConnectEcho', id => id === there.id)
  await here.notified('socketConnectEcho', id => id === phone.id)
  await here.call('roomJoin', room)
  assert.deepEqual(await there.notified('roomJoinedEcho'), [room, here.id, 1])
  assert.equal(await there.call('roomJoin', room), 2)
  const ben = await browser(1, 'ben')
  await ben.call('directMessage', 'ann', { hello: 1 })
  for (const one of [here, there]) assert.equal((await one.notified('directMessage'))[0].hello, 1)
  assert.equal((await phone.received.take(item => item.name === 'directMessage', 'direct message')).payload.message.hello, 1)
  await here.call('systemMessage', { n: 1 })
  assert.deepEqual(await there.notified('systemMessage'), [{ n: 1 }])
  assert.deepEqual(Object.keys(await here.call('listOwnSockets')).sort(), [here.id, phone.id, there.id].sort())
  await api.call('disconnectUserSockets', ['ann'])
  for (const one of [here, there]) await within(one.closed, `the end of ${one.id}`)
  await eventually(async () => Object.keys(await new Browserless('ann').sockets()).length === 0, 'everybody gone')
  ben.close()
  await phone.close()
})

/** What the server API knows of a user. */
class Browserless {
  constructor (user) { this.user = user }
  sockets () { return api.call('execUserCommand', { userName: this.user, command: 'listOwnSockets', args: [] }) }
}

test('the server API acts on connections of other instances', { timeout: 30000 }, async () => {
  const room = await newRoom()
  const ann = await browser(2, 'ann')
  assert.equal(await api.call('execUserCommand', { userName: 'ann', id: ann.id, command: 'roomJoin', args: [room] }), 1)
  await ann.notified('roomUserJoined', (r, user) => r === room && user === 'ann')
  const { status, json } = await api.post('execUserCommand', { userName: 'ann', id: ann.id, command: 'roomJoin', args: ['no such room'] })
  assert.deepEqual([status < 500, json.error.code], [true, 'noRoom'])
  const elsewhere = new Api(t.instances[1], t.key)
  const events = await elsewhere.stream('events')
  const watched = await elsewhere.stream(`rooms/${encodeURIComponent(room)}/events`).catch(() => undefined)
  await api.call('clusterBusEmit', ['hello', [1, 2]])
  const event = await events.received.take(frame => frame.event === 'clusterBus', 'clusterBus at another instance')
  assert.deepEqual([event.data.event, event.data.args], ['hello', [1, 2]])
  events.close()
  watched?.close()
  const beat = await api.call('getInstanceHeartbeat', ['node2'])
  assert.ok(Math.abs(Date.now() - beat) < 5000, `heartbeat ${beat}`)
  assert.equal((await api.call('getInstanceSockets', ['node2']))[ann.id], 'ann')
  ann.close()
})

test('a room that is deleted is gone for all, and begins anew', { timeout: 30000 }, async () => {
  const room = await newRoom()
  const members = [await browser(0, 'ann'), await browser(1, 'ben'), await device(2, 'sensor')]
  for (const member of members) await member.call('roomJoin', room)
  await members[0].call('roomMessage', room, { n: 1 })
  const before = (await members[0].call('roomHistoryInfo', room)).epoch
  await api.call('deleteRoom', [room])
  for (const member of members.slice(0, 2)) await member.notified('roomAccessRemoved', r => r === room)
  await assert.rejects(members[1].call('roomJoin', room), chatError('noRoom', room))
  await api.call('addRoom', [room, {}])
  for (const member of members) await member.call('roomJoin', room)
  assert.equal(await members[1].call('roomMessage', room, { n: 2 }), 1)
  for (const member of members.slice(0, 2)) assert.equal((await member.message(room, m => m.n === 2)).id, 1)
  assert.notEqual((await members[0].call('roomHistoryInfo', room)).epoch, before)
  for (const member of members) await member.close()
})

test('what an instance leaves behind when it is killed is put right by the others', { timeout: 60000 }, async () => {
  const room = await newRoom()
  const [ann, ben] = [await browser(0, 'ann'), await browser(1, 'ben')]
  const sensor = await device(2, 'sensor')
  for (const member of [ann, ben, sensor]) await member.call('roomJoin', room)
  await ann.notified('roomUserJoined', (r, user) => r === room && user === 'sensor')
  await t.instances[1].kill()
  await ann.notified('roomUserLeft', (r, user) => r === room && user === 'ben')
  assert.deepEqual((await ann.call('roomGetAccessList', room, 'userlist')).sort(), ['ann', 'sensor'])
  // devices stay where they are, whoever served them
  const id = await ann.call('roomMessage', room, { after: 'the end' })
  await sensor.received.take(item => item.name === 'roomMessage' && item.payload.id === id, 'message at the device')
  await callAgain(sensor, 'roomMessage', [room, { n: 1 }], { transient: COMING, ms: 20000 })
  await t.instances[1].start()
  const again = await browser(1, 'ben')
  await again.call('roomJoin', room)
  await again.call('roomMessage', room, { back: true })
  await ann.message(room, m => m.back)
  assert.equal(ann.received.peek(item => item.name === 'roomUserLeft').length, 0)
  for (const member of [ann, again, sensor]) await member.close()
})

test('one that stood still lets go of its browsers before anything else', { timeout: 60000 }, async () => {
  const room = await newRoom({ owner: 'olga' })
  const olga = await browser(0, 'olga')
  const eve = await browser(2, 'eve')
  await olga.call('roomJoin', room)
  await eve.call('roomJoin', room)
  t.instances[2].freeze()
  await olga.notified('roomUserLeft', (r, user) => r === room && user === 'eve')
  await olga.call('roomAddToList', room, 'blacklist', ['eve'])
  const id = await olga.call('roomMessage', room, { secret: true })
  t.instances[2].thaw()
  await within(eve.closed, 'the end of what it had forgotten')
  assert.deepEqual(ids(eve, room).filter(seen => seen >= id), [])
  await eventually(async () => {
    try { (await browser(2, 'fred')).close(); return true } catch { return false }
  }, 'the instance serves again')
  olga.close()
})

test('a removal does not wait for one that stands still', { timeout: 60000 }, async () => {
  const room = await newRoom({ owner: 'olga' })
  const olga = await browser(0, 'olga')
  const eve = await browser(1, 'eve')
  const fred = await browser(2, 'fred')
  for (const member of [olga, eve, fred]) await member.call('roomJoin', room)
  t.instances[1].freeze()
  const begun = Date.now()
  await olga.call('roomAddToList', room, 'blacklist', ['eve'])
  assert.ok(Date.now() - begun < paced(6000))
  await olga.call('roomMessage', room, { secret: true })
  await fred.message(room, m => m.secret)
  t.instances[1].thaw()
  await within(eve.closed, 'the end of what it had forgotten')
  assert.equal(eve.received.peek(item => item.name === 'roomMessage').length, 0)
  await eventually(async () => {
    try { (await browser(1, 'gus')).close(); return true } catch { return false }
  }, 'the instance serves again')
  for (const member of [olga, fred]) member.close()
})

test('one that stops in good order leaves nothing behind', { timeout: 60000 }, async () => {
  const room = await newRoom()
  await t.devicesShared()
  const ann = await browser(0, 'ann')
  const sensor = await device(1, 'sensor')
  await ann.call('roomJoin', room)
  await sensor.call('roomJoin', room)
  await ann.notified('roomUserJoined', (r, user) => user === 'sensor')
  assert.deepEqual(await t.instances[2].terminate(), { code: 0, signal: null })
  assert.deepEqual(await t.instances[1].terminate(), { code: 0, signal: null })
  await callAgain(sensor, 'roomMessage', [room, { n: 1 }], { transient: COMING })
  assert.equal(ann.received.peek(item => item.name === 'roomUserLeft').length, 0)
  assert.deepEqual((await ann.call('roomGetAccessList', room, 'userlist')).sort(), ['ann', 'sensor'])
  ann.close()
  await sensor.close()
  await Promise.all([t.instances[1].start(), t.instances[2].start()])
})
