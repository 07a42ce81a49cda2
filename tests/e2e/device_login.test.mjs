// One login for both worlds: devices get in by the passwords and tokens of browsers, with the embedded broker.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'
import { chatError } from './support/chat_error.mjs'
import { binary } from './support/cli.mjs'
import { eventually, within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { ending } from './support/ending.mjs'
import { paced } from './support/pace.mjs'
import { account, plugin, startPluginBroker } from './support/plugin_broker.mjs'
import { delivery, startRoombus } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'
import { beforeTheEnd, ended, forgedTokens, p256, pem, rsa, secret, soon, token } from './support/tokens.mjs'

const mqtt = createRequire(import.meta.url)('mqtt')

const folder = mkdtempSync(path.join(tmpdir(), 'roombus-device-login-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a file as a whole: whoever reads it sees the old or the new one. */
function put (name, content) {
  const file = path.join(folder, name)
  writeFileSync(file + '.new', content)
  renameSync(file + '.new', file)
  return file
}
const hashOf = (user, password, scheme = 'argon2id') => execFileSync(binary, ['hash-password', '--user', user, '--scheme', scheme],
  { input: password + '\n', encoding: 'utf8' })

/** What the broker answers to a CONNECT: 0, or the code of its refusal. Where it closes without an answer it was busy with passwords: tried again, as devices do. */
const connack = (...args) => eventually(async () => {
  const answer = await connackOnce(...args)
  return answer !== 'closed' && { answer }
}, `an answer to CONNECT of ${args[1]}`, 30000).then(({ answer }) => answer)

/** The same, or "closed" when it says nothing. */
async function connackOnce (service, username, password, { version = 4, client = 'c1', ...more } = {}) {
  const made = mqtt.connect(`mqtt://${service.mqtt}`, {
    protocolVersion: version, clientId: client, username, password, reconnectPeriod: 0, connectTimeout: 10000, ...more
  })
  try {
    return await within(new Promise(resolve => {
      made.once('connect', () => resolve(0))
      made.once('error', error => resolve(error.code))
      made.once('close', () => resolve('closed'))
    }), `answer to CONNECT of ${username}`)
  } finally {
    await new Promise(resolve => made.end(true, {}, resolve))
  }
}
const refusal = { 4: 5, 5: 0x87 } // not authorized

const accounts = hashOf('alice', 'right: pässword') + hashOf('bob', 'other', 'scrypt')
const passwordFile = (name = 'passwords') => `[auth.password]\nfile = "${put(name, accounts)}"\nmax_failures = 1000\n`
const keys = `[auth.jwt]
secret = "${secret}"
public_key_file = "${put('keys.pem', pem(rsa.publicKey) + pem(p256.publicKey))}"
leeway = 0
`
const rooms = '[[room]]\nname = "den"\nenable_userlist_updates = true\n[[room]]\nname = "a b/ü"\n[[room]]\nname = "hall"\n'
const closed = { dev: false }
const tokenOf = (sub, more = {}, options = {}) => ({ password: token({ sub, ...more }, options) })

if (plugin === undefined || delivery !== 'broker') {
  test('logins of devices', { skip: 'no plugin in this build or run' }, () => {})
} else {
  scenario('passwords of the file let devices in, and nothing else', { ...closed, config: passwordFile() }, async ({ service }) => {
    for (const version of [4, 5]) {
      const answer = (user, password, more) => connack(service, user, password, { version, ...more })
      assert.equal(await answer('alice', 'right: pässword'), 0)
      assert.equal(await answer('bob', 'other'), 0)
      assert.equal(await answer('bob', 'other'), 0, 'remembered')
      const wrong = {
        'wrong password': ['alice', 'wrong'],
        'password of another user': ['alice', 'other'],
        'no password': ['alice', undefined],
        'empty password': ['alice', ''],
        'unknown user': ['mallory', 'other'],
        'other case': ['Alice', 'right: pässword'],
        'its own hash': ['bob', accounts.split('\n')[1].slice(4)],
        'two levels': ['alice/x', 'right: pässword'],
        wildcard: ['+', 'other'],
        'all names': ['#', 'other'],
        'with a blank': ['alice ', 'right: pässword'],
        'look-alike': ['аlice', 'right: pässword'],
        'zero width': ['alice\u200b', 'right: pässword'],
        'full width': ['ａlice', 'right: pässword'],
        'user and hash': [accounts.split('\n')[0], 'x'],
        'percent-encoded': ['%61lice', 'right: pässword'],
        'the account of roombus itself': ['roombus-bridge', ''],
        'no name': ['', 'other'],
        'password too long': ['alice', 'x'.repeat(2000)]
      }
      for (const [name, [user, password]] of Object.entries(wrong)) {
        assert.equal(await answer(user, password), refusal[version], `${name}, version ${version}`)
      }
      assert.equal(await answer(undefined, undefined), refusal[version], 'anonymous')
      assert.equal(await connackOnce(service, 'alice\n', 'right: pässword', { version }), 'closed', 'no text that MQTT allows')
      for (const client of ['a/b', '+', 'x y', 'é']) {
        assert.equal(await answer('alice', 'right: pässword', { client }), refusal[version], `client id ${client}`)
      }
    }
    assert.ok(!service.output.includes('right: p'), 'no password in the log')
  })

  scenario('no forged token lets a device in', { ...closed, config: keys + passwordFile() }, async ({ service }) => {
    const good = token({ sub: 'alice' })
    for (const [name, text] of Object.entries(forgedTokens(good))) {
      for (const version of [4, 5]) {
        assert.equal(await connack(service, 'alice', text, { version }), refusal[version], `${name}, version ${version}`)
      }
    }
    assert.equal(await connack(service, 'bob', good), refusal[4], 'of another user')
    assert.equal(await connack(service, 'Alice', good), refusal[4], 'of another user')
    assert.equal(await connack(service, '', good), refusal[4], 'the name is not taken from the token')
    assert.equal(await connack(service, 'аlice', token({ sub: 'аlice' })), refusal[4], 'a name that is no topic level')
    assert.equal(await connack(service, 'a/b', token({ sub: 'a/b' })), refusal[4])
    assert.equal(await connack(service, 'roombus-bridge', token({ sub: 'roombus-bridge' })), refusal[4], 'the name of roombus itself')
    for (const alg of ['HS256', 'RS256', 'ES256']) {
      for (const version of [4, 5]) assert.equal(await connack(service, 'alice', token({ sub: 'alice' }, { alg }), { version }), 0, alg)
    }
    assert.ok(!service.output.includes(good.split('.')[1]), 'no token in the log')
    assert.ok(!service.output.includes(secret), 'no secret in the log')
  })

  scenario('audience, issuer and claims are those of the configuration', {
    ...closed,
    config: keys + 'audience = ["other app", "roombus, home"]\nissuer = ["https://id.example.com"]\nuser_claim = "name"\nrequire_exp = false\n'
  }, async ({ service }) => {
    const good = { name: 'alice', aud: 'roombus, home', iss: 'https://id.example.com' }
    assert.equal(await connack(service, 'alice', token(good)), 0)
    assert.equal(await connack(service, 'alice', token({ ...good, exp: undefined })), 0)
    for (const wrong of [{ aud: 'roombus' }, { aud: undefined }, { iss: 'https://id.example.org' }, { name: undefined, sub: 'alice' }, { exp: soon(-1) }]) {
      assert.equal(await connack(service, 'alice', token({ ...good, ...wrong })), refusal[4], JSON.stringify(wrong))
    }
  })

  scenario('without a login method nobody gets in', { ...closed }, async ({ service }) => {
    assert.equal(await connack(service, 'alice', 'x'), refusal[4])
    assert.equal(await connack(service, 'alice', token({ sub: 'alice' })), refusal[4])
    assert.equal(await connack(service, undefined, undefined, { version: 5 }), refusal[5])
  })

  scenario('a device and a browser share the login and a room', { ...closed, config: keys + passwordFile() + rooms }, async world => {
    const browser = await world.browser(undefined, { query: {}, auth: { token: token({ sub: 'carol' }) } })
    await browser.call('roomJoin', 'den')
    const device = await world.device('alice', { password: 'right: pässword', version: 5 })
    assert.deepEqual(await device.notified('loginConfirmed'), { user: 'alice', data: { id: device.id } })
    await device.call('roomJoin', 'den')
    assert.deepEqual(await browser.notified('roomUserJoined', (room, user) => user === 'alice'), ['den', 'alice'])
    await device.call('roomMessage', 'den', { from: 'device' })
    assert.equal((await browser.message('den')).author, 'alice')
    await browser.call('roomMessage', 'den', { from: 'browser' })
    assert.equal((await device.message('den', m => m.from === 'browser')).author, 'carol')
    // the same user in both worlds
    const same = await world.browser(undefined, { query: {}, auth: { user: 'alice', password: 'right: pässword' } })
    assert.deepEqual(Object.keys(await same.call('listOwnSockets')).sort(), [same.id, device.id].sort())
  })

  scenario('the end of a token ends the session', { ...closed, config: keys + rooms }, async world => {
    const browser = await world.browser(undefined, { query: {}, auth: { token: token({ sub: 'carol' }) } })
    await browser.call('roomJoin', 'den')
    for (const version of [4, 5]) {
      const lasting = await world.device('bob', { ...tokenOf('bob'), version, client: `bob-${version}` })
      await lasting.call('roomJoin', 'den')
      const { exp, prepared: { ending, alice } } = await beforeTheEnd(async exp => {
        const alice = `alice${exp}`
        const ending = await world.device(alice, { ...tokenOf(alice, { exp }), version })
        assert.equal((await ending.notified('loginConfirmed')).data.expiresAt, exp * 1000)
        await ending.call('roomJoin', 'den')
        return { ending, alice }
      })
      const reason = version === 5 && new Promise(resolve => ending.mqtt.once('disconnect', packet => resolve(packet.reasonCode)))
      assert.deepEqual(await browser.notified('roomUserLeft', (room, user) => user === alice), ['den', alice])
      assert.ok(Date.now() >= exp * 1000, 'not before')
      assert.ok(Date.now() < exp * 1000 + paced(2000), 'soon after')
      await within(ending.closed, 'the end of the connection')
      if (version === 5) assert.equal(await reason, 0x98, 'administrative action')
      assert.equal(await connack(world.service, 'alice', token({ sub: 'alice', exp })), refusal[4])
      await lasting.call('roomMessage', 'den', { still: 'here' })
      await lasting.leave()
      assert.deepEqual(await browser.notified('roomUserLeft', (room, user) => user === 'bob'), ['den', 'bob'])
    }
  })

  scenario('who comes again with a new token stays', { ...closed, config: keys + rooms }, async world => {
    const browser = await world.browser(undefined, { query: {}, auth: { token: token({ sub: 'carol' }) } })
    await browser.call('roomJoin', 'den')
    const { prepared: { again, bob } } = await beforeTheEnd(async exp => {
      const [alice, bob] = [`alice${exp}`, `bob${exp}`]
      const first = await world.device(alice, tokenOf(alice, { exp }))
      const again = await world.device(alice, tokenOf(alice, { exp: exp + 600 }))
      await within(first.closed, 'takeover')
      await again.call('roomJoin', 'den')
      // the end of a token that lasts as long as the first one did
      const other = await world.device(bob, tokenOf(bob, { exp }))
      await other.call('roomJoin', 'den')
      return { again, bob }
    })
    assert.deepEqual(await browser.notified('roomUserLeft', (room, user) => user === bob), ['den', bob])
    await again.call('roomMessage', 'den', { a: 1 })
    assert.deepEqual(browser.waiting('roomUserLeft').filter(([, user]) => user === again.user), [])
  })

  scenario('a token limits the rooms, on both transports alike', { ...closed, config: keys + rooms }, async world => {
    const limited = { roombus: { join: ['den', 'a b/ü'], publish: ['a b/ü'] } }
    const browser = await world.browser(undefined, { query: {}, auth: { token: token({ sub: 'alice', ...limited }) } })
    const devices = await Promise.all([4, 5].map(version => world.device(`bob${version}`, { ...tokenOf(`bob${version}`, limited), version })))
    for (const client of [browser, ...devices]) {
      for (const room of ['den', 'a b/ü']) assert.equal(await client.call('roomJoin', room), 1)
      assert.ok(await client.call('roomMessage', 'a b/ü', { a: 1 }))
      for (const [command, ...args] of [['roomMessage', 'den', { a: 1 }], ['roomJoin', 'hall'], ['roomJoin', 'none'], ['roomGetOwner', 'hall'],
        ['roomRecentHistory', 'hall'], ['roomHistoryGet', 'hall', 0, 10], ['roomGetAccessList', 'hall', 'userlist'], ['roomUserSeen', 'hall', 'carol'],
        ['roomMessage', 'hall', { a: 1 }]]) {
        await assert.rejects(client.call(command, ...args), chatError('notAllowed'), `${command} ${args[0]}`)
      }
      await client.call('roomLeave', 'hall')
    }
    // without a reply, too
    const wide = await world.device('carol', tokenOf('carol'))
    await wide.call('roomJoin', 'den')
    await devices[0].send('den', { forbidden: true })
    await devices[0].call('listOwnSockets') // in order: what was sent before has been dealt with
    await wide.call('roomMessage', 'den', { last: true })
    assert.equal((await wide.message('den')).last, true)
    // a new life by another token has the rights of that one
    const again = await world.device('bob4', tokenOf('bob4', { roombus: { join: ['hall'] } }))
    assert.equal(await again.call('roomJoin', 'hall'), 1)
    await assert.rejects(again.call('roomJoin', 'den'), chatError('notAllowed'))
  })

  scenario('limits outlive a renewed login', { ...closed, config: keys + rooms }, async world => {
    const limited = { roombus: { join: ['den'] } }
    const browser = await world.browser(undefined, { query: {}, auth: { token: token({ sub: 'alice', ...limited }) } })
    assert.ok((await browser.call('renewLogin', token({ sub: 'alice', ...limited }))).expiresAt)
    await assert.rejects(browser.call('roomJoin', 'hall'), chatError('notAllowed'))
    await assert.rejects(browser.call('renewLogin', token({ sub: 'alice' })), chatError('notAllowed'))
    await assert.rejects(browser.call('roomJoin', 'hall'), chatError('notAllowed'))
  })

  scenario('a token may make an administrator of rooms', { ...closed, config: keys + rooms }, async world => {
    const admin = { roombus: { admin: true } }
    const browser = await world.browser(undefined, { query: {}, auth: { token: token({ sub: 'root', ...admin }) } })
    const device = await world.device('chief', tokenOf('chief', admin))
    const user = await world.device('bob', tokenOf('bob', { roombus: { admin: false } }))
    for (const [client, room] of [[browser, 'one'], [device, 'two']]) {
      await client.call('roomCreate', room, true)
      await client.call('roomAddToList', 'den', 'blacklist', [room])
      await assert.rejects(user.call('roomCreate', `${room} more`, false), chatError('notAllowed'))
      await assert.rejects(user.call('roomJoin', room), chatError('notAllowed'))
      await assert.rejects(user.call('roomDelete', room), chatError('notAllowed'))
    }
    assert.deepEqual((await device.call('roomGetAccessList', 'den', 'blacklist')).sort(), ['one', 'two'])
    await browser.call('roomDelete', 'two')
    await device.call('roomDelete', 'one')
  })

  scenario('a changed password file holds for new logins', {
    ...closed, config: passwordFile('changing') + '[auth]\nreload_interval = 100\n'
  }, async world => {
    const answer = (user, password) => connack(world.service, user, password, { client: 'changing' })
    const device = await world.device('bob', { password: 'other' })
    assert.equal(await answer('alice', 'right: pässword'), 0)
    put('changing', hashOf('alice', 'new one') + hashOf('dave', 'late'))
    await eventually(async () => await answer('dave', 'late') === 0, 'the login of a new user')
    assert.equal(await answer('alice', 'new one'), 0)
    assert.equal(await answer('alice', 'right: pässword'), refusal[4], 'not from memory either')
    assert.equal(await answer('bob', 'other'), refusal[4], 'no user any more')
    await device.call('listOwnSockets') // who is in, stays
    put('changing', 'alice:plain text\n')
    await eventually(() => /broker_says .*the users before stay valid/.test(world.service.output), 'a word about the bad file')
    assert.equal(await answer('dave', 'late'), 0)
    put('changing', hashOf('alice', 'third'))
    process.kill(world.service.pid, 'SIGHUP')
    await eventually(async () => await answer('alice', 'third') === 0, 'the third password')
  })

  scenario('failures of an address are limited', {
    ...closed, config: passwordFile('limited').replace('max_failures = 1000', 'max_failures = 3')
  }, async ({ service }) => {
    assert.equal(await connack(service, 'alice', 'right: pässword'), 0)
    for (let i = 0; i < 3; ++i) assert.equal(await connack(service, 'alice', `guess ${i}`), refusal[4])
    assert.equal(await connackOnce(service, 'alice', 'guess 4'), 'closed', 'not checked')
    assert.equal(await connackOnce(service, 'alice', 'right: pässword'), 'closed', 'nor told')
  })

  scenario('the broker comes back with its logins', { ...closed, config: keys + passwordFile() + rooms }, async world => {
    const [child] = await world.service.children()
    process.kill(child.pid, 'SIGKILL')
    await eventually(async () => await connack(world.service, 'bob', 'other').catch(() => 1) === 0, 'a login at the new broker')
    const device = await world.device('alice', { ...tokenOf('alice', { roombus: { join: ['den'] } }) })
    await device.notified('loginConfirmed')
    await assert.rejects(device.call('roomJoin', 'hall'), chatError('notAllowed'))
    assert.equal(await connack(world.service, 'bob', 'wrong'), refusal[4])
  })

  scenario('client ids may be bound to users', { ...closed, config: passwordFile('own-ids') + '[mqtt]\nclient_ids = "own"\n' }, async ({ service }) => {
    for (const [client, answer] of [['bob~phone', 0], ['bob', 0], ['alice~phone', refusal[4]], ['phone', refusal[4]]]) {
      assert.equal(await connack(service, 'bob', 'other', { client }), answer, client)
    }
  })

  test('a Mosquitto of one\'s own with the plugin takes the same logins', { timeout: 60000 }, () => ending(async ends => {
    const options = `plugin_opt_password_file ${put('own', accounts)}\nplugin_opt_jwt_secret_file ${put('own-secret', secret + '\n')}\n` +
      'plugin_opt_jwt_audience other\nplugin_opt_jwt_audience roombus\nplugin_opt_jwt_leeway 0\nplugin_opt_max_failures 100\n'
    const broker = ends(await startPluginBroker({ devices: account('eve', 'eve-pw'), options }), broker => broker.stop())
    const start = async () => ends(await startRoombus({ dev: false, mqtt: null, config: broker.config + keys + rooms }), service => service.stop())
    const service = await start()
    service.mqtt = broker.address
    assert.equal(await connack(service, 'eve', 'eve-pw'), 0, 'an account of mosquitto_passwd')
    assert.equal(await connack(service, 'eve', 'wrong'), refusal[4])
    assert.equal(await connack(service, 'alice', 'right: pässword'), 0)
    assert.equal(await connack(service, 'alice', 'eve-pw'), refusal[4])
    assert.equal(await connack(service, 'roombus', token({ sub: 'roombus', aud: 'roombus' })), refusal[4], 'the name of a bridge')
    assert.equal(await connack(service, 'alice', token({ sub: 'alice' })), refusal[4], 'without audience')
    const connect = async (user, claims) => {
      const password = token({ sub: user, aud: 'roombus', roombus: { join: ['den'] }, ...claims })
      const device = ends(await Device.connect(service, { user, password, version: 5 }), device => device.close())
      await device.notified('loginConfirmed')
      return device
    }
    const { exp, prepared: device } = await beforeTheEnd(async exp => {
      const device = await connect('eve', { exp })
      assert.equal(await device.call('roomJoin', 'den'), 1)
      await assert.rejects(device.call('roomJoin', 'hall'), chatError('notAllowed'))
      return device
    })
    await ended(exp)
    await within(device.closed, 'the end of the token')
    const lasting = await connect('bob')
    await service.stop()
    await start()
    await lasting.notified('loginConfirmed') // of the new one
    assert.equal(await lasting.call('roomJoin', 'den'), 1)
    await assert.rejects(lasting.call('roomJoin', 'hall'), chatError('notAllowed'), 'limits outlive a restart of roombus')
  }))

  test('a Mosquitto of one\'s own does not start with a bad file or option', { timeout: 60000 }, async () => {
    for (const bad of [`plugin_opt_password_file ${put('plain', 'alice:secret\n')}`, `plugin_opt_jwt_secret_file ${put('short', 'short')}`,
      `plugin_opt_jwt_jwks_file ${path.join(folder, 'missing')}`, 'plugin_opt_jwt_audiences roombus']) {
      await assert.rejects(startPluginBroker({ devices: '', options: bad + '\n' }), /mosquitto does not start/, bad)
    }
    await assert.rejects(startPluginBroker({ devices: '', options: 'plugin_opt_jwt_secret_hex 5ec2e7c0ffee5ec2e7c0ffe\n' }), error =>
      /plugin_opt_jwt_secret_hex/.test(error.message) && !/5ec2e7/.test(error.message), 'a refused value is not in the log')
  })
}
