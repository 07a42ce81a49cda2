// Hooks outside of the process: over HTTP to an honest, lying, slow, dead and restarting server, and over MQTT.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { Browser } from './support/browser.mjs'
import { chatError, errorText } from './support/chat_error.mjs'
import { eventually, within } from './support/deadline.mjs'
import { HookServer, lies } from './support/hook_server.mjs'
import { hookWorker, hooked, overMqtt, rawClient } from './support/hooked.mjs'
import { watchedChild } from './support/leftovers.mjs'
import { startRoombus } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'
const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

const list = names => JSON.stringify(names)

const http = (server, hooks, more = '') => `[hooks.http]\nurl = "${server.url}"\nhooks = ${list(hooks)}\n${more}\n`

async function rejected (service, options) {
  const one = new Browser(service, options)
  try {
    const { name, args } = await one.received.take(i => i.name.startsWith('login'), 'answer to the login')
    assert.equal(name, 'loginRejected')
    return args[0]
  } finally {
    one.close()
  }
}

hooked('onConnect says who a client is', {
  dev: false,
  hooks: ['onConnect', 'onDisconnect']
}, async ({ server, service, browser }) => {
  server.hooks.onConnect = ({ handshake }) => {
    const { token } = handshake.query
    if (token === 'of-alice') return { userName: 'alice', authData: { role: 'owner' } }
    if (token === 'wrong') return { error: { code: 'notAllowed' } }
    if (token === 'banned') return { error: 'come back tomorrow' }
    if (token === 'lie') return lies.wrongTypes
    if (token === 'silly') return { userName: 'a:b' }
    return {}
  }
  const alice = await browser(undefined, { query: { token: 'of-alice' } })
  assert.deepEqual(alice.authData, { role: 'owner', id: alice.id })
  const [asked] = server.asked('onConnect')
  assert.equal(asked.id, alice.id)
  assert.equal(asked.instance, service.instance)
  assert.equal(asked.transport, 'socket.io')
  assert.equal(asked.handshake.address, '127.0.0.1')
  assert.equal(asked.handshake.query.token, 'of-alice')
  assert.equal(typeof asked.handshake.headers.host, 'string')
  assert.equal(await rejected(service, { query: {} }), errorText('noLogin'))
  assert.equal(await rejected(service, { query: { token: 'wrong' } }), errorText('notAllowed'))
  assert.equal(await rejected(service, { query: { token: 'banned' } }), 'come back tomorrow')
  assert.equal(await rejected(service, { query: { token: 'silly' } }), errorText('invalidName', ['a:b']))
  server.hooks.onConnect = () => lies.status
  assert.equal(await rejected(service, { query: { token: 'of-alice' } }), errorText('unavailable'))
  alice.close()
  const gone = await eventually(() => server.asked('onDisconnect')[0], 'onDisconnect')
  assert.deepEqual({ ...gone, hook: undefined, instance: undefined },
    { hook: undefined, instance: undefined, userName: 'alice', id: alice.id, nconnected: 0, roomsRemoved: [], joinedSockets: [] })
})

hooked('before and after hooks change commands, and know the caller by its signature', {
  secret: 'the secret',
  hooks: ['roomMessageBefore', 'roomMessageAfter', 'onJoin', 'onLeave']
}, async ({ server, browser }) => {
  server.hooks.roomMessageBefore = ({ args: [room, message] }) => {
    if (message.text === 'rude') return { error: { code: 'notAllowed' } }
    if (message.text === 'known') return { results: [42] }
    return { args: [room, { ...message, seen: true }], data: { from: 'before' } }
  }
  server.hooks.roomMessageAfter = ({ results, data }) => ({ results: [...results, data.from] })
  const alice = await browser('alice')
  assert.equal(await alice.call('roomJoin', 'default'), 1)
  assert.deepEqual(await alice.results('roomMessage', 'default', { text: 'hello' }), [1, 'before'])
  assert.equal((await alice.message('default')).seen, true)
  await assert.rejects(alice.call('roomMessage', 'default', { text: 'rude' }), chatError('notAllowed'))
  assert.deepEqual(await alice.results('roomMessage', 'default', { text: 'known' }), [42])
  assert.equal(await alice.call('roomLeave', 'default'), 0)
  await eventually(() => server.asked('onLeave').length === 1, 'onLeave')
  assert.equal(server.asked('roomMessageAfter').length, 1, 'only when the work was attempted')
  assert.equal(server.asked('onJoin')[0].njoined, 1)
  assert.ok(server.calls.every(call => call.signed), 'every call is signed')
  assert.equal(server.connections, 1, 'the connection is kept')
})

