// What the contract says about the server API and the events of operators, as callers over HTTP or MQTT and the people
// and devices that are there see it. Each title begins with the ids of the statements that it proves
// (tests/contract_statements). Contract §8. Faults of requests, keys and streams are in server_api.test.mjs.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { startRedis } from '../topology/redis.mjs'
import { apis, refused, withKeys } from './support/api.mjs'
import { Browser } from './support/browser.mjs'
import { chatError } from './support/chat_error.mjs'
import { eventually, within } from './support/deadline.mjs'
import { ending } from './support/ending.mjs'
import { held, hooked } from './support/hooked.mjs'
import { mqttAdmin, onMqtt } from './support/mqtt_admin.mjs'
import { plugin } from './support/plugin_broker.mjs'
import { startRoombus } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'

const noMqtt = { ...withKeys, mqtt: false }

// --- execUserCommand

scenario('8.1 execUserCommand acts as a user, with what commands answer to that user', noMqtt, async world => {
  const { all } = apis(world.service)
  await world.browser('alice')
  const bob = await world.browser('bob')
  await all.call('addRoom', { room: 'r', state: { owner: 'alice' } })
  for (const as of ['alice', { userName: 'alice' }]) assert.equal(await all.call('execUserCommand', [as, 'roomGetOwner', 'r']), 'alice')
  assert.equal(await all.call('execUserCommand', { userName: 'alice', command: 'roomGetOwner', args: ['r'] }), 'alice')
  assert.deepEqual(await refused(all, 'execUserCommand', ['bob', 'roomGetOwner', 'r']), ['notJoined', 'r'])
  assert.deepEqual(await refused(all, 'execUserCommand', ['bob', 'roomMessage', 'r', {}]), ['notJoined', 'r'])
  assert.deepEqual(await refused(all, 'execUserCommand', ['alice', 'roomGetOwner']), ['wrongArgumentsCount', 1, 0])
  assert.deepEqual(await refused(all, 'execUserCommand', ['alice', 'roomPaint', 'r']), ['noCommand', 'roomPaint'])
  assert.deepEqual(await refused(all, 'execUserCommand', ['nobody', 'listOwnSockets']), ['noUser', 'nobody'])
  // rest arguments reach the command, further results come back
  const { json } = await all.post('execUserCommand', ['alice', 'roomHistoryGet', 'r', 0, 5, {}])
  assert.deepEqual([json.result, json.extra[0].lastMessageId], [[], 0])
  await all.call('execUserCommand', ['alice', 'directMessage', 'bob', { n: 1 }])
  assert.equal((await bob.notified('directMessage'))[0].author, 'alice')
})

scenario('8.2 execUserCommand acts as a connection, and echoes reach all connections of the user', noMqtt, async world => {
  const { all } = apis(world.service)
  const alice = await world.browser('alice')
  const other = await world.browser('alice')
  const bob = await world.browser('bob')
  await all.call('addRoom', { room: 'r' })
  assert.deepEqual(await refused(all, 'execUserCommand', [{ userName: 'alice', id: bob.id }, 'roomJoin', 'r']), ['invalidSocket', bob.id])
  assert.deepEqual(await refused(all, 'execUserCommand', [{ userName: 'alice', id: 'none' }, 'roomJoin', 'r']), ['invalidSocket', 'none'])
  assert.equal(await all.call('execUserCommand', [{ userName: 'alice', id: alice.id }, 'roomJoin', 'r']), 1)
  for (const one of [alice, other]) assert.deepEqual(await one.notified('roomJoinedEcho'), ['r', alice.id, 1])
  assert.deepEqual(await alice.call('listOwnSockets'), { [alice.id]: ['r'], [other.id]: [] })
  assert.equal(await all.call('execUserCommand', [{ userName: 'alice', id: alice.id }, 'roomLeave', 'r']), 0)
  for (const one of [alice, other]) assert.deepEqual(await one.notified('roomLeftEcho'), ['r', alice.id, 0])
})

scenario('8.3 8.5 bypassPermissions leaves out permissions and nothing else; without a user the service itself acts', noMqtt, async world => {
  const { all } = apis(world.service)
  const alice = await world.browser('alice')
  await world.browser('bob')
  await all.call('addRoom', { room: 'r', state: { owner: 'alice' } })
  await alice.call('roomJoin', 'r')
  assert.equal(await all.call('execUserCommand', [{ userName: 'bob', bypassPermissions: true }, 'roomMessage', 'r', { n: 1 }]), 1)
  assert.equal((await alice.message('r')).author, 'bob')
  assert.deepEqual(await refused(all, 'execUserCommand', [{ bypassPermissions: true }, 'roomMessage', 'none', {}]), ['noRoom', 'none'])
  assert.deepEqual(await refused(all, 'execUserCommand', [{ bypassPermissions: true }, 'roomMessage', 'r', 7]), ['badArgument', 1, 7])
  assert.deepEqual(await refused(all, 'execUserCommand', [{ bypassPermissions: true }, 'roomAddToList', 'r', 'userlist', ['x']]), ['notAllowed'])
  // the service itself: may nothing that is reserved, says who writes, owns nothing
  assert.deepEqual(await refused(all, 'execUserCommand', [null, 'roomGetOwner', 'r']), ['notJoined', 'r'])
  assert.deepEqual(await refused(all, 'execUserCommand', [{}, 'roomDelete', 'r']), ['notAllowed'])
  assert.equal(await all.call('execUserCommand', [true, 'roomMessage', 'r', { author: 'news', id: 99 }]), 2)
  const { author, id } = await alice.message('r')
  assert.deepEqual([author, id], ['news', 2])
  await all.call('execUserCommand', [true, 'roomCreate', 'mine', false])
  assert.equal(await all.call('execUserCommand', [true, 'roomGetOwner', 'mine']), null)
})

