// The onConnect hook decides about devices, too: a CONNECT that nobody in the broker can judge is put off, the hook is
// asked, and the device gets in, or not, when it tries again.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'
import { startRedis } from '../topology/redis.mjs'
import { Browser } from './support/browser.mjs'
import { binary } from './support/cli.mjs'
import { eventually, within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { ending } from './support/ending.mjs'
import { HookServer, lies } from './support/hook_server.mjs'
import { hookWorker, hooked } from './support/hooked.mjs'
import { divided } from './support/partitions.mjs'
import { account, plugin, startPluginBroker } from './support/plugin_broker.mjs'
import { delivery, startRoombus } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'
import { secret, token } from './support/tokens.mjs'

const mqtt = createRequire(import.meta.url)('mqtt')
const usable = plugin !== undefined && delivery === 'broker'
const refusal = { 4: 5, 5: 0x87 } // not authorized
const BY_ITSELF = { reconnectPeriod: 200 } // as devices do

const folder = mkdtempSync(path.join(tmpdir(), 'roombus-device-hook-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const file = (name, content) => {
  writeFileSync(path.join(folder, name), content)
  return path.join(folder, name)
}

/** One CONNECT: 0, the code of its refusal, or "closed" when the broker says nothing. */
async function connackOnce (address, username, password, { version = 4, client = `${username}-1`, ...more } = {}) {
  const made = mqtt.connect(`mqtt://${address}`, {
    protocolVersion: version, clientId: client, username, password, reconnectPeriod: 0, connectTimeout: 10000, ...more
  })
  try {
    return await within(new Promise(resolve => {
      made.once('connect', () => resolve(0))
      made.on('error', error => resolve(error.code))
      made.once('close', () => resolve('closed'))
    }), `answer to CONNECT of ${username}`)
  } finally {
    await new Promise(resolve => made.end(true, {}, resolve))
  }
}

/** What the broker says at last to one that tries again while it is put off. */
const connack = (...args) => eventually(async () => {
  const answer = await connackOnce(...args)
  return answer !== 'closed' && { answer }
}, `an answer to CONNECT of ${args[1]}`, 30000).then(({ answer }) => answer)

/** A hook that knows these users and passwords. */
const knows = users => ({ handshake: { auth } }) =>
  users[auth?.user] !== undefined && users[auth.user] === auth.password ? { userName: auth.user } : { error: { code: 'notAllowed' } }

const den = '[[room]]\nname = "den"\nenable_userlist_updates = true\n'
const many = '[auth.password]\nmax_failures = 1000\n'
const options = { dev: false, mqtt: true, hooks: ['onConnect'], config: many + den }

if (!usable) {
  test('devices and the onConnect hook', { skip: 'no plugin in this build or run' }, () => {})
} else {
  hooked('a device that the hook accepts gets in when it tries again', options, async ({ server, service, device, browser }) => {
    server.hooks.onConnect = knows({ ann: 'ann: pässword', carol: 'c' })
    const other = await browser(undefined, { query: {}, auth: { user: 'carol', password: 'c' } })
    await other.call('roomJoin', 'den')
    for (const version of [4, 5]) {
      server.calls.length = 0
      const ann = await device('ann', { client: `a${version}`, version, password: 'ann: pässword', ...BY_ITSELF })
      assert.deepEqual(server.asked('onConnect'), [{
        hook: 'onConnect',
        instance: service.instance,
        id: `mqtt#ann/a${version}`,
        transport: 'mqtt',
        handshake: { query: {}, headers: {}, auth: { user: 'ann', password: 'ann: pässword' }, address: '127.0.0.1' }
      }], 'asked once')
      assert.deepEqual(await ann.notified('loginConfirmed'), { user: 'ann', data: { id: ann.id } })
      await ann.call('roomJoin', 'den')
      assert.deepEqual(await other.notified('roomUserJoined', (room, user) => user === 'ann'), ['den', 'ann'])
      await ann.call('roomMessage', 'den', { from: version })
      assert.equal((await other.message('den', m => m.from === version)).author, 'ann')
      await ann.leave()
      await other.notified('roomUserLeft')
    }
    assert.ok(!service.output.includes('pässword'), 'no password in the log')
  })

  hooked('the first CONNECT is closed without a word, and each login is asked about', options, async ({ server, service }) => {
    server.hooks.onConnect = knows({ ann: 'a' })
    const asked = () => server.asked('onConnect').length
    assert.equal(await connackOnce(service.mqtt, 'ann', 'a'), 'closed')
    assert.equal(await connack(service.mqtt, 'ann', 'a'), 0)
    assert.equal(asked(), 1)
    assert.equal(await connackOnce(service.mqtt, 'ann', 'a'), 'closed', 'the verdict was used up')
    await eventually(() => asked() === 2, 'the second question')
    server.hooks.onConnect = () => ({ error: { code: 'banned' } })
    assert.equal(await connack(service.mqtt, 'ann', 'a'), 0, 'accepted before that')
    assert.equal(await connack(service.mqtt, 'ann', 'a'), refusal[4], 'and banned now')
    assert.equal(asked(), 3)
  })

  hooked('whom the hook does not accept is not authorized', options, async ({ server, service }) => {
    const answers = {
      wrong: { error: { code: 'notAllowed' } },
      text: { error: 'come back tomorrow' },
      nobody: {},
      another: { userName: 'bob' },
      case: { userName: 'Ann' },
      silly: { userName: 'a:b' },
      none: { authData: { user: 'ann' } }
    }
    server.hooks.onConnect = ({ handshake: { auth } }) => answers[auth.password]
    for (const version of [4, 5]) {
      for (const password of Object.keys(answers)) {
        assert.equal(await connack(service.mqtt, 'ann', password, { version, client: `v${version}` }), refusal[version], `${password}, version ${version}`)
      }
      assert.equal(await connackOnce(service.mqtt, 'ann', '', { version }), refusal[version], 'without a password')
      assert.equal(await connackOnce(service.mqtt, 'ann', undefined, { version }), refusal[version], 'without a password')
      assert.equal(await connackOnce(service.mqtt, undefined, undefined, { version, client: 'anonymous' }), refusal[version], 'anonymous')
      assert.equal(await connackOnce(service.mqtt, 'a/b', 'x', { version, client: 'c' }), refusal[version], 'no topic level')
    }
    assert.ok(!server.asked('onConnect').some(({ handshake: { auth } }) => !auth.password), 'not asked without a password')
    assert.match(service.output, /hook_other_user/)
    assert.equal(await service.metric('roombus_mqtt_connections'), 0)
  })

  hooked('without an answer of the hook nobody gets in, and everybody once it is back', {
    ...options, more: 'timeout_ms = 300'
  }, async ({ server, service, device }) => {
    for (const [name, lie] of Object.entries(lies)) {
      if (name === 'endless' || name === 'wrongTypes') continue // for megabytes; in a field that onConnect does not have

      server.hooks.onConnect = () => lie
      const before = server.asked('onConnect').length
      assert.equal(await connackOnce(service.mqtt, 'ann', name), 'closed', name)
      await eventually(() => server.asked('onConnect').length > before, `the question about ${name}`)
      assert.equal(await connackOnce(service.mqtt, 'ann', name), 'closed', name)
      server.hooks.onConnect = () => ({}) // in between: never ten failures in a row
      assert.equal(await connack(service.mqtt, 'eve', name), refusal[4])
    }
    await server.kill()
    for (let i = 0; i < 5; ++i) assert.equal(await connackOnce(service.mqtt, 'ann', 'a'), 'closed', 'no hook server')
    const coming = device('ann', { password: 'a', ...BY_ITSELF })
    coming.catch(() => {})
    server.hooks.onConnect = knows({ ann: 'a' })
    await server.start()
    await (await coming).call('roomJoin', 'den')
  })

  hooked('a hook without an answer knows nobody under the policy "continue"', {
    ...options, more: 'on_failure = "continue"'
  }, async ({ server, service }) => {
    server.hooks.onConnect = () => lies.status
    assert.equal(await connack(service.mqtt, 'ann', 'a'), refusal[4])
  })

  hooked('who guesses ends nobody\'s connection', options, async ({ server, service, device }) => {
    server.hooks.onConnect = knows({ ann: 'a', eve: 'e' })
    const real = await device('ann', { client: 'meter', password: 'a', ...BY_ITSELF })
    await real.call('roomJoin', 'den')
    const closed = once(real.mqtt, 'close')
    for (const version of [4, 5]) {
      assert.equal(await connackOnce(service.mqtt, 'ann', `guess ${version}`, { client: 'meter', version }), 'closed')
      assert.equal(await connack(service.mqtt, 'ann', `guess ${version}`, { client: 'meter', version }), refusal[version])
      assert.equal(await connackOnce(service.mqtt, 'eve', 'e', { client: 'meter', version }), refusal[version], 'not asked: the id is another user\'s')
    }
    assert.ok(server.asked('onConnect').every(({ id }) => id === 'mqtt#ann/meter'))
    assert.ok(await real.call('roomMessage', 'den', { still: 'here' }))
    assert.equal((await real.message('den')).still, 'here')
    assert.equal(await Promise.race([closed, 'still there']), 'still there', 'never disturbed')
    // who has the password takes over, as with any login
    assert.equal(await connack(service.mqtt, 'ann', 'a', { client: 'meter' }), 0)
    await within(closed, 'the takeover')
  })

  hooked('questions about one address are limited', {
    ...options, more: 'timeout_ms = 5000\nmax_connections = 400'
  }, async ({ server, service, device }) => {
    server.hooks.onConnect = knows({ ann: 'a' })
    const ann = await device('ann', { password: 'a', ...BY_ITSELF })
    // a flood while nobody answers
    server.hooks.onConnect = () => lies.silent
    const begin = Date.now()
    const before = server.asked('onConnect').length
    const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => connackOnce(service.mqtt, 'bob', `flood ${i}`, { client: `b${i}` })))
    assert.deepEqual([...new Set(answers)], ['closed'])
    const asked = server.asked('onConnect').length - before
    const seconds = Math.ceil((Date.now() - begin) / 1000) + 1
    assert.ok(asked > 0 && asked <= 50 * seconds, `${asked} questions in ${seconds} s`)
    await ann.call('roomJoin', 'den')
  })

  hooked('too many wrong passwords of an address put it off', { ...options, config: '[auth.password]\nmax_failures = 3\n' }, async ({ server, service }) => {
    server.hooks.onConnect = knows({ ann: 'a' })
    for (let i = 0; i < 3; ++i) {
      assert.equal(await connackOnce(service.mqtt, 'ann', `guess ${i}`), 'closed')
      await eventually(() => server.asked('onConnect').length === i + 1, 'the question')
      if (i < 2) assert.equal(await connack(service.mqtt, 'ann', `guess ${i}`), refusal[4])
    }
    await eventually(() => /device_login_refused(.|\n)*device_login_refused(.|\n)*device_login_refused/.test(service.output), 'the third verdict')
    for (let i = 0; i < 3; ++i) assert.equal(await connackOnce(service.mqtt, 'ann', 'a'), 'closed', 'nor is the right one told')
    assert.equal(server.asked('onConnect').length, 3, 'not asked any more')
  })

  hooked('who logs in by token or password is not asked about', {
    ...options, config: `[auth.jwt]\nsecret = "${secret}"\n` + many + den
  }, async ({ server, service, device }) => {
    server.hooks.onConnect = knows({ bob: 'b', eve: token({ sub: 'eve' }) + 'x' })
    const ann = await device('ann', { password: token({ sub: 'ann' }) })
    await ann.call('roomJoin', 'den')
    assert.equal(await connackOnce(service.mqtt, 'eve', token({ sub: 'eve' }) + 'x'), refusal[4], 'a wrong token is not made good by the hook')
    assert.equal(await connackOnce(service.mqtt, 'eve', token({ sub: 'ann' })), refusal[4])
    assert.deepEqual(server.asked('onConnect'), [])
    assert.equal(await connack(service.mqtt, 'bob', 'b'), 0, 'no token: the hook')
    assert.equal(server.asked('onConnect').length, 1)
  })

  hooked('a password file decides about all passwords, as for browsers', {
    ...options,
    config: `[auth.password]\nmax_failures = 1000\nfile = "${file('users', execFileSync(binary, ['hash-password', '--user', 'ann'], { input: 'a\n', encoding: 'utf8' }))}"\n`
  }, async ({ server, service }) => {
    server.hooks.onConnect = knows({ ann: 'other', bob: 'b' })
    assert.equal(await connack(service.mqtt, 'ann', 'a'), 0)
    assert.equal(await connack(service.mqtt, 'ann', 'other'), refusal[4])
    assert.equal(await connack(service.mqtt, 'bob', 'b'), refusal[4])
    const browser = new Browser(service, { query: {}, auth: { user: 'bob', password: 'b' } })
    assert.equal((await browser.received.take(i => i.name.startsWith('login'), 'answer to the login')).name, 'loginRejected')
    browser.close()
    assert.deepEqual(server.asked('onConnect'), [])
  })

  hooked('the broker comes back and asks anew', options, async ({ server, service, device }) => {
    server.hooks.onConnect = knows({ ann: 'a' })
    await device('ann', { password: 'a', ...BY_ITSELF })
    assert.equal(await connackOnce(service.mqtt, 'ann', 'a', { client: 'second' }), 'closed')
    await eventually(() => server.asked('onConnect').length === 2, 'the question')
    const [child] = await service.children()
    process.kill(child.pid, 'SIGKILL')
    await eventually(async () => await connackOnce(service.mqtt, 'ann', 'a', { client: 'second' }).catch(() => 1) === 0, 'a login at the new broker', 20000)
    assert.ok(server.asked('onConnect').length >= 3, 'what was decided before does not hold')
  })

  scenario('the hook may be a worker on MQTT, which has a login of its own', {
    dev: false,
    config: `[mqtt]\nhook_workers = ["worker"]\n[hooks.mqtt]\nhooks = ["onConnect"]\n[auth.jwt]\nsecret = "${secret}"\n` + den
  }, async world => {
    const worker = await hookWorker(world.service, (hook, body) => knows({ ann: 'a' })(body), { password: token({ sub: 'worker' }) })
    world.atEnd(() => worker.endAsync(true))
    const ann = await world.device('ann', { password: 'a', ...BY_ITSELF })
    assert.equal(worker.asked[0].body.transport, 'mqtt')
    assert.equal(await ann.call('roomJoin', 'den'), 1)
    assert.equal(await connack(world.service.mqtt, 'ann', 'b'), refusal[4])
  })

  test('a Mosquitto of one\'s own asks, and asks nobody when roombus is away', { timeout: 60000 }, () => ending(async ends => {
    const broker = ends(await startPluginBroker({ devices: account('eve', 'eve-pw'), options: 'plugin_opt_ask_bridge true\nplugin_opt_max_failures 1000\n' }), broker => broker.stop())
    const server = ends(await new HookServer().start(), server => server.kill())
    server.hooks.onConnect = knows({ ann: 'a', eve: 'other' })
    const config = broker.config + `[hooks.http]\nurl = "${server.url}"\nhooks = ["onConnect"]\n` + den
    assert.equal(await connackOnce(broker.address, 'ann', 'a'), 'closed', 'no roombus yet')
    const service = ends(await startRoombus({ dev: false, mqtt: null, config }), service => service.stop())
    assert.equal(await connackOnce(broker.address, 'eve', 'eve-pw'), 0, 'an account of mosquitto_passwd')
    assert.equal(await connackOnce(broker.address, 'eve', 'other'), refusal[4])
    assert.deepEqual(server.asked('onConnect'), [], 'what Mosquitto knows is not asked')
    const ann = ends(await Device.connect({ mqtt: broker.address }, { user: 'ann', password: 'a', ...BY_ITSELF }), device => device.close())
    assert.equal(await ann.call('roomJoin', 'den'), 1)
    const closed = once(ann.mqtt, 'close')
    process.kill(broker.pid, 'SIGHUP') // asks again about all who are there
    assert.equal(await connack(broker.address, 'ann', 'wrong', { client: 'later' }), refusal[4])
    assert.equal(await ann.call('roomJoin', 'den'), 1)
    assert.equal(await Promise.race([closed, 'still there']), 'still there', 'a reload disconnects nobody')
    await service.stop()
    assert.equal(await connackOnce(broker.address, 'ann', 'a', { client: 'c' }), 'closed')
    assert.equal(await connackOnce(broker.address, 'ann', 'a', { client: 'c' }), 'closed')
  }))

  const hasRedis = (() => {
    try { execFileSync('redis-server', ['--version']); return true } catch { return false }
  })()

  test('of two instances the one asks that will serve the device', { timeout: 90000, skip: hasRedis ? false : 'no Redis here' }, () => ending(async ends => {
    const redis = await startRedis(folder)
    for (const node of redis.nodes) ends(node, node => node.kill())
    const broker = ends(await startPluginBroker({ devices: '', options: 'plugin_opt_ask_bridge true\n' }), broker => broker.stop())
    const server = ends(await new HookServer().start(), server => server.kill())
    const users = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`user${i}`, `pw${i}`]))
    server.hooks.onConnect = knows(users)
    const config = broker.config + redis.config + `[hooks.http]\nurl = "${server.url}"\nhooks = ["onConnect"]\n` + den
    const instance = async id =>
      ends(await startRoombus({ dev: false, mqtt: null, config: `${config}[instance]\nid = "${id}"\n` }), service => service.stop())
    await divided([await instance('one'), await instance('two')])
    for (const [user, password] of Object.entries(users)) {
      const device = ends(await Device.connect({ mqtt: broker.address }, { user, password, ...BY_ITSELF }), device => device.close())
      await device.notified('loginConfirmed')
    }
    const questions = new Set(server.asked('onConnect').map(({ id, instance }) => `${id} by ${instance}`))
    assert.equal(questions.size, 12, `one asked about each: ${[...questions]}`)
    assert.equal(new Set(server.asked('onConnect').map(({ instance }) => instance)).size, 2, 'each asked about some')
  }))
}

