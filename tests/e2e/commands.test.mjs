// All 24 commands, on both wires, with results, errors and arguments as the contract lists them.

import assert from 'node:assert/strict'
import { versions } from './support/browser.mjs'
import { chatError } from './support/chat_error.mjs'
import { eventually } from './support/deadline.mjs'
import { scenario } from './support/scenario.mjs'

// command: [arguments that fit, values that do not fit at each position]
const noText = [1, null, true, ['x'], {}]
const noTexts = ['x', 1, null, {}, [1], ['x', null]]
const noBool = ['true', 1, null, []]
const noMessage = ['x', 1, null, true]
const table = {
  directAddToList: [['blacklist', ['x']], noText, noTexts],
  directRemoveFromList: [['blacklist', ['x']], noText, noTexts],
  directGetAccessList: [['blacklist'], noText],
  directSetWhitelistMode: [[false], noBool],
  directGetWhitelistMode: [[]],
  directMessage: [['bob', { a: 1 }], noText, noMessage],
  listOwnSockets: [[]],
  systemMessage: [[{ any: 1 }], []],
  roomCreate: [['den', false], noText, noBool],
  roomDelete: [['den'], noText],
  roomJoin: [['den'], noText],
  roomLeave: [['den'], noText],
  roomMessage: [['den', { a: 1 }], noText, noMessage],
  roomRecentHistory: [['den'], noText],
  roomHistoryGet: [['den', 0, 1], noText, [-1, '0', null, true], [0, 0.5, -1, '1', null]],
  roomHistoryInfo: [['den'], noText],
  roomUserSeen: [['den', 'x'], noText, noText],
  roomGetAccessList: [['den', 'whitelist'], noText, noText],
  roomGetOwner: [['den'], noText],
  roomGetWhitelistMode: [['den'], noText],
  roomNotificationsInfo: [['den'], noText],
  roomAddToList: [['den', 'blacklist', ['x']], noText, noText, noTexts],
  roomRemoveFromList: [['den', 'blacklist', ['x']], noText, noText, noTexts],
  roomSetWhitelistMode: [['den', false], noText, noBool]
}

const callers = [
  ...versions.map(version => [`socket.io ${version}`, world => world.browser('caller', { version })]),
  ['polling', world => world.browser('caller', { version: 2, transports: ['polling'] })],
  ['MQTT 3.1.1', world => world.device('caller')],
  ['MQTT 5 CBOR', world => world.device('caller', { version: 5, encoding: 'cbor' })]
]

scenario('counts and types are checked before anything else', {}, async (world, t) => {
  assert.equal(Object.keys(table).length, 24)
  for (const [name, connect] of callers) {
    await t.test(name, async () => {
      const caller = await connect(world)
      for (const [command, [args, ...wrong]] of Object.entries(table)) {
        if (args.length) {
          await assert.rejects(caller.call(command, ...args.slice(1)),
            chatError('wrongArgumentsCount', args.length, args.length - 1), command)
        }
        for (const [position, values] of wrong.entries()) {
          for (const value of values) {
            const bad = args.map((arg, i) => i === position ? value : arg)
            await assert.rejects(caller.call(command, ...bad), chatError('badArgument', position, value), command)
          }
        }
      }
      await assert.rejects(caller.call('noSuchCommand', 1, 2), chatError('noCommand', 'noSuchCommand'))
      await assert.rejects(caller.call('toString'), chatError('noCommand', 'toString'))
      await assert.rejects(caller.call('RoomJoin', 'den'), chatError('noCommand', 'RoomJoin'))
    })
  }
})