scenario('8.6 8.7 roomJoin and roomLeave need an id, and roomJoin never bypasses permissions', noMqtt, async world => {
  const { all } = apis(world.service)
  const bob = await world.browser('bob')
  await all.call('addRoom', { room: 'r', state: { blacklist: ['bob'] } })
  for (const command of ['roomJoin', 'roomLeave']) {
    for (const as of ['bob', { userName: 'bob', bypassPermissions: true }, true, null]) {
      assert.deepEqual(await refused(all, 'execUserCommand', [as, command, 'r']), ['noSocket', command])
    }
  }
  const asBob = { userName: 'bob', id: bob.id, bypassPermissions: true }
  assert.deepEqual(await refused(all, 'execUserCommand', [asBob, 'roomJoin', 'r']), ['notAllowed'])
  await all.call('execUserCommand', [true, 'roomRemoveFromList', 'r', 'blacklist', ['bob']])
  assert.equal(await all.call('execUserCommand', [asBob, 'roomJoin', 'r']), 1)
})

// --- users

scenario('8.8 8.9 8.13 8.14 addUser sets the direct messaging lists, which userHasInList and hasDirectAccess ask; no user twice', noMqtt, async world => {
  const { all } = apis(world.service)
  await all.call('addUser', ['dan', { whitelist: ['alice', 'carl'], blacklist: ['eve'], whitelistOnly: true }])
  await all.call('addUser', ['open', { blacklist: ['eve'] }])
  await all.call('addUser', ['bare'])
  const has = (...args) => all.call('userHasInList', args)
  assert.deepEqual([await has('dan', 'whitelist', 'alice'), await has('dan', 'whitelist', 'carl'), await has('dan', 'whitelist', 'eve'),
    await has('dan', 'blacklist', 'eve'), await has('bare', 'blacklist', 'eve')], [true, true, false, true, false])
  const may = (recipient, sender) => all.call('hasDirectAccess', { recipient, sender })
  assert.deepEqual([await may('dan', 'alice'), await may('dan', 'eve'), await may('dan', 'frank'),
    await may('open', 'frank'), await may('open', 'eve'), await may('bare', 'eve')], [true, false, false, true, false, true])
  const [alice, frank, dan] = [await world.browser('alice'), await world.browser('frank'), await world.browser('dan')]
  await alice.call('directMessage', 'dan', { n: 1 })
  assert.equal((await dan.notified('directMessage'))[0].n, 1)
  await assert.rejects(frank.call('directMessage', 'dan', {}), chatError('notAllowed'))
  assert.equal(await dan.call('directGetWhitelistMode'), true)
  for (const user of ['dan', 'bare', 'frank']) assert.deepEqual(await refused(all, 'addUser', [user]), ['userExists', user])
  assert.deepEqual(await refused(all, 'addUser', ['x', { colour: 1 }]), ['badArgument', 1, { colour: 1 }])
  for (const method of ['userHasInList', 'hasDirectAccess']) {
    assert.deepEqual(await refused(all, method, method === 'userHasInList' ? ['none', 'whitelist', 'x'] : ['none', 'x']), ['noUser', 'none'])
  }
  assert.deepEqual(await refused(all, 'userHasInList', ['dan', 'redlist', 'x']), ['noList', 'redlist'])
})

scenario('8.10 8.11 8.12 hasUser tells, deleteUser deletes whoever is not online', noMqtt, async world => {
  const { all } = apis(world.service)
  const alice = await world.browser('alice')
  await all.call('addUser', ['dan', { blacklist: ['eve'] }])
  assert.deepEqual([await all.call('hasUser', ['dan']), await all.call('hasUser', ['alice']), await all.call('hasUser', ['none'])], [true, true, false])
  await all.call('deleteUser', ['dan'])
  assert.equal(await all.call('hasUser', ['dan']), false)
  assert.deepEqual(await refused(all, 'deleteUser', ['dan']), ['noUser', 'dan'])
  await all.call('addUser', ['dan'])
  assert.equal(await all.call('userHasInList', ['dan', 'blacklist', 'eve']), false, 'nothing of the old one')
  assert.deepEqual(await refused(all, 'deleteUser', ['alice']), ['userOnline', 'alice'])
  alice.close()
  await eventually(async () => (await all.post('deleteUser', ['alice'])).status === 200, 'the end of alice')
  assert.equal(await all.call('hasUser', ['alice']), false)
})