/** A broker that asks over HTTP, as EMQX does. */
hooked('a broker that asks over HTTP gets the hook\'s answer', {
  dev: false, hooks: ['onConnect'], more: 'timeout_ms = 300', config: `[mqtt]\nauth_key = "the-key"\n[auth.jwt]\nsecret = "${secret}"\n`
}, async ({ server, service }) => {
  server.hooks.onConnect = ({ handshake: { auth } }) => ({
    right: { userName: 'ann' }, another: { userName: 'bob' }, wrong: { error: { code: 'notAllowed' } }, nobody: {}
  })[auth.password] ?? lies[auth.password]
  const login = async (password, clientid = 'ann~1') => {
    const answer = await fetch(`http://${service.admin}/broker/emqx/authn`, {
      method: 'POST',
      body: JSON.stringify({ username: 'ann', clientid, password, peerhost: '192.0.2.1' }),
      headers: { authorization: 'Bearer the-key' },
      signal: AbortSignal.timeout(10000)
    })
    assert.equal(answer.status, 200)
    return (await answer.json()).result
  }
  assert.equal(await login('right'), 'allow')
  assert.deepEqual(server.asked('onConnect'), [{
    hook: 'onConnect',
    instance: service.instance,
    id: 'mqtt#ann/ann~1',
    transport: 'mqtt',
    handshake: { query: {}, headers: {}, auth: { user: 'ann', password: 'right' }, address: '192.0.2.1' }
  }])
  for (const password of ['another', 'wrong', 'nobody', 'status', 'garbage', 'wrongTypes', 'silent', 'gone']) {
    assert.equal(await login(password), 'deny', password)
  }
  const asked = server.asked('onConnect').length
  assert.equal(await login(''), 'deny')
  assert.equal(await login('right', 'bob'), 'deny', 'not its client id')
  assert.equal(await login(token({ sub: 'ann' }) + 'x'), 'deny', 'a wrong token')
  assert.equal(await login(token({ sub: 'ann' })), 'allow')
  assert.equal(server.asked('onConnect').length, asked, 'not asked about any of these')
  await server.kill()
  assert.equal(await login('right'), 'deny', 'the hook is away')
  assert.ok(!service.output.includes('right'), 'no password in the log')
})
