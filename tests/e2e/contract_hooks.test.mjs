// What the contract says about hooks, as clients and a hook server over HTTP or MQTT see it. Each title begins with the
// ids of the statements that it proves (tests/contract_statements). Contract §7.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import test from 'node:test'
import { apis, withKeys } from './support/api.mjs'
import { Browser } from './support/browser.mjs'
import { ChatError, chatError, errorText } from './support/chat_error.mjs'
import { eventually, within } from './support/deadline.mjs'
import { ending } from './support/ending.mjs'
import { HookServer, lies } from './support/hook_server.mjs'
import { held, hooked, worked } from './support/hooked.mjs'
import { freePort, startRoombus } from './support/roombus.mjs'

const LIMIT_MS = 1000
const soon = `timeout_ms = ${LIMIT_MS}`
/** Ways not to answer, in time or at all: for command hooks, and for those that look at `error` alone. */
const silence = Object.keys(lies)
const verdictLies = { ...lies, wrongTypes: response => response.end('{"error":7}') }

/** The error that a login is rejected with. */
async function rejection (service, options) {
  const one = new Browser(service, options)
  try {
    const { name, args } = await one.received.take(i => i.name.startsWith('login'), 'answer to the login')
    assert.equal(name, 'loginRejected')
    return args[0]
  } finally {
    one.close()
  }
}

/** What a room has stored. */
const stored = async browser => (await browser.call('roomHistoryInfo', 'default')).lastMessageId

// --- commands: before

// one working call for each command, in an order in which they work
const everyCommand = [
  ['directAddToList', 'whitelist', ['bob']], ['directRemoveFromList', 'whitelist', ['bob']],
  ['directGetAccessList', 'whitelist'], ['directSetWhitelistMode', false], ['directGetWhitelistMode'],
  ['directMessage', 'bob', { a: 1 }], ['listOwnSockets'], ['systemMessage', 1],
  ['roomCreate', 'r', false], ['roomJoin', 'r'], ['roomMessage', 'r', { a: 1 }], ['roomRecentHistory', 'r'],
  ['roomHistoryGet', 'r', 0, 10], ['roomHistoryInfo', 'r'], ['roomUserSeen', 'r', 'alice'],
  ['roomGetAccessList', 'r', 'userlist'], ['roomGetOwner', 'r'], ['roomGetWhitelistMode', 'r'],
  ['roomNotificationsInfo', 'r'], ['roomAddToList', 'r', 'blacklist', ['eve']],
  ['roomRemoveFromList', 'r', 'blacklist', ['eve']], ['roomSetWhitelistMode', 'r', true], ['roomLeave', 'r'], ['roomDelete', 'r']
]

hooked('7.1 every command has a before and an after hook, and each is asked once', {
  hooks: everyCommand.flatMap(([command]) => [`${command}Before`, `${command}After`])
}, async ({ server, browser }) => {
  assert.equal(new Set(everyCommand.map(([command]) => command)).size, 24)
  const alice = await browser('alice')
  await browser('bob')
  for (const [command, ...args] of everyCommand) {
    await alice.results(command, ...args)
    assert.deepEqual(server.calls.splice(0).map(({ hook, body }) => [hook, body.command, body.args]),
      [[`${command}Before`, command, args], [`${command}After`, command, args]])
  }
})

hooked('7.2 arguments are checked before the hook is asked', { hooks: ['roomMessageBefore', 'roomMessageAfter'] }, async ({ server, browser }) => {
  const alice = await browser('alice')
  await assert.rejects(alice.call('roomMessage', 'default'), chatError('wrongArgumentsCount', 2, 1))
  await assert.rejects(alice.call('roomMessage', 'default', 7), chatError('badArgument', 1, 7))
  await assert.rejects(alice.call('roomMessage', 1, {}), chatError('badArgument', 0, 1))
  assert.deepEqual(server.calls, [])
})

hooked('7.3 the command works with the arguments that the before hook answers', { hooks: ['roomMessageBefore', 'roomRecentHistoryBefore'] }, async ({ server, browser }) => {
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  server.hooks.roomMessageBefore = ({ args: [room, message] }) => ({ args: [room, { clean: message.dirty }] })
  assert.equal(await alice.call('roomMessage', 'default', { dirty: 5 }), 1)
  const { clean, dirty } = await alice.message('default')
  assert.deepEqual([clean, dirty], [5, undefined])
  // the command's own arguments leave the rest as it was; with more, the rest is replaced
  server.hooks.roomRecentHistoryBefore = ({ args }) => ({ args })
  assert.equal((await alice.results('roomRecentHistory', 'default', {})).length, 2)
  server.hooks.roomRecentHistoryBefore = ({ args }) => ({ args: [...args, null] })
  assert.equal((await alice.results('roomRecentHistory', 'default', {})).length, 1)
})

