// What the server API does to people and devices that are there: contract §8 as its clients see it.
// Arguments, errors, keys and streams of the API itself are in server_api.test.mjs.

import assert from 'node:assert/strict'
import { apis, withKeys } from './support/api.mjs'
import { chatError } from './support/chat_error.mjs'
import { eventually, within } from './support/deadline.mjs'
import { HookServer } from './support/hook_server.mjs'
import { scenario } from './support/scenario.mjs'

const noMqtt = { ...withKeys, mqtt: false }

/** The error of a call, or a failure. */
async function refused (api, method, args) {
  const { status, json } = await api.post(method, args)
  assert.ok(status >= 400 && status < 500, `${method} answered ${status}`)
  return [json.error.code, ...json.error.args]
}

scenario('execUserCommand acts as a user, as a connection or as the service itself', noMqtt, async world => {
  const { all } = apis(world.service)
  const alice = await world.browser('alice')
  const other = await world.browser('alice')
  const bob = await world.browser('bob')
  await all.call('addRoom', { room: 'r', state: { owner: 'alice', enableUserlistUpdates: true } })

  assert.deepEqual(await refused(all, 'execUserCommand', ['alice', 'roomJoin', 'r']), ['noSocket', 'roomJoin'])
  assert.deepEqual(await refused(all, 'execUserCommand', [{ userName: 'alice', id: bob.id }, 'roomJoin', 'r']), ['invalidSocket', bob.id])
  assert.equal(await all.call('execUserCommand', [{ userName: 'alice', id: alice.id }, 'roomJoin', 'r']), 1)
  // echoes of local calls reach all connections of the user
  for (const one of [alice, other]) assert.deepEqual(await one.notified('roomJoinedEcho'), ['r', alice.id, 1])

  await all.call('execUserCommand', [true, 'roomAddToList', 'r', 'blacklist', ['bob']])
  assert.deepEqual(await refused(all, 'execUserCommand', [{ userName: 'bob', id: bob.id, bypassPermissions: true }, 'roomJoin', 'r']), ['notAllowed'])
  assert.deepEqual(await refused(all, 'execUserCommand', ['bob', 'roomMessage', 'r', {}]), ['notJoined', 'r'])
  assert.equal(await all.call('execUserCommand', [{ userName: 'bob', bypassPermissions: true }, 'roomMessage', 'r', { n: 1 }]), 1)
  assert.equal((await alice.message('r')).author, 'bob')
  assert.equal(await all.call('execUserCommand', [true, 'roomMessage', 'r', { n: 2, author: 'news' }]), 2)
  assert.equal((await alice.message('r')).author, 'news')
  assert.deepEqual(await refused(all, 'execUserCommand', ['nobody', 'listOwnSockets']), ['noUser', 'nobody'])
})

scenario('changes of a room by the API act at once on its members', withKeys, async world => {
  const { all } = apis(world.service)
  await all.call('addRoom', ['r', { owner: 'owner', whitelist: ['stays'], whitelistOnly: true, enableUserlistUpdates: true }])
  const owner = await world.browser('owner')
  const stays = await world.browser('stays')
  const device = await world.device('stays')
  for (const one of [owner, stays]) await one.call('roomJoin', 'r')
  for (let n = 1; n <= 3; ++n) await owner.call('roomMessage', 'r', { n })

  await all.call('changeRoomHistoryMaxSize', ['r', 1])
  assert.deepEqual((await stays.call('roomRecentHistory', 'r')).map(m => m.id), [3])

  await all.call('changeRoomOwner', ['r', null])
  assert.deepEqual(await owner.notified('roomAccessRemoved'), ['r'])
  assert.deepEqual(await stays.notified('roomUserLeft'), ['r', 'owner'])
  await assert.rejects(owner.call('roomMessage', 'r', {}), chatError('notJoined', 'r'))

  await all.call('disconnectUserSockets', { user: 'stays' })
  await within(stays.closed, 'the end of the browser')
  await eventually(async () => (await all.call('roomHasInList', ['r', 'userlist', 'stays'])) === false, 'empty room')
  await within(device.closed, 'the end of the device')
})