hooked('a failing onJoin rolls the join back', {
  hooks: ['onJoin']
}, async ({ server, browser }) => {
  const alice = await browser('alice')
  const bob = await browser('bob')
  await alice.call('roomJoin', 'default')
  for (const lie of ['status', 'garbage', 'list', 'cut', 'gone']) {
    server.hooks.onJoin = () => lies[lie]
    await assert.rejects(bob.call('roomJoin', 'default'), chatError('unavailable'), lie)
  }
  server.hooks.onJoin = () => ({ error: { code: 'full', args: [1] } })
  await assert.rejects(bob.call('roomJoin', 'default'), error => error.message === errorText('full'))
  assert.deepEqual(await alice.call('roomGetAccessList', 'default', 'userlist'), ['alice'])
  server.hooks.onJoin = () => ({})
  assert.equal(await bob.call('roomJoin', 'default'), 1)
  const [, user] = await alice.notified('roomUserJoined', (room, who) => who === 'bob')
  assert.equal(user, 'bob')
  assert.equal(alice.waiting('roomUserJoined').filter(([, who]) => who === 'bob').length, 0, 'told once')
})

for (const policy of ['reject', 'continue']) {
  hooked(`a server that lies under load: ${policy}`, {
    hooks: ['roomMessageBefore'],
    more: `timeout_ms = 600\non_failure = "${policy}"`
  }, async ({ server, service, browser }) => {
    // no connection rests for a second: after that a close without an answer may be one for idleness, and is asked again
    // never ten failures in a row, in whichever order they end, so that the circuit stays closed: waves of nine, and one
    // honest answer after each
    const [waves, wave] = [6, 10]
    const kinds = [...Object.keys(lies), 'honest']
    const kindOf = n => n % wave === wave - 1 ? 'honest' : kinds[(n + Math.floor(n / wave)) % kinds.length]
    server.hooks.roomMessageBefore = ({ args: [, { n }] }) => lies[kindOf(n)] ?? {}
    const users = await Promise.all([0, 1, 2, 3].map(i => browser(`user${i}`)))
    for (const user of users) await user.call('roomJoin', 'default')
    const send = n => users[n % users.length].call('roomMessage', 'default', { n }).then(id => ({ n, id }), error => ({ n, error }))
    const answers = []
    for (let first = 0; first < waves * wave; first += wave) {
      answers.push(...await Promise.all(Array.from({ length: wave - 1 }, (_, i) => send(first + i))))
      answers.push(await send(first + wave - 1))
    }
    const total = waves * wave
    const asked = server.asked('roomMessageBefore').map(body => body.args[1].n).sort((a, b) => a - b)
    assert.deepEqual(asked, Array.from({ length: total }, (_, n) => n), 'each command asked exactly once')
    for (const { n, id, error } of answers) {
      const honest = kindOf(n) === 'honest'
      if (honest || policy === 'continue') {
        assert.equal(typeof id, 'number', `${kindOf(n)}: ${error?.message}`)
      } else {
        assert.equal(error?.message, errorText('unavailable'), kindOf(n))
      }
    }
    const stored = answers.filter(a => a.id).map(a => a.id).sort((a, b) => a - b)
    assert.deepEqual(stored, stored.map((_, i) => i + 1), 'no id twice, no hole')
    const info = await users[0].call('roomHistoryInfo', 'default')
    assert.equal(info.lastMessageId, stored.length, 'stored is what was answered')
    for (const reason of ['timeout', 'refused', 'malformed', 'too_large', 'unreachable']) {
      assert.ok(await service.metric('roombus_hook_failures_total', `reason="${reason}"`) > 0, reason)
    }
  })
}