hooked('7.4 changed arguments are checked again, by the checker too', { hooks: ['roomMessageBefore', 'roomMessageAfter', 'roomMessagesChecker'] }, async ({ server, browser }) => {
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  const changed = args => { server.hooks.roomMessageBefore = () => ({ args }) }
  server.hooks.roomMessagesChecker = ({ message }) => message.bad ? { error: { code: 'tooBad' } } : {}
  changed(['default'])
  await assert.rejects(alice.call('roomMessage', 'default', {}), chatError('wrongArgumentsCount', 2, 1))
  changed([1, {}])
  await assert.rejects(alice.call('roomMessage', 'default', {}), chatError('badArgument', 0, 1))
  changed(['default', { bad: 1 }])
  await assert.rejects(alice.call('roomMessage', 'default', {}), chatError('tooBad'))
  changed(['default', { good: 1 }])
  assert.equal(await alice.call('roomMessage', 'default', {}), 1)
  assert.equal(server.asked('roomMessageAfter').length, 1)
})

hooked('7.5 7.6 a before hook ends the command with results or an error, and nothing is done', {
  hooks: ['roomMessageBefore', 'roomCreateBefore'], ...withKeys
}, async ({ server, service, browser }) => {
  const alice = await browser('alice')
  const bob = await browser('bob')
  for (const one of [alice, bob]) await one.call('roomJoin', 'default')
  const says = answer => { server.hooks.roomMessageBefore = server.hooks.roomCreateBefore = () => answer }
  const cases = [
    [{ results: [42, 'more'] }, [42, 'more']],
    [{ results: [] }, [null]],
    [{ error: { code: 'notAllowed' } }, chatError('notAllowed')],
    [{ error: { code: 'teapot', args: [418] } }, chatError('teapot')],
    [{ error: 'come back tomorrow' }, error => error.message === 'come back tomorrow']
  ]
  for (const [answer, outcome] of cases) {
    says(answer)
    for (const call of [['roomMessage', 'default', { n: 1 }], ['roomCreate', 'made', false]]) {
      if (Array.isArray(outcome)) assert.deepEqual(await alice.results(...call), outcome)
      else await assert.rejects(alice.call(...call), outcome)
    }
  }
  says({})
  assert.equal(await alice.call('roomMessage', 'default', { n: 2 }), 1)
  assert.equal((await bob.message('default')).n, 2, 'the first that bob gets')
  assert.equal(await apis(service).all.call('hasRoom', ['made']), false)
})

// --- commands: after

hooked('7.7 data goes from before to after', { hooks: ['listOwnSocketsBefore', 'listOwnSocketsAfter'] }, async ({ server, browser }) => {
  const alice = await browser('alice')
  server.hooks.listOwnSocketsBefore = () => ({ data: { began: 7, in: { depth: [1] } } })
  await alice.call('listOwnSockets')
  assert.deepEqual(server.asked('listOwnSocketsBefore')[0].data, {})
  assert.deepEqual(server.asked('listOwnSocketsAfter')[0].data, { began: 7, in: { depth: [1] } })
})

hooked('7.8 7.9 after is asked when the work was attempted, with its results or its error', {
  hooks: ['roomMessageBefore', 'roomMessageAfter']
}, async ({ server, browser }) => {
  const alice = await browser('alice')
  const bob = await browser('bob')
  await alice.call('roomJoin', 'default')
  const asked = () => server.calls.splice(0).filter(({ hook }) => hook === 'roomMessageAfter').map(({ body }) => [body.userName, body.results, body.error])
  await alice.call('roomMessage', 'default', {})
  assert.deepEqual(asked(), [['alice', [1], null]])
  await assert.rejects(bob.call('roomMessage', 'default', {}), chatError('notJoined', 'default'))
  assert.deepEqual(asked(), [['bob', null, { name: 'ChatServiceError', code: 'notJoined', args: ['default'] }]])
  // not attempted: wrong arguments, ended before, changed to wrong ones
  await assert.rejects(alice.call('roomMessage', 'default', 7), ChatError)
  for (const answer of [{ results: [1] }, { error: 'no' }, { args: [1] }, () => lies.status]) {
    server.hooks.roomMessageBefore = typeof answer === 'function' ? answer : () => answer
    await alice.call('roomMessage', 'default', {}).catch(error => assert.ok(error instanceof ChatError))
  }
  assert.deepEqual(asked(), [])
})