scenario('8.15 disconnectUserSockets closes every connection of a user, browsers and devices, and nobody else\'s', withKeys, async world => {
  const { all } = apis(world.service)
  const [first, second, device] = [await world.browser('alice'), await world.browser('alice'), await world.device('alice')]
  const bob = await world.browser('bob')
  await all.call('addRoom', { room: 'r', state: { enableUserlistUpdates: true } })
  for (const one of [first, device, bob]) await one.call('roomJoin', 'r')
  await all.call('disconnectUserSockets', ['alice'])
  for (const one of [first, second, device]) await within(one.closed, `the end of ${one.id}`)
  assert.deepEqual(await bob.notified('roomUserLeft'), ['r', 'alice'])
  assert.deepEqual(await bob.call('roomGetAccessList', 'r', 'userlist'), ['bob'])
  assert.deepEqual(await refused(all, 'disconnectUserSockets', ['none']), ['noUser', 'none'])
})

// --- rooms

scenario('8.17 8.18 8.20 8.21 8.22 addRoom sets everything that it is told, once; hasRoom, roomHasInList and hasRoomAccess ask', noMqtt, async world => {
  const { all } = apis(world.service)
  assert.equal(await all.call('hasRoom', ['r']), false)
  await all.call('addRoom', ['r', { owner: 'olga', adminlist: ['adam'], whitelist: ['will'], blacklist: ['bob'], whitelistOnly: true,
    historyMaxSize: 2, enableAccessListsUpdates: true, enableUserlistUpdates: false }])
  assert.equal(await all.call('hasRoom', ['r']), true)
  const read = (command, ...args) => all.call('execUserCommand', [true, command, 'r', ...args])
  assert.equal(await read('roomGetOwner'), 'olga')
  for (const [list, name] of [['adminlist', 'adam'], ['whitelist', 'will'], ['blacklist', 'bob']]) {
    assert.deepEqual(await read('roomGetAccessList', list), [name])
    assert.equal(await all.call('roomHasInList', ['r', list, name]), true)
    assert.equal(await all.call('roomHasInList', ['r', list, 'zoe']), false)
  }
  assert.equal(await read('roomGetWhitelistMode'), true)
  assert.deepEqual(await read('roomNotificationsInfo'), { enableAccessListsUpdates: true, enableUserlistUpdates: false })
  for (let n = 1; n <= 3; ++n) await read('roomMessage', { n })
  const { historyMaxSize, historySize } = await read('roomHistoryInfo')
  assert.deepEqual([historyMaxSize, historySize], [2, 2])
  const access = {}
  for (const user of ['olga', 'adam', 'will', 'bob', 'zoe']) access[user] = await all.call('hasRoomAccess', ['r', user])
  assert.deepEqual(access, { olga: true, adam: true, will: true, bob: false, zoe: false })
  // clients are treated as it says
  const [will, zoe] = [await world.browser('will'), await world.browser('zoe')]
  await will.call('roomJoin', 'r')
  await assert.rejects(zoe.call('roomJoin', 'r'), chatError('notAllowed'))
  assert.equal(await all.call('roomHasInList', ['r', 'userlist', 'will']), true)
  assert.deepEqual(await refused(all, 'addRoom', ['r']), ['roomExists', 'r'])
  assert.deepEqual(await refused(all, 'addRoom', ['r', { owner: 'zoe' }]), ['roomExists', 'r'])
  assert.equal(await read('roomGetOwner'), 'olga')
  assert.deepEqual(await refused(all, 'addRoom', ['x', { colour: 1 }]), ['badArgument', 1, { colour: 1 }])
  for (const method of ['roomHasInList', 'hasRoomAccess']) {
    assert.deepEqual(await refused(all, method, method === 'roomHasInList' ? ['none', 'whitelist', 'x'] : ['none', 'x']), ['noRoom', 'none'])
  }
  assert.deepEqual(await refused(all, 'roomHasInList', ['r', 'redlist', 'x']), ['noList', 'redlist'])
})

scenario('8.19 deleteRoom removes everybody, and its successor has another epoch', withKeys, async world => {
  const { all } = apis(world.service)
  const alice = await world.browser('alice')
  const device = await world.device('sensor')
  const epochs = []
  for (const round of [1, 2]) {
    await all.call('addRoom', ['r'])
    const [, { epoch }] = await alice.results('roomJoin', 'r', {})
    await device.call('roomJoin', 'r')
    epochs.push(epoch)
    assert.equal(await alice.call('roomMessage', 'r', { round }), 1)
    await all.call('deleteRoom', ['r'])
    assert.deepEqual(await alice.notified('roomAccessRemoved'), ['r'])
    await device.notified('roomAccessRemoved')
    assert.equal(await all.call('hasRoom', ['r']), false)
    assert.deepEqual(await refused(all, 'deleteRoom', ['r']), ['noRoom', 'r'])
  }
  assert.notEqual(epochs[0], epochs[1])
  for (const one of [alice, device]) assert.deepEqual(await one.call('listOwnSockets'), { [one.id]: [] })
})