hooked('a server that restarts under load: nothing lost, nothing twice', {
  hooks: ['roomMessageBefore'],
  more: 'timeout_ms = 1000'
}, async ({ server, service, browser }) => {
  server.hooks.roomMessageBefore = async () => { await new Promise(resolve => setImmediate(resolve)); return {} }
  const users = await Promise.all([0, 1, 2, 3].map(i => browser(`user${i}`)))
  for (const user of users) await user.call('roomJoin', 'default')
  let n = 0
  let stopping = false
  const answers = []
  const load = users.flatMap(user => Array.from({ length: 8 }, async () => {
    while (!stopping) {
      const mine = n++
      await user.call('roomMessage', 'default', { n: mine }).then(
        id => answers.push({ mine, id }), error => answers.push({ mine, error }))
    }
  }))
  const successes = () => answers.filter(a => a.id).length
  const circuitOpened = () => service.metric('roombus_hook_circuit_opened_total')
  try {
    for (let round = 0; round < 3; ++round) {
      const before = successes()
      await eventually(() => successes() > before + 100, 'messages while the server is there', 30000)
      const opened = await circuitOpened()
      await server.kill()
      const failed = answers.length
      await eventually(() => answers.slice(failed).some(a => a.error), 'a failure while it is not')
      await eventually(async () => await circuitOpened() > opened, 'the circuit opens')
      await server.start()
    }
    const before = successes()
    await eventually(() => successes() > before + 100, 'messages after the last start', 40000)
  } finally {
    stopping = true
  }
  await within(Promise.all(load), 'all answers')
  assert.equal(answers.length, n, 'every command has one answer')
  for (const { error } of answers) if (error) assert.equal(error.message, errorText('unavailable'))
  const ids = answers.filter(a => a.id).map(a => a.id).sort((a, b) => a - b)
  assert.deepEqual(ids, ids.map((_, i) => i + 1))
  const { lastMessageId } = await users[0].call('roomHistoryInfo', 'default')
  assert.equal(lastMessageId, ids.length, 'stored is what was answered')
  const asked = server.asked('roomMessageBefore').map(body => body.args[1].n)
  assert.equal(new Set(asked).size, asked.length, 'no command was asked twice')
})

hooked('a slow server holds nobody up longer than its time, and does not slow down others', {
  hooks: ['roomMessageBefore', 'roomMessageAfter'],
  more: 'timeout_ms = 1000\n[hooks.http.policy]\nroomMessageBefore = "continue"'
}, async ({ server, browser }) => {
  server.hooks.roomMessageBefore = () => lies.silent
  server.hooks.roomMessageAfter = () => lies.silent
  const alice = await browser('alice')
  await alice.call('roomJoin', 'default')
  const begin = performance.now()
  let answered = false
  const slow = alice.call('roomMessage', 'default', { text: 'slow' }).finally(() => { answered = true })
  await alice.call('listOwnSockets')
  assert.ok(!answered, 'commands without hooks do not wait')
  assert.equal(await slow, 1, 'continue before, and the own reply after')
  assert.ok(performance.now() - begin >= 1900, 'both had their time')
})

test('onStart decides whether there is a service at all, onClose how it ended', { timeout: 60000 }, async t => {
  const server = await new HookServer().start()
  try {
    const options = { mqtt: false, config: http(server, ['onStart', 'onClose']) }
    server.hooks.onStart = () => ({ error: 'not today' })
    await assert.rejects(startRoombus(options), /ended before it was ready \(1\)[^]*not today/)
    server.hooks.onStart = () => lies.status
    await assert.rejects(startRoombus(options), /ended before it was ready \(1\)/)
    server.hooks.onStart = async ({ admin }) => {
      const answer = await fetch(`http://${admin}/healthz`)
      return answer.ok ? {} : { error: `healthz answered ${answer.status}` }
    }
    const good = await startRoombus(options)
    t.after(() => good.stop())
    assert.equal(server.asked('onStart').at(-1).admin, good.admin)
    assert.deepEqual(await good.stop(), { code: 0, signal: null })
    assert.deepEqual(server.asked('onClose').at(-1), { hook: 'onClose', instance: good.instance, error: null })
    server.hooks.onClose = () => ({ error: 'oh no' })
    const bad = await startRoombus(options)
    assert.deepEqual(await bad.stop(), { code: 1, signal: null })
  } finally {
    await server.kill()
  }
})