hooked('7.10 7.11 7.12 after replaces results and errors in the reply and adds results, and never undoes or does anything', {
  hooks: ['roomMessageAfter']
}, async ({ server, browser }) => {
  const alice = await browser('alice')
  const bob = await browser('bob')
  await alice.call('roomJoin', 'default')
  const says = answer => { server.hooks.roomMessageAfter = () => answer }
  says({ results: [1, 'added'] })
  assert.deepEqual(await alice.results('roomMessage', 'default', { n: 1 }), [1, 'added'])
  says({ error: { code: 'regret' } })
  await assert.rejects(alice.call('roomMessage', 'default', { n: 2 }), chatError('regret'))
  await assert.rejects(bob.call('roomMessage', 'default', { n: 3 }), chatError('regret'), 'an error by another')
  says({ results: ['fine'] })
  assert.deepEqual(await bob.results('roomMessage', 'default', { n: 4 }), ['fine'], 'an error by results')
  says({ args: ['other', {}], data: { x: 1 } })
  assert.equal(await alice.call('roomMessage', 'default', { n: 5 }), 3, 'what only before may say counts for nothing')
  assert.deepEqual((await alice.call('roomRecentHistory', 'default')).map(m => [m.id, m.n]), [[3, 5], [2, 2], [1, 1]])
})

hooked('7.13 without an answer of after the reply is the command\'s own', { hooks: ['roomMessageAfter'], more: soon }, async ({ server, browser }) => {
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  for (const [i, lie] of silence.entries()) {
    server.hooks.roomMessageAfter = () => lies[lie]
    assert.deepEqual(await alice.results('roomMessage', 'default', {}), [i + 1], lie)
  }
})

// --- no answer

hooked('7.14 7.38 a before hook that does not answer in time: unavailable within the time limit, nothing done', {
  hooks: ['roomMessageBefore'], more: soon
}, async ({ server, browser }) => {
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  for (const lie of silence) {
    server.hooks.roomMessageBefore = () => lies[lie]
    const begin = performance.now()
    await assert.rejects(alice.call('roomMessage', 'default', {}), chatError('unavailable'), lie)
    if (lie === 'silent') assert.ok(performance.now() - begin >= LIMIT_MS - 20, 'it had its time')
  }
  assert.equal(await stored(alice), 0)
  server.hooks = {}
  assert.equal(await alice.call('roomMessage', 'default', {}), 1, 'and works again when the server does')
})

hooked('7.15 an onConnect that does not answer in time lets nobody in: unavailable', { hooks: ['onConnect'], more: soon, dev: false }, async ({ server, service }) => {
  for (const lie of silence) {
    server.hooks.onConnect = () => verdictLies[lie]
    assert.equal(await rejection(service, { query: {} }), errorText('unavailable'), lie)
  }
})

hooked('7.16 an onJoin that does not answer in time: unavailable, and not joined', { hooks: ['onJoin'], more: soon }, async ({ server, browser }) => {
  const alice = await browser('alice')
  for (const lie of silence) {
    server.hooks.onJoin = () => verdictLies[lie]
    await assert.rejects(alice.call('roomJoin', 'default'), chatError('unavailable'), lie)
  }
  assert.deepEqual(await alice.call('listOwnSockets'), { [alice.id]: [] })
  await assert.rejects(alice.call('roomMessage', 'default', {}), chatError('notJoined', 'default'))
})

hooked('7.17 late answers are dropped', { hooks: ['roomMessageBefore', 'onJoin'], more: soon }, async ({ server, browser }) => {
  const alice = await browser('alice')
  const [join, message] = [held(), held()]
  server.hooks.onJoin = () => join.answer
  await assert.rejects(alice.call('roomJoin', 'default'), chatError('unavailable'))
  join.give({})
  assert.deepEqual(await alice.call('listOwnSockets'), { [alice.id]: [] })
  server.hooks.onJoin = undefined
  await alice.call('roomJoin', 'default')
  server.hooks.roomMessageBefore = () => message.answer
  await assert.rejects(alice.call('roomMessage', 'default', { n: 1 }), chatError('unavailable'))
  message.give({ results: ['late'] })
  server.hooks.roomMessageBefore = ({ args: [room, { n }] }) => ({ args: [room, { n, asked: true }] })
  assert.equal(await alice.call('roomMessage', 'default', { n: 2 }), 1, 'not the answer to the one before')
  const { n, asked } = await alice.message('default')
  assert.deepEqual([n, asked], [2, true])
})

hooked('7.39 reject or continue is told for all hooks and for single ones', {
  hooks: ['roomMessageBefore', 'roomJoinBefore', 'onJoin'],
  more: `${soon}\non_failure = "reject"\n[hooks.http.policy]\nroomMessageBefore = "continue"\nonJoin = "continue"`
}, async ({ server, browser }) => {
  const alice = await browser('alice')
  server.hooks.roomJoinBefore = () => lies.status
  await assert.rejects(alice.call('roomJoin', 'default'), chatError('unavailable'))
  server.hooks.roomJoinBefore = undefined
  server.hooks.onJoin = () => lies.silent
  assert.equal(await alice.call('roomJoin', 'default'), 1)
  for (const [i, lie] of silence.entries()) {
    server.hooks.roomMessageBefore = () => lies[lie]
    assert.equal(await alice.call('roomMessage', 'default', {}), i + 1, lie)
  }
})