scenario('8.23 changeRoomOwner gives a room another owner or none, and removes whom only that let in', noMqtt, async world => {
  const { all } = apis(world.service)
  await all.call('addRoom', ['r', { owner: 'owner', whitelist: ['stays'], whitelistOnly: true, enableUserlistUpdates: true }])
  const owner = await world.browser('owner')
  const stays = await world.browser('stays')
  for (const one of [owner, stays]) await one.call('roomJoin', 'r')
  await all.call('changeRoomOwner', ['r', 'stays'])
  assert.deepEqual(await owner.notified('roomAccessRemoved'), ['r'])
  assert.deepEqual(await stays.notified('roomUserLeft'), ['r', 'owner'])
  await assert.rejects(owner.call('roomMessage', 'r', {}), chatError('notJoined', 'r'))
  assert.equal(await stays.call('roomGetOwner', 'r'), 'stays')
  await stays.call('roomAddToList', 'r', 'adminlist', ['adam'])
  await all.call('changeRoomOwner', ['r', null])
  assert.equal(await stays.call('roomGetOwner', 'r'), null)
  await assert.rejects(stays.call('roomAddToList', 'r', 'adminlist', ['eve']), chatError('notAllowed'))
  assert.deepEqual(await refused(all, 'changeRoomOwner', ['none', 'x']), ['noRoom', 'none'])
})

scenario('8.24 changeRoomHistoryMaxSize trims at once, and 0 keeps nothing', noMqtt, async world => {
  const { all } = apis(world.service)
  await all.call('addRoom', ['r'])
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'r')
  for (let n = 1; n <= 3; ++n) await alice.call('roomMessage', 'r', { n })
  const ids = async () => (await alice.call('roomRecentHistory', 'r')).map(m => m.id)
  await all.call('changeRoomHistoryMaxSize', ['r', 2])
  assert.deepEqual(await ids(), [3, 2])
  await all.call('changeRoomHistoryMaxSize', { room: 'r', size: 0 })
  assert.deepEqual(await ids(), [])
  assert.equal(await alice.call('roomMessage', 'r', {}), 4)
  assert.deepEqual(await ids(), [])
  assert.deepEqual(await refused(all, 'changeRoomHistoryMaxSize', ['r', -1]), ['badArgument', 1, -1])
  assert.deepEqual(await refused(all, 'changeRoomHistoryMaxSize', ['none', 1]), ['noRoom', 'none'])
})

scenario('8.25 8.26 changeAccessListsUpdates and changeUserlistUpdates decide what members are told from then on', noMqtt, async world => {
  const { all } = apis(world.service)
  await all.call('addRoom', ['r', { owner: 'alice', enableUserlistUpdates: false, enableAccessListsUpdates: false }])
  const alice = await world.browser('alice')
  const bob = await world.browser('bob')
  await alice.call('roomJoin', 'r')
  const act = async () => {
    await bob.call('roomJoin', 'r')
    await bob.call('roomLeave', 'r')
    await alice.call('roomAddToList', 'r', 'blacklist', ['eve'])
    await alice.call('roomRemoveFromList', 'r', 'blacklist', ['eve'])
    await alice.call('listOwnSockets')
    return alice.received.peek().map(item => item.name).filter(name => name.startsWith('room'))
  }
  const users = ['roomUserJoined', 'roomUserLeft']
  const lists = ['roomAccessListAdded', 'roomAccessListRemoved']
  const taken = () => Promise.all(alice.received.peek().map(item => alice.received.take(i => i === item, item.name)))
  for (const [usersOn, listsOn] of [[false, false], [true, false], [true, true], [false, true], [false, false]]) {
    await all.call('changeUserlistUpdates', ['r', usersOn])
    await all.call('changeAccessListsUpdates', { room: 'r', enabled: listsOn })
    assert.deepEqual(await act(), [...(usersOn ? users : []), ...(listsOn ? lists : [])])
    await taken()
  }
  for (const method of ['changeUserlistUpdates', 'changeAccessListsUpdates']) {
    assert.deepEqual(await refused(all, method, ['r', 1]), ['badArgument', 1, 1])
    assert.deepEqual(await refused(all, method, ['none', true]), ['noRoom', 'none'])
  }
})

// --- arguments

