// The endpoint that EMQX, VerneMQ and RabbitMQ ask, over HTTP as they do, with real passwords and tokens.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'
import { Browser } from './support/browser.mjs'
import { binary } from './support/cli.mjs'
import { DEADLINE_MS, eventually } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { ending } from './support/ending.mjs'
import { startMosquitto, startRoombus } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'
import { beforeTheEnd, secret, soon, token } from './support/tokens.mjs'

const folder = mkdtempSync(path.join(tmpdir(), 'roombus-broker-auth-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const users = path.join(folder, 'users')
writeFileSync(users, execFileSync(binary, ['hash-password', '--user', 'alice'], { input: 'alice-pw\n', encoding: 'utf8' }))

const config = `[mqtt]\nauth_key = "broker%key/+"\n` +
  `[auth.password]\nfile = "${users}"\n[auth.jwt]\nsecret = "${secret}"\n`
const options = { dev: false, mqtt: false, config }
const key = 'broker%key/+'

/** A token ends at the latest within this time. */
const LONGEST_MS = 60000

async function post (service, where, body, headers = {}) {
  const answer = await fetch(`http://${service.admin}/broker/${where}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers,
    signal: AbortSignal.timeout(DEADLINE_MS)
  })
  return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') }
}

scenario('EMQX asks about logins and topics', options, async ({ service }) => {
  const ask = async (where, body) => {
    const { status, text, type } = await post(service, `emqx/${where}`, body, { authorization: `Bearer ${key}` })
    assert.deepEqual([status, type], [200, 'application/json'])
    return JSON.parse(text)
  }
  const login = (password, username = 'alice', clientid = 'alice~1') =>
    ask('authn', { username, clientid, password, peerhost: '192.0.2.1' })
  assert.deepEqual(await login('alice-pw'), { result: 'allow', is_superuser: false })
  assert.deepEqual(await login('wrong'), { result: 'deny' })
  assert.deepEqual(await login('alice-pw', 'alice', 'bob'), { result: 'deny' })
  assert.deepEqual(await login('alice-pw', 'bob', 'bob'), { result: 'deny' })

  const topic = { username: 'alice', clientid: 'alice~1', action: 'publish', topic: 'roombus/u/alice/alice~1/send/den', retain: 'false' }
  assert.deepEqual(await ask('authz', topic), { result: 'allow' })
  assert.deepEqual(await ask('authz', { ...topic, topic: 'roombus/u/bob/bob/send/den' }), { result: 'deny' })
  assert.deepEqual(await ask('authz', { ...topic, username: 'bob' }), { result: 'deny' })

  const exp = soon(2)
  assert.deepEqual(await login(token({ sub: 'bob', exp }), 'alice'), { result: 'deny' }, 'the token of another user')
  assert.deepEqual(await login(token({ sub: 'alice', exp: exp - 7200 })), { result: 'deny' }, 'expired')
  assert.deepEqual(await login(token({ sub: 'alice', exp, roombus: { join: ['den'] } })), { result: 'deny' }, 'limited to a room')
  assert.deepEqual(await login(token({ sub: 'alice', exp }).slice(0, -2)), { result: 'deny' }, 'cut')
  const allowed = await login(token({ sub: 'alice', exp }))
  assert.equal(allowed.result, 'allow')
  assert.ok(allowed.expire_at >= exp, 'the end of the login')
  assert.deepEqual(await ask('authz', topic), { result: 'allow' })
})

scenario('topics are refused once the token has ended', { ...options, config: config + 'leeway = 0\n' }, async ({ service }) => {
  const headers = { authorization: `Bearer ${key}` }
  const hook = (name, body) => post(service, 'vernemq', { username: 'alice', client_id: 'alice', mountpoint: '', ...body },
    { ...headers, 'vernemq-hook': name }).then(({ text }) => JSON.parse(text).result)
  const subscribe = () => hook('auth_on_subscribe_m5', { topics: [{ topic: 'roombus/u/alice/alice/#', qos: 1 }], properties: {} })
  const { exp } = await beforeTheEnd(async exp => {
    assert.equal(await hook('auth_on_register', { password: token({ sub: 'alice', exp }) }), 'ok')
    assert.equal(await subscribe(), 'ok')
  })
  await eventually(async () => (await subscribe()).error === 'not_allowed', 'the end of the login', LONGEST_MS)
  assert.ok(Date.now() / 1000 >= exp)
})

scenario('RabbitMQ has the key in the path', options, async ({ service }) => {
  const ask = (where, body, k = key) => post(service, `key/${encodeURIComponent(k)}/rabbitmq/${where}`, new URLSearchParams(body).toString())
  const login = { username: 'alice', password: 'alice-pw', client_id: 'alice', vhost: '/' }
  assert.equal((await ask('user', login)).text, 'allow')
  assert.equal((await ask('user', { ...login, password: 'x' })).text, 'deny')
  assert.equal((await ask('user', { ...login, client_id: '' })).text, 'deny')
  assert.equal((await ask('user', login, 'guess')).status, 401)
  assert.equal((await post(service, 'rabbitmq/user', new URLSearchParams(login).toString())).status, 401)
  assert.ok(await service.metric('roombus_broker_auth_refused_requests_total') >= 2)
})

scenario('without a key nobody asks', { dev: false, mqtt: false, config: config.replace(/auth_key.*/, '') }, async ({ service }) => {
  for (const where of ['emqx/authn', 'key//emqx/authn', 'key/x/rabbitmq/user']) {
    assert.equal((await post(service, where, '{}', { authorization: 'Bearer ' })).status, 404, where)
  }
})

test('a device whose token ends leaves its rooms, though its broker keeps it', { timeout: 60000 }, () => ending(async ends => {
  const broker = ends(await startMosquitto(), broker => broker.stop())
  const service = ends(await startRoombus({
    dev: false,
    mqtt: null,
    config: config.replace('[mqtt]', `[mqtt]\nbroker = "tcp://${broker.address}"\nidentity = "acl"`)
      .replace('[auth.jwt]', '[auth.jwt]\nleeway = 0') + '[[room]]\nname = "den"\nenable_userlist_updates = true\n'
  }), service => service.stop())
  service.mqtt = broker.address
  const browser = ends(await Browser.connect(service, { query: {}, auth: { token: token({ sub: 'carol' }) } }), browser => browser.close())
  await browser.call('roomJoin', 'den')
  const log = async (clientid, password) => JSON.parse((await post(service, 'emqx/authn', { username: 'alice', clientid, password },
    { authorization: `Bearer ${key}` })).text).result
  const join = async client => {
    const device = ends(await Device.connect(service, { user: 'alice', client, shared: false }), device => device.close())
    await device.call('roomJoin', 'den')
    return device
  }
  const { exp, prepared: devices } = await beforeTheEnd(async exp => {
    assert.equal(await log('alice~1', token({ sub: 'alice', exp })), 'allow')
    assert.equal(await log('alice~2', token({ sub: 'alice', exp })), 'allow')
    assert.equal(await log('alice~2', 'alice-pw'), 'allow', 'comes again, without an end')
    return [await join('alice~1'), await join('alice~2')]
  })
  await eventually(async () => !(devices[0].id in await devices[1].call('listOwnSockets')), 'the end of the session', LONGEST_MS)
  assert.ok(Date.now() >= exp * 1000, 'not before')
  assert.equal((await browser.call('roomUserSeen', 'den', 'alice')).joined, true, 'by the other device')
  await browser.call('roomMessage', 'den', { after: 'the end' })
  assert.equal((await devices[1].message('den')).after, 'the end')
  await devices[1].leave()
  await browser.notified('roomUserLeft')
  assert.deepEqual(devices[0].waiting('roomMessage'), [])
}))