// --- what hooks are told

hooked('7.18 idempotency is decided in the append, after the before hook', { hooks: ['roomMessageBefore', 'roomMessageAfter'] }, async ({ server, browser }) => {
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  server.hooks.roomMessageBefore = ({ args: [room, { n }] }) => ({ args: [room, { n: n * 10 }] })
  assert.equal(await alice.call('roomMessage', 'default', { n: 1 }, { idempotencyKey: 'k' }), 1)
  assert.equal(await alice.call('roomMessage', 'default', { n: 2 }, { idempotencyKey: 'k' }), 1, 'a repeat, whatever it says')
  assert.equal(await alice.call('roomMessage', 'default', { n: 3 }), 2)
  assert.deepEqual([(await alice.message('default')).n, (await alice.message('default')).n], [10, 30])
  assert.equal(server.asked('roomMessageBefore').length, 3, 'the repeat is asked about')
  assert.deepEqual(server.asked('roomMessageAfter').map(body => body.results), [[1], [1], [2]])
})

hooked('7.19 7.36 a hook gets the context of its command as a JSON body, POSTed to its address', { hooks: ['roomRecentHistoryBefore', 'roomRecentHistoryAfter'] }, async ({ server, service, browser }) => {
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  await alice.results('roomRecentHistory', 'default', 1, 'x')
  const context = {
    instance: service.instance,
    userName: 'alice',
    id: alice.id,
    command: 'roomRecentHistory',
    args: ['default'],
    restArgs: [1, 'x'],
    results: null,
    error: null,
    isLocalCall: false,
    bypassPermissions: false,
    bypassHooks: false,
    data: {}
  }
  assert.deepEqual(server.calls.map(call => [call.hook, call.headers['content-type'], call.body]), [
    ['roomRecentHistoryBefore', 'application/json', { ...context, hook: 'roomRecentHistoryBefore' }],
    ['roomRecentHistoryAfter', 'application/json', { ...context, hook: 'roomRecentHistoryAfter', results: [[]] }]
  ])
  assert.equal(server.connections, 1)
})

hooked('7.20 8.4 hooks are told of local calls and bypassed permissions, and are not asked with bypassHooks', {
  hooks: ['roomGetOwnerBefore', 'roomGetOwnerAfter'], ...withKeys
}, async ({ server, service, browser }) => {
  const { all } = apis(service)
  const alice = await browser('alice')
  await all.call('addRoom', { room: 'r', state: { owner: 'alice' } })
  const told = () => server.calls.splice(0).map(({ hook, body }) => [hook, body.userName, body.isLocalCall, body.bypassPermissions, body.bypassHooks])
  const both = (...fields) => ['roomGetOwnerBefore', 'roomGetOwnerAfter'].map(hook => [hook, ...fields])
  await alice.call('roomGetOwner', 'r')
  assert.deepEqual(told(), both('alice', false, false, false))
  await all.call('execUserCommand', ['alice', 'roomGetOwner', 'r'])
  assert.deepEqual(told(), both('alice', true, false, false))
  await all.call('execUserCommand', [true, 'roomGetOwner', 'r'])
  assert.deepEqual(told(), both(null, true, true, false))
  server.hooks.roomGetOwnerBefore = () => ({ error: 'never' })
  assert.equal(await all.call('execUserCommand', [{ userName: 'alice', bypassHooks: true }, 'roomGetOwner', 'r']), 'alice')
  assert.deepEqual(told(), [])
})

// --- logins and ends

hooked('7.21 7.22 7.23 onConnect gets the handshake and tells user and auth data, or why not', { hooks: ['onConnect'], dev: false }, async ({ server, service, browser }) => {
  server.hooks.onConnect = ({ handshake: { query: { token } } }) => ({
    good: { userName: 'alice', authData: { role: 'cook', level: [1] } },
    wrong: { error: { code: 'notAllowed' } },
    banned: { error: 'come back tomorrow' },
    silly: { userName: 'a:b' }
  })[token] ?? {}
  const alice = await browser(undefined, { query: { token: 'good' }, auth: { more: 1 } })
  assert.deepEqual(alice.authData, { role: 'cook', level: [1], id: alice.id })
  assert.deepEqual(await alice.call('listOwnSockets'), { [alice.id]: [] })
  const [{ handshake, ...rest }] = server.asked('onConnect')
  assert.deepEqual(rest, { hook: 'onConnect', instance: service.instance, id: alice.id, transport: 'socket.io' })
  assert.equal(handshake.query.token, 'good')
  assert.deepEqual(handshake.auth, { more: 1 })
  assert.equal(handshake.address, '127.0.0.1')
  assert.equal(handshake.headers.host, service.http)
  assert.equal(await rejection(service, { query: {} }), errorText('noLogin'))
  assert.equal(await rejection(service, { query: { token: 'wrong' } }), errorText('notAllowed'))
  assert.equal(await rejection(service, { query: { token: 'banned' } }), 'come back tomorrow')
  assert.equal(await rejection(service, { query: { token: 'silly' } }), errorText('invalidName', ['a:b']))
})