scenario('8.27 8.28 checkArguments counts, and looks at the types', noMqtt, async world => {
  const { all } = apis(world.service)
  assert.equal(await all.call('checkArguments', ['roomMessage', 'r', {}]), null)
  assert.equal(await all.call('checkArguments', { command: 'listOwnSockets' }), null)
  assert.deepEqual(await refused(all, 'checkArguments', ['roomMessage', 'r']), ['wrongArgumentsCount', 2, 1])
  assert.deepEqual(await refused(all, 'checkArguments', ['listOwnSockets', 1]), ['wrongArgumentsCount', 0, 1])
  assert.deepEqual(await refused(all, 'checkArguments', ['roomMessage', 'r', 'text']), ['badArgument', 1, 'text'])
  assert.deepEqual(await refused(all, 'checkArguments', ['roomHistoryGet', 'r', -1, 1]), ['badArgument', 1, -1])
  assert.deepEqual(await refused(all, 'checkArguments', ['nosuch']), ['noCommand', 'nosuch'])
})

hooked('8.29 checkArguments asks the message checkers, and does nothing', { hooks: ['roomMessagesChecker', 'directMessagesChecker', 'roomMessageBefore'], ...withKeys }, async ({ server, service }) => {
  const { all } = apis(service)
  server.hooks.roomMessagesChecker = ({ message }) => message.bad ? { error: { code: 'tooBad' } } : {}
  server.hooks.directMessagesChecker = () => ({ error: { code: 'never' } })
  assert.equal(await all.call('checkArguments', ['roomMessage', 'default', { good: 1 }]), null)
  assert.deepEqual(await refused(all, 'checkArguments', ['roomMessage', 'default', { bad: 1 }]), ['tooBad'])
  assert.deepEqual(await refused(all, 'checkArguments', ['directMessage', 'bob', {}]), ['never'])
  assert.equal((await all.call('execUserCommand', [true, 'roomHistoryInfo', 'default'])).lastMessageId, 0)
  assert.deepEqual(server.calls.map(({ hook }) => hook), ['roomMessagesChecker', 'roomMessagesChecker', 'directMessagesChecker'])
})

scenario('8.32 8.33 every method takes its arguments by name, optional ones null or absent; others not', noMqtt, async world => {
  const { all } = apis(world.service)
  const alice = await world.browser('alice')
  const { instance } = world.service
  const steps = [
    ['addUser', { user: 'u1', state: { whitelist: ['x'], blacklist: null } }, null],
    ['addUser', { user: 'u2', state: null }, null],
    ['addUser', { user: 'u3' }, null],
    ['hasUser', { user: 'u1' }, true],
    ['userHasInList', { user: 'u1', list: 'whitelist', item: 'x' }, true],
    ['hasDirectAccess', { recipient: 'u1', sender: 'x' }, true],
    ['addRoom', { room: 'r1', state: { owner: null, adminlist: null, historyMaxSize: null } }, null],
    ['addRoom', { room: 'r2', state: null }, null],
    ['addRoom', { room: 'r3' }, null],
    ['hasRoom', { room: 'r3' }, true],
    ['roomHasInList', { room: 'r1', list: 'adminlist', item: 'x' }, false],
    ['hasRoomAccess', { room: 'r1', user: 'x' }, true],
    ['changeRoomOwner', { room: 'r1', owner: 'alice' }, null],
    ['changeRoomOwner', { room: 'r1', owner: null }, null],
    ['changeRoomOwner', { room: 'r1' }, null],
    ['changeRoomHistoryMaxSize', { room: 'r1', size: 3 }, null],
    ['changeAccessListsUpdates', { room: 'r1', enabled: false }, null],
    ['changeUserlistUpdates', { room: 'r1', enabled: true }, null],
    ['checkArguments', { command: 'roomJoin', args: ['r1'] }, null],
    ['checkArguments', { command: 'listOwnSockets', args: null }, null],
    ['checkArguments', { command: 'listOwnSockets' }, null],
    ['clusterBusEmit', { event: 'e', args: [1] }, null],
    ['clusterBusEmit', { event: 'e', args: null }, null],
    ['clusterBusEmit', { event: 'e' }, null],
    ['userStateSync', { user: 'alice' }, null],
    ['roomStateSync', { room: 'r1' }, null],
    ['instanceRecovery', { instance: 'gone' }, null],
    ['getInstanceHeartbeat', { instance: 'never' }, null],
    ['getInstanceSockets', { instance }, { [alice.id]: 'alice' }],
    ['getInstanceSockets', { instance: null }, { [alice.id]: 'alice' }],
    ['getInstanceSockets', {}, { [alice.id]: 'alice' }],
    ['execUserCommand', { userName: 'alice', id: null, bypassPermissions: null, bypassHooks: null, command: 'directGetWhitelistMode', args: null }, false],
    ['execUserCommand', { userName: 'alice', command: 'directGetWhitelistMode' }, false],
    ['execUserCommand', { bypassPermissions: true, bypassHooks: true, command: 'roomGetWhitelistMode', args: ['r1'] }, false],
    ['execUserCommand', { userName: 'alice', id: alice.id, command: 'roomJoin', args: ['r1'] }, 1],
    ['deleteRoom', { room: 'r1' }, null],
    ['deleteUser', { user: 'u1' }, null],
    ['disconnectUserSockets', { user: 'alice' }, null]
  ]
  for (const [method, named, result] of steps) assert.deepEqual(await all.call(method, named), result, `${method} ${JSON.stringify(named)}`)
  await within(alice.closed, 'the end of alice')
  assert.deepEqual(await refused(all, 'addRoom', { room: null }), ['badArgument', 0, null])
  assert.deepEqual(await refused(all, 'addRoom', { state: {} }), ['badArgument', 0, null])
  assert.deepEqual(await refused(all, 'addRoom', { room: 'x', colour: 1 }), ['badArgument', 2, 'colour'])
})