scenario('each command does what the contract says', {
  config: '[chat]\ndirect_list_size_limit = 3\nroom_list_size_limit = 3\n[mqtt]\noffline_grace = 200\n'
}, async (world, t) => {
  const bob = await world.browser('bob')
  for (const [name, connect] of callers) {
    await t.test(name, async () => {
      const caller = await connect(world)
      const room = `room of ${name}`
      const { call } = caller
      const does = async (wanted, command, ...args) =>
        assert.deepEqual(await call.call(caller, command, ...args), wanted, `${command} ${JSON.stringify(args)}`)
      const fails = async (error, command, ...args) =>
        assert.rejects(call.call(caller, command, ...args), chatError(...error), `${command} ${JSON.stringify(args)}`)

      // own lists
      await does(null, 'directAddToList', 'whitelist', ['x', 'y', 'x'])
      await does(null, 'directAddToList', 'whitelist', ['x', 'y', 'z'])
      await fails(['listLimitExceeded', 'whitelist'], 'directAddToList', 'whitelist', ['more'])
      await does(null, 'directRemoveFromList', 'whitelist', ['y', 'not there'])
      assert.deepEqual((await caller.call('directGetAccessList', 'whitelist')).sort(), ['x', 'z'])
      await does(null, 'directRemoveFromList', 'whitelist', ['x', 'z'])
      await does(null, 'directAddToList', 'blacklist', [])
      await does([], 'directGetAccessList', 'whitelist')
      await fails(['noList', 'userlist'], 'directGetAccessList', 'userlist')
      await fails(['noList', 'adminlist'], 'directAddToList', 'adminlist', ['x'])
      await fails(['notAllowed'], 'directAddToList', 'blacklist', ['caller'])
      await does(false, 'directGetWhitelistMode')
      await does(null, 'directSetWhitelistMode', true)
      await does(true, 'directGetWhitelistMode')
      await does(null, 'directSetWhitelistMode', false)
      await does(null, 'systemMessage', { any: ['thing'] })

      // direct messages
      await fails(['noUser', 'nobody here'], 'directMessage', 'nobody here', { a: 1 })
      const message = await caller.call('directMessage', 'bob', { a: 1 })
      assert.deepEqual(message, { a: 1, author: 'caller', timestamp: message.timestamp })
      assert.deepEqual(await bob.notified('directMessage'), [message])

      // rooms
      await fails(['noRoom', room], 'roomJoin', room)
      await fails(['noRoom', room], 'roomDelete', room)
      for (const bad of ['', 'a:b', '{', 'tab\t', 'del\u007f', 'x'.repeat(257)]) {
        await assert.rejects(caller.call('roomCreate', bad, false), /contains invalid characters/)
      }
      await does(null, 'roomCreate', room, false)
      await fails(['roomExists', room], 'roomCreate', room, true)
      await does(0, 'roomLeave', room)
      await does(1, 'roomJoin', room)
      await does(1, 'roomJoin', room)
      await does({ [caller.id]: [room] }, 'listOwnSockets')
      await does(1, 'roomMessage', room, { n: 1, id: 77, author: 'x', timestamp: 5 })
      await does(2, 'roomMessage', room, { n: 2 })
      const history = await caller.call('roomRecentHistory', room)
      assert.deepEqual(history.map(({ timestamp, ...rest }) => rest),
        [{ n: 2, author: 'caller', id: 2 }, { n: 1, author: 'caller', id: 1 }])
      await does([history[1]], 'roomHistoryGet', room, 0, 1)
      await does([history[0]], 'roomHistoryGet', room, 1, 1000)
      const info = await caller.call('roomHistoryInfo', room)
      assert.deepEqual(info, {
        historyMaxGetMessages: 100, historyMaxSize: 10000, historySize: 2, lastMessageId: 2, firstMessageId: 1, epoch: info.epoch
      })
      const seen = await caller.call('roomUserSeen', room, 'caller')
      assert.equal(seen.joined, true)
      assert.ok(Math.abs(Date.now() - seen.timestamp) < 60000)
      await does({ joined: false, timestamp: null }, 'roomUserSeen', room, 'never here')
      await does('caller', 'roomGetOwner', room)
      await does(false, 'roomGetWhitelistMode', room)
      await does({ enableUserlistUpdates: true, enableAccessListsUpdates: false }, 'roomNotificationsInfo', room)

      // lists of the room
      await does(null, 'roomAddToList', room, 'whitelist', ['a', 'b', 'a'])
      await does(null, 'roomAddToList', room, 'whitelist', ['a', 'b', 'c'])
      await fails(['listLimitExceeded', 'whitelist'], 'roomAddToList', room, 'whitelist', ['d'])
      assert.deepEqual((await caller.call('roomGetAccessList', room, 'whitelist')).sort(), ['a', 'b', 'c'])
      await does(null, 'roomRemoveFromList', room, 'whitelist', ['a', 'b', 'nobody'])
      await does(['c'], 'roomGetAccessList', room, 'whitelist')
      await does(['caller'], 'roomGetAccessList', room, 'userlist')
      await does([], 'roomGetAccessList', room, 'adminlist')
      await fails(['noList', 'greylist'], 'roomGetAccessList', room, 'greylist')
      await fails(['noList', 'greylist'], 'roomAddToList', room, 'greylist', ['a'])
      await fails(['notAllowed'], 'roomRemoveFromList', room, 'userlist', ['caller'])
      await does(null, 'roomSetWhitelistMode', room, true)
      await does(true, 'roomGetWhitelistMode', room)
      await assert.rejects(bob.call('roomJoin', room), chatError('notAllowed'))

      await does(0, 'roomLeave', room)
      await fails(['notJoined', room], 'roomMessage', room, { a: 1 })
      await does(false, 'directGetWhitelistMode')
      assert.equal((await caller.call('roomUserSeen', room, 'caller')).joined, false)
      await does(null, 'roomDelete', room)
      await fails(['noRoom', room], 'roomGetOwner', room)
      for (const [command, [args]] of Object.entries(table)) {
        if (!command.startsWith('room') || command === 'roomCreate') continue
        await fails(['noRoom', 'nowhere'], command, 'nowhere', ...args.slice(1))
      }
      const id = caller.id
      if (caller.leave) await caller.leave()
      else caller.close()
      const later = await world.browser('caller')
      await eventually(async () => !(id in await later.call('listOwnSockets')), 'the end of the connection')
      later.close()
    })
  }
})