hooked('7.24 onDisconnect tells what a connection has left', { hooks: ['onDisconnect'], mqtt: true }, async ({ server, service, browser, device }) => {
  const first = await browser('alice')
  const second = await browser('alice')
  await first.call('roomCreate', 'r', false)
  for (const one of [first, second]) await one.call('roomJoin', 'default')
  await first.call('roomJoin', 'r')
  const told = async one => {
    await within(one, 'onDisconnect')
    const [{ roomsRemoved, joinedSockets, ...rest }] = server.asked('onDisconnect').slice(-1)
    return { ...rest, left: Object.fromEntries(roomsRemoved.map((room, i) => [room, joinedSockets[i]])) }
  }
  const next = () => new Promise(resolve => { server.hooks.onDisconnect = () => { resolve(); return {} } })
  const fields = { hook: 'onDisconnect', instance: service.instance }
  let asked = next()
  first.close()
  assert.deepEqual(await told(asked), { ...fields, userName: 'alice', id: first.id, nconnected: 1, left: { default: 1, r: 0 } })
  asked = next()
  second.drop()
  assert.deepEqual(await told(asked), { ...fields, userName: 'alice', id: second.id, nconnected: 0, left: { default: 0 } })
  const sensor = await device('sensor')
  await sensor.call('roomJoin', 'default')
  asked = next()
  await sensor.leave()
  assert.deepEqual(await told(asked), { ...fields, userName: 'sensor', id: sensor.id, nconnected: 0, left: { default: 0 } })
})

// --- rooms

hooked('7.25 7.26 onJoin and onLeave tell connection, room and how many of the user are joined', {
  hooks: ['onJoin', 'onLeave'], ...withKeys
}, async ({ server, service, browser }) => {
  const { all } = apis(service)
  const first = await browser('alice')
  const second = await browser('alice')
  const told = () => server.calls.splice(0).map(({ body }) => body)
  const change = (hook, { id }, njoined) => ({ hook, instance: service.instance, userName: 'alice', id, roomName: 'default', njoined })
  await first.call('roomJoin', 'default')
  await second.call('roomJoin', 'default')
  await second.call('roomJoin', 'default')
  assert.deepEqual(told(), [change('onJoin', first, 1), change('onJoin', second, 2)], 'joining again is no join')
  await first.call('roomLeave', 'default')
  await first.call('roomLeave', 'default')
  assert.deepEqual(told(), [change('onLeave', first, 1)], 'leaving twice is one leave')
  await all.call('execUserCommand', [true, 'roomAddToList', 'default', 'blacklist', ['alice']])
  assert.deepEqual(told(), [change('onLeave', second, 0)], 'removed is left')
})

hooked('7.27 a failing onJoin rolls the join back: list, history, notifications, for browsers and devices', { hooks: ['onJoin'], mqtt: true }, async ({ server, browser, device }) => {
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  const bob = await browser('bob')
  const echoed = await browser('bob')
  const sensor = await device('sensor')
  server.hooks.onJoin = () => ({ error: { code: 'full', args: [1] } })
  for (const one of [bob, sensor]) {
    await assert.rejects(one.call('roomJoin', 'default'), error => error.message === errorText('full'))
    await assert.rejects(one.call('roomMessage', 'default', {}), chatError('notJoined', 'default'))
    assert.deepEqual(await one.call('listOwnSockets').then(all => all[one.id]), [])
  }
  assert.deepEqual(await alice.call('roomGetAccessList', 'default', 'userlist'), ['alice'])
  await alice.call('roomMessage', 'default', { n: 1 })
  await alice.message('default')
  server.hooks.onJoin = undefined
  for (const one of [bob, sensor]) assert.equal(await one.call('roomJoin', 'default'), 1)
  await alice.call('roomMessage', 'default', { n: 2 })
  for (const one of [bob, sensor]) assert.equal((await one.message('default')).n, 2, 'the first that it gets')
  for (const user of ['bob', 'sensor']) await alice.notified('roomUserJoined', (room, who) => who === user)
  assert.deepEqual(alice.waiting('roomUserJoined').filter(([, who]) => who !== 'alice'), [], 'told once for each')
  assert.deepEqual(alice.waiting('roomUserLeft'), [])
  assert.equal((await echoed.notified('roomJoinedEcho'))[2], 1)
  assert.deepEqual([...echoed.waiting('roomJoinedEcho'), ...echoed.waiting('roomLeftEcho')], [])
})