scenario('8.46 batch answers in order, and errors do not end it', noMqtt, async world => {
  const { all } = apis(world.service)
  const answers = await all.call('batch', [[
    { method: 'addRoom', args: ['kitchen'] }, { method: 'addRoom', args: { room: 'kitchen' } }, { method: 'nothing' },
    { method: 'hasRoom', args: ['kitchen'] }, { method: 'execUserCommand', args: [true, 'roomHistoryGet', 'kitchen', 0, 5, {}] }
  ]])
  assert.deepEqual(answers.map(({ result, error, extra }) => [result, error?.code, extra?.length]),
    [[null, undefined, undefined], [undefined, 'roomExists', undefined], [undefined, 'noCommand', undefined], [true, undefined, undefined], [[], undefined, 1]])
  assert.deepEqual(await refused(all, 'batch', [[{ method: 'addRoom', args: ['b'] }, 7]]), ['badArgument', 0, 7])
  assert.equal(await all.call('hasRoom', ['b']), false, 'refused before anything ran')
})

// --- events and instances

scenario('8.30 8.40 8.41 8.45 operators hear of the start, of clusterBusEmit at its sender, and of the end', noMqtt, async world => {
  const { all, read } = apis(world.service)
  const streams = [await read.stream('events', { 'last-event-id': '0' }), await all.stream('events', { 'last-event-id': '0' })]
  await all.call('clusterBusEmit', ['lunch', ['soup', { price: 7 }]])
  await all.call('clusterBusEmit', { event: 'bare' })
  for (const stream of streams) {
    assert.deepEqual((await stream.next('ready')).data, { instance: world.service.instance })
    assert.deepEqual((await stream.next('clusterBus')).data, { event: 'lunch', args: ['soup', { price: 7 }] })
    assert.deepEqual((await stream.next('clusterBus')).data, { event: 'bare', args: [] })
  }
  world.service.child.kill('SIGTERM')
  for (const stream of streams) {
    assert.deepEqual((await stream.next('closed')).data, {})
    assert.equal(await within(stream.ended, 'end of the stream'), 'end')
  }
  await within(world.service.exited, 'end of roombus')
})

hooked('8.44 lockTimeExceeded tells which join takes longer than lock_ttl, and the next may go on', {
  hooks: ['onJoin'], more: 'timeout_ms = 60000', args: [...withKeys.args, '--chat.lock_ttl', '300']
}, async ({ server, service, browser }) => {
  const stream = await apis(service).read.stream('events')
  const alice = await browser('alice')
  const decision = held()
  const asked = new Promise(resolve => { server.hooks.onJoin = () => { resolve(); return decision.answer } })
  const joining = alice.call('roomJoin', 'default')
  await within(asked, 'onJoin')
  const leaving = alice.call('roomLeave', 'default')
  assert.deepEqual((await stream.next('lockTimeExceeded')).data, { id: alice.id, userName: 'alice', roomName: 'default' })
  assert.equal(await leaving, 0)
  decision.give({ error: { code: 'tooLate' } })
  await assert.rejects(joining, chatError('tooLate'))
  stream.close()
})

// the plugin confirms removals; without it there is nothing that could fail
if (plugin) {
  scenario('8.43 transportConsistencyFailure tells of a removal that the broker did not confirm', {
    args: [...withKeys.args, '--chat.bus_ack_timeout', '500', '--mqtt.delivery', 'broker']
  }, async world => {
    const { all, read } = apis(world.service)
    const sensor = await world.device('sensor')
    await sensor.call('roomJoin', 'default')
    const stream = await read.stream('events')
    const [broker] = (await world.service.children()).filter(child => child.name.startsWith('mosquitto'))
    process.kill(broker.pid, 'SIGSTOP')
    try {
      const { status, json } = await all.post('execUserCommand', [true, 'roomAddToList', 'default', 'blacklist', ['sensor']])
      assert.deepEqual([status, json.error.code], [504, 'timeout'], 'it is not known to be out')
      assert.deepEqual((await stream.next('transportConsistencyFailure')).data,
        { userName: 'sensor', roomName: 'default', id: sensor.id, opType: 'transportChannel' })
    } finally {
      process.kill(broker.pid, 'SIGCONT')
    }
    stream.close()
  })
}