scenario('deleting a room removes everybody, and its successor has another epoch', noMqtt, async world => {
  const { all } = apis(world.service)
  const alice = await world.browser('alice')
  const epochs = []
  for (const round of [1, 2]) {
    await all.call('addRoom', ['r'])
    const [, { epoch }] = await alice.results('roomJoin', 'r', {})
    epochs.push(epoch)
    assert.equal(await alice.call('roomMessage', 'r', { round }), 1)
    await all.call('deleteRoom', ['r'])
    assert.deepEqual(await alice.notified('roomAccessRemoved'), ['r'])
  }
  assert.notEqual(epochs[0], epochs[1])
  assert.deepEqual(await alice.call('listOwnSockets'), { [alice.id]: [] })
})

scenario('syncs and recovery of a sound service disturb nobody', noMqtt, async world => {
  const { all } = apis(world.service)
  const alice = await world.browser('alice')
  const bob = await world.browser('bob')
  await all.call('addRoom', ['r', { enableUserlistUpdates: true }])
  for (const one of [alice, bob]) await one.call('roomJoin', 'r')
  await all.call('roomStateSync', ['r'])
  await all.call('userStateSync', ['alice'])
  assert.deepEqual(await refused(all, 'instanceRecovery', [world.service.instance]), ['notAllowed'])
  assert.deepEqual(await refused(all, 'roomStateSync', ['none']), ['noRoom', 'none'])
  assert.deepEqual(await refused(all, 'userStateSync', ['none']), ['noUser', 'none'])
  await bob.call('roomMessage', 'r', {})
  await alice.message('r')
  assert.deepEqual(alice.waiting('roomUserLeft'), [])
  assert.deepEqual(await all.call('getInstanceSockets'), { [alice.id]: 'alice', [bob.id]: 'bob' })
})

scenario('checkArguments counts, types, and says what commands would', noMqtt, async world => {
  const { all } = apis(world.service)
  assert.deepEqual(await refused(all, 'checkArguments', ['roomMessage', 'r']), ['wrongArgumentsCount', 2, 1])
  assert.deepEqual(await refused(all, 'checkArguments', ['roomMessage', 'r', 'text']), ['badArgument', 1, 'text'])
  assert.deepEqual(await refused(all, 'checkArguments', ['nosuch']), ['noCommand', 'nosuch'])
  assert.equal(await all.call('checkArguments', { command: 'listOwnSockets' }), null)
})

// with a hook server, since the context of local calls is seen by hooks only
const hooks = await new HookServer().start()
scenario('hooks see local calls and are skipped with bypassHooks', {
  ...noMqtt,
  config: `[hooks.http]\nurl = "${hooks.url}"\nhooks = ["roomGetOwnerBefore", "roomGetOwnerAfter"]\n`
}, async world => {
  world.atEnd(() => hooks.kill())
  const { all } = apis(world.service)
  await all.call('addRoom', ['r', { owner: 'alice' }])
  hooks.hooks.roomGetOwnerBefore = () => ({ data: { seen: 1 } })
  hooks.hooks.roomGetOwnerAfter = ({ results }) => ({ results: [...results, 'added'] })
  const { json } = await all.post('execUserCommand', [{ bypassPermissions: true }, 'roomGetOwner', 'r', 'rest'])
  assert.deepEqual(json, { result: 'alice', extra: ['added'] })
  const [before] = hooks.asked('roomGetOwnerBefore')
  assert.deepEqual([before.isLocalCall, before.bypassPermissions, before.bypassHooks, before.args, before.restArgs],
    [true, true, false, ['r'], ['rest']])
  assert.deepEqual(hooks.asked('roomGetOwnerAfter')[0].data, { seen: 1 })
  assert.equal(await all.call('execUserCommand', [{ bypassPermissions: true, bypassHooks: true }, 'roomGetOwner', 'r']), 'alice')
  assert.equal(hooks.calls.length, 2)
})