hooked('7.28 nothing of the room reaches a connection before its onJoin succeeded', { hooks: ['onJoin'], mqtt: true }, async ({ server, browser, device }) => {
  const bob = await browser('bob')
  await bob.call('roomJoin', 'default')
  for (const joiner of [await browser('alice'), await device('sensor')]) {
    const decision = held()
    const asked = new Promise(resolve => { server.hooks.onJoin = () => { resolve(); return decision.answer } })
    const joining = joiner.call('roomJoin', 'default')
    await within(asked, 'onJoin')
    await bob.call('roomMessage', 'default', { early: joiner.user })
    await bob.message('default')
    // a device's requests run one after the other, so it cannot ask meanwhile
    if (joiner.socket) await assert.rejects(joiner.call('roomMessage', 'default', {}), chatError('notJoined', 'default'))
    assert.ok(!(await bob.call('roomGetAccessList', 'default', 'userlist')).includes(joiner.user))
    assert.deepEqual(bob.waiting('roomUserJoined').filter(([, who]) => who === joiner.user), [])
    decision.give({})
    assert.equal(await joining, 1)
    await bob.call('roomMessage', 'default', { late: joiner.user })
    await bob.message('default')
    assert.equal((await joiner.message('default')).late, joiner.user, 'the first that it gets')
  }
})

hooked('7.29 a leave of the connection waits for its running join, one of another connection or room does not', { hooks: ['onJoin', 'onLeave'] }, async ({ server, browser }) => {
  const alice = await browser('alice')
  const other = await browser('alice')
  await alice.call('roomCreate', 'r', false)
  await alice.call('roomJoin', 'r')
  await other.call('roomJoin', 'default')
  const decision = held()
  const asked = new Promise(resolve => { server.hooks.onJoin = () => { resolve(); return decision.answer } })
  const order = []
  const noting = (name, reply) => reply.then(answer => { order.push([name, answer]) })
  const joining = noting('join', alice.call('roomJoin', 'default'))
  await within(asked, 'onJoin')
  const leaving = noting('leave', alice.call('roomLeave', 'default'))
  assert.equal(await alice.call('roomLeave', 'r'), 0)
  assert.equal(await other.call('roomLeave', 'default'), 0)
  assert.deepEqual(order, [])
  decision.give({})
  await joining
  await leaving
  assert.deepEqual(order, [['join', 1], ['leave', 0]])
  assert.deepEqual(server.asked('onLeave').map(body => [body.id, body.roomName]), [[alice.id, 'r'], [other.id, 'default'], [alice.id, 'default']])
})

// --- checkers

hooked('7.33 roomMessagesChecker decides in place of the format, and only about rooms', {
  hooks: ['roomMessagesChecker'], args: ['--chat.message_format', 'text']
}, async ({ server, service, browser }) => {
  const alice = await browser('alice')
  const bob = await browser('bob')
  await alice.call('roomJoin', 'default')
  server.hooks.roomMessagesChecker = ({ message }) => message.html ? {} : { error: { code: 'badArgument', args: [1, message] } }
  assert.equal(await alice.call('roomMessage', 'default', { html: '<b>', more: 1 }), 1)
  await assert.rejects(alice.call('roomMessage', 'default', { textMessage: 'x' }), chatError('badArgument', 1, { textMessage: 'x' }))
  await assert.rejects(alice.call('roomMessage', 'default', 7), chatError('badArgument', 1, 7))
  assert.deepEqual(server.calls.map(({ body }) => body), [{ html: '<b>', more: 1 }, { textMessage: 'x' }]
    .map(message => ({ hook: 'roomMessagesChecker', instance: service.instance, message })))
  await assert.rejects(alice.call('directMessage', 'bob', { html: '<b>' }), chatError('badArgument', 1, { html: '<b>' }))
  await alice.call('directMessage', 'bob', { textMessage: 'y' })
  assert.equal((await bob.notified('directMessage'))[0].textMessage, 'y')
})

hooked('7.34 directMessagesChecker decides about direct messages, and only about them', {
  hooks: ['directMessagesChecker'], args: ['--chat.message_format', 'text']
}, async ({ server, browser }) => {
  const alice = await browser('alice')
  const bob = await browser('bob')
  await alice.call('roomJoin', 'default')
  server.hooks.directMessagesChecker = ({ message }) => message.rude ? { error: { code: 'tooRude' } } : {}
  await alice.call('directMessage', 'bob', { kind: 1 })
  assert.equal((await bob.notified('directMessage'))[0].kind, 1)
  await assert.rejects(alice.call('directMessage', 'bob', { rude: 1 }), chatError('tooRude'))
  await assert.rejects(alice.call('roomMessage', 'default', { kind: 1 }), chatError('badArgument', 1, { kind: 1 }))
  assert.deepEqual(server.calls.map(({ body }) => body.message), [{ kind: 1 }, { rude: 1 }])
})

// --- start and end