/** A test with a Redis whose life is in the test's hands: `start(options)` is startRoombus with it as the store. */
function withRedis (name, body) {
  test(name, { timeout: 100000 }, () => ending(async ends => {
    const folder = ends(await mkdtemp(path.join(tmpdir(), 'roombus-contract-')), folder => rm(folder, { recursive: true, force: true }))
    const redis = await startRedis(folder)
    const node = ends(redis.nodes[0], node => node.kill())
    const running = []
    const start = async ({ args = [], ...options } = {}) => {
      const service = await startRoombus({ ...noMqtt, ...options, config: `${redis.config}timeout = 3000\n`, args: [...withKeys.args, ...args] })
      running.push(service)
      return ends(service, service => service.stop().catch(() => {}))
    }
    try {
      await body({ node, start })
    } catch (error) {
      for (const service of running) console.error(`--- output of roombus in "${name}"\n${service.output.slice(-20000)}---`)
      throw error
    } finally {
      node.thaw()
    }
  }))
}

// no heartbeat comes between a failure and its repair
const longBeats = ['--chat.heartbeat_rate', '60000', '--chat.heartbeat_timeout', '90000']

/** The result of a call, as soon as the store is back. */
const whenBack = (api, method, args) => eventually(async () => {
  const { status, json } = await api.post(method, args)
  return status === 200 && [json.result]
}, `${method} with the store back`).then(([result]) => result)

/** alice and bob in room r, whose members are told who comes and goes. */
async function twoInRoom (service) {
  const { all } = apis(service)
  await all.call('addRoom', ['r', { enableUserlistUpdates: true }])
  const pair = [await Browser.connect(service, { user: 'alice' }), await Browser.connect(service, { user: 'bob' })]
  for (const one of pair) await one.call('roomJoin', 'r')
  return pair
}

withRedis('8.35 8.42 storeConsistencyFailure tells of a leave that broke off, and roomStateSync sets it right', async ({ node, start }) => {
  const service = await start({ args: longBeats })
  const { all, read } = apis(service)
  const [alice, bob] = await twoInRoom(service)
  const stream = await read.stream('events')
  node.freeze()
  await assert.rejects(bob.call('roomLeave', 'r'), chatError('timeout'))
  assert.deepEqual((await stream.next('storeConsistencyFailure')).data, { userName: 'bob', roomName: 'r', id: bob.id, opType: 'userRooms' })
  node.thaw()
  // what became of it in the store, nobody here knows; afterwards everybody agrees
  assert.equal(await whenBack(all, 'roomStateSync', ['r']), null)
  const members = await all.call('execUserCommand', [true, 'roomGetAccessList', 'r', 'userlist'])
  assert.deepEqual(members, ['alice'], 'the store had done it')
  assert.deepEqual(await alice.notified('roomUserLeft'), ['r', 'bob'])
  assert.deepEqual(await bob.notified('roomLeftEcho'), ['r', bob.id, 0])
  await alice.call('roomMessage', 'r', {})
  await bob.call('listOwnSockets')
  assert.deepEqual(bob.waiting('roomMessage'), [])
  // what the user's own records say is the user's to repair
  assert.equal(await all.call('userStateSync', ['bob']), null)
  assert.deepEqual(await bob.call('listOwnSockets'), { [bob.id]: [] })
  assert.equal(await all.call('roomStateSync', ['r']), null)
  await alice.call('listOwnSockets')
  assert.deepEqual(alice.waiting('roomUserLeft'), [], 'told once')
  assert.deepEqual(await refused(all, 'roomStateSync', ['none']), ['noRoom', 'none'])
  stream.close()
  for (const one of [alice, bob]) one.close()
})

withRedis('8.34 8.42 storeConsistencyFailure tells of an end that the store missed, and userStateSync makes up for it', async ({ node, start }) => {
  const service = await start({ args: longBeats })
  const { all, read } = apis(service)
  const [alice, bob] = await twoInRoom(service)
  const stream = await read.stream('events')
  await node.kill()
  bob.close()
  assert.deepEqual((await stream.next('storeConsistencyFailure')).data, { userName: 'bob', id: bob.id, opType: 'userSockets' })
  await node.start()
  assert.equal(await whenBack(all, 'hasRoom', ['r']), true)
  assert.deepEqual(await all.call('execUserCommand', [true, 'roomGetAccessList', 'r', 'userlist']), ['alice', 'bob'])
  assert.equal(await all.call('userStateSync', ['bob']), null)
  assert.deepEqual(await alice.notified('roomUserLeft'), ['r', 'bob'])
  assert.deepEqual(await all.call('execUserCommand', [true, 'roomGetAccessList', 'r', 'userlist']), ['alice'])
  assert.deepEqual(await all.call('execUserCommand', ['bob', 'listOwnSockets']), {})
  // of a sound state nothing changes
  for (const user of ['alice', 'bob']) assert.equal(await all.call('userStateSync', [user]), null)
  await alice.call('roomMessage', 'r', {})
  await alice.message('r')
  assert.deepEqual(alice.waiting('roomUserLeft'), [])
  assert.deepEqual(await refused(all, 'userStateSync', ['none']), ['noUser', 'none'])
  stream.close()
  alice.close()
})