scenario('rest arguments are kept and do no harm', { mqtt: false }, async world => {
  const alice = await world.browser('alice', { version: 2 })
  await alice.call('roomCreate', 'den', false, 'extra', { any: 1 })
  assert.deepEqual(await alice.results('roomGetOwner', 'den', 'extra'), ['alice'])
  assert.deepEqual(await alice.results('roomLeave', 'den', null), [0])
})

scenario('nothing to tell is null, and an ack is not needed', { mqtt: false }, async world => {
  for (const version of versions) {
    const alice = await world.browser('alice', { version })
    const other = await world.browser('alice', { version })
    assert.deepEqual(await alice.results('directSetWhitelistMode', false), [null])
    alice.socket.emit('systemMessage', 'no ack')
    assert.deepEqual(await other.notified('systemMessage'), ['no ack'])
    alice.socket.emit('noSuchCommand', 'no ack')
    alice.socket.emit('roomJoin')
    await alice.call('systemMessage', null)
    assert.deepEqual(await other.notified('systemMessage'), [null])
    assert.deepEqual(alice.waiting('systemMessage'), [])
  }
})

scenario('rooms are managed by clients only where the configuration says so', {
  config: '[chat]\nenable_rooms_management = false\n[[room]]\nname = "lobby"\n'
}, async world => {
  for (const client of [await world.browser('alice'), await world.device('bob')]) {
    await assert.rejects(client.call('roomCreate', 'den', false), chatError('notAllowed'))
    await assert.rejects(client.call('roomDelete', 'lobby'), chatError('notAllowed'))
    assert.equal(await client.call('roomJoin', 'lobby'), 1)
    assert.equal(await client.call('roomGetOwner', 'lobby'), null)
  }
})

scenario('the text format takes one text and nothing else', { config: '[chat]\nmessage_format = "text"\n' }, async world => {
  const alice = await world.browser('alice')
  const device = await world.device('bob')
  await alice.call('roomCreate', 'den', false)
  for (const client of [alice, device]) {
    await client.call('roomJoin', 'den')
    assert.ok(await client.call('roomMessage', 'den', { textMessage: '' }) > 0)
    for (const bad of [{ text: 'x' }, { textMessage: 'x', more: 1 }, { textMessage: 1 }, {}]) {
      await assert.rejects(client.call('roomMessage', 'den', bad), chatError('badArgument', 1, bad))
      await assert.rejects(client.call('directMessage', 'alice', bad), chatError('badArgument', 1, bad))
    }
  }
})

scenario('errors are objects where the configuration says so', {
  config: '[chat]\nuse_raw_error_objects = true\n'
}, async world => {
  for (const version of versions) {
    const alice = await world.browser('alice', { version })
    const error = await alice.call('roomJoin', 'nowhere').catch(e => e.wire)
    assert.deepEqual(error, { name: 'ChatServiceError', code: 'noRoom', args: ['nowhere'] })
  }
})