/** A hook server for tests that start and stop the service themselves. */
async function withServer (hooks, body) {
  const server = await new HookServer().start()
  try {
    await body(server, { mqtt: false, config: `[hooks.http]\nurl = "${server.url}"\nhooks = ${JSON.stringify(hooks)}\n` })
  } finally {
    await server.kill()
  }
}

/** Whether somebody listens there. */
async function listens (port) {
  const socket = new Socket()
  const outcome = Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false, () => false)])
  socket.on('error', () => {})
  socket.connect(port, '127.0.0.1')
  try { return await within(outcome, 'an answer to the connection') } catch { return false } finally { socket.destroy() }
}

test('7.30 nobody is served before onStart has answered, and then everybody is', { timeout: 60000 }, () => withServer(['onStart'], async (server, options) => {
  const [decision, port] = [held(), await freePort()]
  const asked = new Promise(resolve => { server.hooks.onStart = body => { resolve(body); return decision.answer } })
  let ready = false
  const starting = startRoombus({ ...options, http: `127.0.0.1:${port}`, ...withKeys }).then(service => { ready = true; return service })
  starting.catch(() => {})
  const { admin } = await within(asked, 'onStart')
  assert.equal(await listens(port), false)
  // the hook itself may use the server API, to prepare rooms
  const { all } = apis({ admin })
  await all.call('addRoom', ['prepared', { owner: 'alice' }])
  assert.equal((await fetch(`http://${admin}/readyz`)).status, 503)
  assert.equal(ready, false)
  decision.give({})
  const service = await starting
  try {
    assert.equal(await listens(port), true)
    const alice = await Browser.connect(service, { user: 'alice' })
    assert.equal(await alice.call('roomGetOwner', 'prepared'), 'alice')
    alice.close()
  } finally {
    assert.deepEqual(await service.stop(), { code: 0, signal: null })
  }
}))

test('7.31 a failing onStart ends the start', { timeout: 60000 }, () => withServer(['onStart'], async (server, options) => {
  for (const [answer, told] of [[{ error: 'not today' }, 'not today'], [{ error: { code: 'unavailable' } }, 'unavailable'], [lies.garbage, 'unavailable']]) {
    server.hooks.onStart = () => answer
    await assert.rejects(startRoombus(options), error => {
      assert.match(error.message, /ended before it was ready \(1\)/)
      assert.ok(error.message.includes(told), told)
      return true
    })
  }
}))

test('7.32 onClose is asked at the end, knows of what did not end in time, and may call it a failure', { timeout: 60000 }, () => withServer(['onClose', 'listOwnSocketsBefore'], async (server, options) => {
  const closing = (answer, before = async () => {}) => ending(async ends => {
    server.hooks.onClose = () => answer
    const service = ends(await startRoombus({ ...options, args: ['--chat.close_timeout', '1000'] }), service => service.stop())
    await before(service)
    const { code } = await service.stop()
    return [server.asked('onClose').at(-1).error?.code ?? null, code]
  })
  assert.deepEqual(await closing({}), [null, 0])
  assert.deepEqual(await closing({ error: 'oh no' }), [null, 1])
  const stuck = held()
  const asked = new Promise(resolve => { server.hooks.listOwnSocketsBefore = () => { resolve(); return stuck.answer } })
  const stay = async service => {
    const alice = await Browser.connect(service, { user: 'alice' })
    alice.call('listOwnSockets').catch(() => {})
    await within(asked, 'a command that does not end')
  }
  assert.deepEqual(await closing({}, stay), ['timeout', 1])
  stuck.give({})
}))

test('7.32 onClose comes last, when commands have ended and everybody has left', { timeout: 60000 }, () => withServer(['listOwnSocketsBefore', 'onLeave', 'onDisconnect', 'onClose'], (server, options) => ending(async ends => {
  const service = ends(await startRoombus(options), service => service.stop())
  const alice = ends(await Browser.connect(service, { user: 'alice' }), alice => alice.close())
  await alice.call('roomJoin', 'default')
  const decision = held()
  const asked = new Promise(resolve => { server.hooks.listOwnSocketsBefore = () => { resolve(); return decision.answer } })
  const running = alice.call('listOwnSockets')
  await within(asked, 'the command at work')
  service.child.kill('SIGTERM')
  await eventually(() => alice.call('roomGetOwner', 'default').then(() => false, error => chatError('unavailable')(error)), 'the drain')
  decision.give({})
  assert.deepEqual(await running, { [alice.id]: ['default'] })
  assert.deepEqual(await within(service.exited, 'the end'), { code: 0, signal: null })
  assert.deepEqual(server.calls.map(({ hook }) => hook).slice(-3), ['onLeave', 'onDisconnect', 'onClose'])
})))

// --- the same over MQTT