withRedis('8.36 8.37 8.38 instanceRecovery ends what a dead instance left behind; its heartbeat and connections are there to be read', async ({ start }) => {
  const before = Date.now()
  const dead = await start({ args: ['--instance.id', 'dead'] })
  const [alice, bob] = await twoInRoom(dead)
  await dead.crash()
  const service = await start({ args: ['--instance.id', 'alive'] })
  const { all } = apis(service)
  const carol = await Browser.connect(service, { user: 'carol' })
  await carol.call('roomJoin', 'r')
  assert.deepEqual(await all.call('getInstanceSockets', ['dead']), { [alice.id]: 'alice', [bob.id]: 'bob' })
  for (const own of [[], [null], ['alive']]) assert.deepEqual(await all.call('getInstanceSockets', own), { [carol.id]: 'carol' })
  const last = await all.call('getInstanceHeartbeat', ['dead'])
  assert.ok(last >= before && last <= Date.now(), `${last}`)
  for (const own of [[], [null], ['alive']]) assert.ok(await all.call('getInstanceHeartbeat', own) >= last)
  assert.equal(await all.call('getInstanceHeartbeat', ['never']), null)
  assert.equal(await all.call('instanceRecovery', ['dead']), null)
  const left = [await carol.notified('roomUserLeft'), await carol.notified('roomUserLeft')]
  assert.deepEqual(left.map(([, user]) => user).sort(), ['alice', 'bob'])
  assert.deepEqual(await carol.call('roomGetAccessList', 'r', 'userlist'), ['carol'])
  assert.deepEqual(await all.call('getInstanceSockets', ['dead']), {})
  assert.equal(await all.call('getInstanceHeartbeat', ['dead']), null)
  assert.deepEqual(await refused(all, 'instanceRecovery', ['alive']), ['notAllowed'])
  carol.close()
})

withRedis('8.39 a dead instance is recovered without being asked', async ({ start }) => {
  const beats = ['--chat.heartbeat_rate', '400', '--chat.heartbeat_timeout', '3000']
  const dead = await start({ args: ['--instance.id', 'dead', ...beats] })
  await twoInRoom(dead)
  const service = await start({ args: ['--instance.id', 'alive', ...beats] })
  const carol = await Browser.connect(service, { user: 'carol' })
  await carol.call('roomJoin', 'r')
  assert.deepEqual(await carol.call('roomGetAccessList', 'r', 'userlist'), ['alice', 'bob', 'carol'])
  await dead.crash()
  const left = [await carol.notified('roomUserLeft'), await carol.notified('roomUserLeft')]
  assert.deepEqual(left.map(([, user]) => user).sort(), ['alice', 'bob'])
  assert.deepEqual(await carol.call('roomGetAccessList', 'r', 'userlist'), ['carol'])
  assert.equal(await eventually(async () => await apis(service).all.call('getInstanceHeartbeat', ['dead']) === null, 'the dead forgotten'), true)
  carol.close()
})

// --- the same over MQTT

scenario('8.1 8.17 8.18 8.46 over MQTT: addRoom with a state, a command as a user, an error, a batch', onMqtt, async world => {
  const { all } = apis(world.service)
  for (const [version, encoding] of [[4, 'json'], [5, 'cbor']]) {
    const root = await mqttAdmin(world, 'root', { client: `root-${version}`, version, encoding })
    const room = `room${version}`
    const ask = (method, ...args) => root.ask(method, args)
    assert.deepEqual(await root.ask('addRoom', { room, state: { owner: 'alice', blacklist: ['eve'], enableUserlistUpdates: true } }), { result: null })
    assert.deepEqual(await all.call('execUserCommand', [true, 'roomNotificationsInfo', room]), { enableUserlistUpdates: true, enableAccessListsUpdates: false })
    assert.deepEqual(await ask('addRoom', room), { error: { code: 'roomExists', args: [room], text: `Room ${room} already exists` } })
    const device = await world.device('alice', { client: `alice-${version}` })
    assert.deepEqual(await ask('execUserCommand', 'alice', 'roomGetOwner', room), { result: 'alice' })
    assert.deepEqual(await ask('execUserCommand', { userName: 'alice', id: device.id }, 'roomJoin', room), { result: 1 })
    assert.equal((await ask('execUserCommand', 'alice', 'roomJoin', room)).error.code, 'noSocket')
    assert.deepEqual(await root.ask('batch', { calls: [{ method: 'addRoom', args: [room] }, { method: 'hasRoom', args: [room] }] }),
      { result: [{ error: { name: 'ChatServiceError', code: 'roomExists', args: [room], text: `Room ${room} already exists` } }, { result: true }] })
  }
})

scenario('8.45 over MQTT: operators hear what clusterBusEmit says', onMqtt, async world => {
  const root = await mqttAdmin(world, 'root')
  assert.deepEqual(await root.ask('clusterBusEmit', { event: 'lunch', args: ['soup', 7] }), { result: null })
  assert.deepEqual(await root.event('clusterBus'), { event: 'lunch', args: ['soup', 7] })
})