test('a wrong configuration is told with its line', { timeout: 60000 }, async () => {
  const cases = [
    ['[hooks.http]\nurl = "http://h"\nhooks = ["roomMesageBefore"]', /roombus\.toml:3: hooks\.http\.hooks: no such hook "roomMesageBefore".*roomMessageBefore/],
    ['[hooks.http]\nurl = "ftp://h"', /roombus\.toml:2: hooks\.http\.url: expected/],
    ['[hooks.http]\nhooks = ["onJoin"]', /roombus\.toml:2: hooks\.http\.hooks: expected hooks\.http\.url/],
    ['[hooks.http]\nurl = "http://h"\nhooks = ["onJoin"]\n[hooks.http.policy]\nonJoin = "maybe"', /roombus\.toml:5: hooks\.http\.policy\.onJoin: expected/],
    ['[hooks.http]\nurl = "http://h"\nhooks = ["onJoin"]\n[hooks.http.policy]\nonLeave = "reject"', /onLeave" is not among/],
    ['[hooks.http]\nurl = "http://h"\nhooks = ["onJoin"]\n[hooks.mqtt]\nhooks = ["onJoin"]', /roombus\.toml:5: hooks\.mqtt\.hooks: "onJoin" is called over HTTP already/]
  ]
  for (const [config, message] of cases) await assert.rejects(startRoombus({ config }), message)
})

scenario('workers on MQTT share the calls', { config: overMqtt(['roomMessageBefore']) }, async world => {
  const serve = (hook, { args: [room, message] }) => ({ args: [room, { ...message, seen: hook }] })
  const workers = [await hookWorker(world.service, serve), await hookWorker(world.service, serve),
    await hookWorker(world.service, serve, { protocolVersion: 4 })]
  for (const one of workers) world.atEnd(() => one.endAsync(true))
  const alice = await world.browser('alice')
  const sensor = await world.device('sensor')
  await alice.call('roomJoin', 'default')
  await sensor.call('roomJoin', 'default')
  await Promise.all(Array.from({ length: 60 }, (_, n) =>
    n % 2 ? alice.call('roomMessage', 'default', { n }) : sensor.call('roomMessage', 'default', { n })))
  for (let n = 0; n < 60; ++n) assert.equal((await alice.message('default')).seen, 'roomMessageBefore')
  const counts = workers.map(one => one.asked.length)
  assert.equal(counts.reduce((a, b) => a + b), 60, 'each call to one worker')
  assert.ok(counts.every(count => count > 0), `shared: ${counts}`)
})

scenario('late, repeated and forged answers over MQTT are ignored', {
  config: overMqtt(['roomMessageBefore'], 'timeout_ms = 1500')
}, async world => {
  const late = []
  const one = await hookWorker(world.service, (hook, { args: [room, { text }] }) => {
    if (text === 'late') { late.push(one.asked.at(-1).body.replyTo); return null }
    if (text === 'twice') one.publish(one.asked.at(-1).body.replyTo, '{}', { qos: 1 })
    return text === 'twice' ? { error: 'the second answer' } : {}
  })
  world.atEnd(() => one.endAsync(true))
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'default')
  await assert.rejects(alice.call('roomMessage', 'default', { text: 'late' }), chatError('unavailable'))
  await one.publishAsync(late[0], '{"results":[99]}', { qos: 1 })
  assert.equal(await alice.call('roomMessage', 'default', { text: 'twice' }), 1)

  // a device knows the topics, but may neither read the calls nor answer them
  const mallory = await rawClient(world.service, 'mallory')
  world.atEnd(() => mallory.endAsync(true))
  let heard = 0
  mallory.on('message', () => ++heard)
  await mallory.subscribeAsync('roombus/hook/#', { qos: 1 }).catch(() => {})
  const replyBase = late[0].slice(0, late[0].lastIndexOf('/') + 1)
  await mallory.publishAsync(`${replyBase}${'A'.repeat(22)}`, '{"results":[666]}', { qos: 1 }).catch(() => {})
  assert.equal(await alice.call('roomMessage', 'default', { text: 'plain' }), 2)
  assert.equal(heard, 0)
  await eventually(async () => await world.service.metric('roombus_mqtt_hook_replies_ignored_total') === 2,
    'the late and the repeated answer counted; the forged one never came through')
})

scenario('without a worker the policy decides', {
  config: overMqtt(['roomMessageBefore', 'roomMessageAfter'], 'timeout_ms = 200\npolicy = ["roomMessageBefore=continue"]')
}, async world => {
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'default')
  assert.equal(await alice.call('roomMessage', 'default', { text: 'hello' }), 1)
})

scenario('the example worker serves', {
  config: '[mqtt]\nhook_workers = ["hook-worker"]\n[hooks.mqtt]\nhooks = ["roomMessageBefore", "onJoin"]\n[[room]]\nname = "attic"\n[[room]]\nname = "default"\n'
}, async world => {
  const child = watchedChild(spawn(process.execPath,
    [path.join(repository, 'examples/mqtt-hook-worker/worker.mjs'), `mqtt://${world.service.mqtt}`],
    { stdio: ['ignore', 'pipe', 'inherit'] }))
  const exited = once(child, 'exit')
  world.atEnd(async () => { child.kill('SIGTERM'); await within(exited, 'end of the worker') })
  let output = ''
  child.stdout.on('data', text => { output += text })
  await eventually(() => output.includes('serves'), 'start of the worker')
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'default')
  await assert.rejects(alice.call('roomJoin', 'attic'), chatError('notAllowed'))
  await (await world.browser('admin1')).call('roomJoin', 'attic')
  await alice.call('roomMessage', 'default', { temp: 21.4567 })
  assert.equal((await alice.message('default')).temp, 21.5)
  await assert.rejects(alice.call('roomMessage', 'default', { temp: 101 }), error => error.message === errorText('tooHot'))
})