worked('7.3 7.37 over MQTT: the command works with the arguments that the worker answers', ['roomMessageBefore'], async ({ answers, worker, browser, device, service }) => {
  answers.roomMessageBefore = ({ args: [room, { n }] }) => ({ args: [room, { n: n * 10 }] })
  const alice = await browser('alice')
  const sensor = await device('sensor')
  for (const one of [alice, sensor]) await one.call('roomJoin', 'default')
  assert.equal(await alice.call('roomMessage', 'default', { n: 1 }), 1)
  assert.equal(await sensor.call('roomMessage', 'default', { n: 2 }), 2)
  for (const one of [alice, sensor]) assert.deepEqual([(await one.message('default')).n, (await one.message('default')).n], [10, 20])
  const [{ body, properties }] = worker.asked
  assert.equal(body.replyTo, properties.responseTopic)
  assert.ok(properties.responseTopic.startsWith(`roombus/hook/reply/${service.instance}/`))
  assert.ok(properties.correlationData.length > 0)
  assert.deepEqual([body.hook, body.instance, body.userName, body.id, body.args, body.results, body.error],
    ['roomMessageBefore', service.instance, 'alice', alice.id, ['default', { n: 1 }], null, null])
})

worked('7.5 7.6 over MQTT: a worker ends the command with results or an error', ['roomMessageBefore'], async ({ answers, browser }) => {
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  answers.roomMessageBefore = () => ({ results: [42, 'more'] })
  assert.deepEqual(await alice.results('roomMessage', 'default', {}), [42, 'more'])
  answers.roomMessageBefore = () => ({ error: { code: 'notAllowed' } })
  await assert.rejects(alice.call('roomMessage', 'default', {}), chatError('notAllowed'))
  assert.equal(await stored(alice), 0)
})

worked('7.10 over MQTT: a worker replaces results and errors in the reply', ['roomMessageAfter'], async ({ answers, browser }) => {
  const alice = await browser('alice')
  const bob = await browser('bob')
  await alice.call('roomJoin', 'default')
  answers.roomMessageAfter = ({ results, error }) => results ? { error: { code: 'regret', args: results } } : { results: [error.code] }
  await assert.rejects(alice.call('roomMessage', 'default', {}), chatError('regret'))
  assert.equal(await stored(alice), 1)
  assert.deepEqual(await bob.results('roomMessage', 'default', {}), ['notJoined'])
})

worked('7.27 over MQTT: a failing onJoin rolls the join back, no answer too', ['onJoin'], async ({ answers, worker, browser, device }) => {
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  const sensor = await device('sensor')
  const bob = await browser('bob')
  answers.onJoin = () => ({ error: { code: 'notAllowed' } })
  for (const one of [bob, sensor]) await assert.rejects(one.call('roomJoin', 'default'), chatError('notAllowed'))
  await worker.endAsync(true)
  for (const one of [bob, sensor]) await assert.rejects(one.call('roomJoin', 'default'), chatError('unavailable'))
  assert.deepEqual(await alice.call('roomGetAccessList', 'default', 'userlist'), ['alice'])
  await alice.call('roomMessage', 'default', {})
  await alice.message('default')
  for (const one of [bob, sensor]) await one.call('listOwnSockets')
  for (const one of [bob, sensor]) assert.deepEqual(one.waiting('roomMessage'), [])
  assert.deepEqual(alice.waiting('roomUserJoined').filter(([, who]) => who !== 'alice'), [])
}, soon)

worked('7.26 over MQTT: onLeave tells a worker who left, the device of a lost connection too', ['onLeave'], async ({ asked, browser, device, service }) => {
  const alice = await browser('alice')
  const sensor = await device('sensor')
  for (const one of [alice, sensor]) await one.call('roomJoin', 'default')
  assert.equal(await alice.call('roomLeave', 'default'), 0)
  sensor.drop()
  const bodies = await eventually(() => asked('onLeave').length === 2 && asked('onLeave'), 'both leaves')
  assert.deepEqual(bodies.map(({ replyTo, ...body }) => body), [alice, sensor].map(({ user, id }) =>
    ({ hook: 'onLeave', instance: service.instance, userName: user, id, roomName: 'default', njoined: 0 })))
})

worked('7.33 over MQTT: a worker checks the messages of rooms', ['roomMessagesChecker'], async ({ answers, asked, browser, device }) => {
  const alice = await browser('alice')
  const sensor = await device('sensor')
  for (const one of [alice, sensor]) await one.call('roomJoin', 'default')
  answers.roomMessagesChecker = ({ message }) => message.temp > 100 ? { error: { code: 'tooHot', args: [message.temp] } } : {}
  for (const one of [alice, sensor]) {
    await assert.rejects(one.call('roomMessage', 'default', { temp: 101 }), error => error.message === errorText('tooHot'))
    await one.call('roomMessage', 'default', { temp: 20 })
  }
  assert.deepEqual((await alice.call('roomRecentHistory', 'default')).map(m => m.temp), [20, 20])
  assert.deepEqual(asked('roomMessagesChecker').map(body => body.message.temp), [101, 20, 101, 20])
})
