// Hooks over https: a server that can be trusted, and those that cannot.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from './support/browser.mjs'
import { chatError } from './support/chat_error.mjs'
import { Authority } from './support/certificates.mjs'
import { eventually } from './support/deadline.mjs'
import { ending } from './support/ending.mjs'
import { HookServer } from './support/hook_server.mjs'
import { startRoombus } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'

const hooks = ['roomMessageBefore']

const section = (server, more) => `[hooks.http]\nurl = "${server.url}"\nhooks = ${JSON.stringify(hooks)}\n${more}\n`

/**
 * A scenario with an https server that has a certificate for `names`. `more(authority, own)` is further text of
 * [hooks.http], `tls` are further options of the server.
 */
function secured (name, { names = 'IP:127.0.0.1', host, more = authority => `ca_file = "${authority.ca}"`, tls = {} }, body) {
  let server
  scenario(name, async t => {
    const authority = await Authority.create()
    t.after(() => authority.remove())
    const own = await authority.issue(names)
    server = await new HookServer({ host, tls: { ...own, ...typeof tls === 'function' ? tls(authority) : tls } }).start()
    t.after(() => server.kill())
    return { mqtt: false, config: section(server, await more(authority)) }
  }, world => body(server, world))
}

const count = (service, reason) => service.metric('roombus_hook_failures_total', `reason="${reason}"`)

secured('hooks are asked over https, on one connection', {}, async (server, world) => {
  server.hooks.roomMessageBefore = ({ args: [room, message] }) => ({ args: [room, { ...message, seen: true }] })
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'default')
  for (let n = 1; n <= 20; ++n) {
    assert.equal(await alice.call('roomMessage', 'default', { n }), n)
    assert.equal((await alice.message('default')).seen, true)
    // what TLS 1.3 sends after the handshake (session tickets) must not be taken for an end of the connection
    await world.service.metric('roombus_hook_http_connections')
  }
  assert.equal(server.connections, 1, 'the connection is kept')
  server.hooks.roomMessageBefore = () => ({ error: { code: 'notAllowed' } })
  await assert.rejects(alice.call('roomMessage', 'default', { n: 0 }), chatError('notAllowed'))
})

secured('the server is known by its name', { names: 'DNS:localhost', host: 'localhost' }, async (server, world) => {
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'default')
  assert.equal(await alice.call('roomMessage', 'default', { text: 'hello' }), 1)
  assert.equal(server.asked('roomMessageBefore').length, 1)
})

secured('a server that asks who we are is shown a certificate', {
  tls: authority => ({ requestCert: true, rejectUnauthorized: true, ca: authority.caText }),
  more: async authority => {
    const { files } = await authority.issue('DNS:roombus.test')
    return `ca_file = "${authority.ca}"\ncert_file = "${files.cert}"\nkey_file = "${files.key}"`
  }
}, async (server, world) => {
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'default')
  assert.equal(await alice.call('roomMessage', 'default', { text: 'hello' }), 1)
  assert.equal(server.asked('roomMessageBefore').length, 1)
})

secured('a server that asks who we are, and we have nothing to show', {
  tls: authority => ({ requestCert: true, rejectUnauthorized: true, ca: authority.caText })
}, async (server, world) => {
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'default')
  await assert.rejects(alice.call('roomMessage', 'default', { text: 'hello' }), chatError('unavailable'))
  assert.equal(server.calls.length, 0)
  await eventually(() => /alert certificate required/.test(world.service.output), 'the reason in the log')
})

const untrusted = {
  'an authority that is not trusted': [{ more: () => '' }, /unable to get local issuer certificate/],
  'a certificate of another address': [{ names: 'IP:127.0.0.2' }, /IP address mismatch/],
  'a certificate of another name': [{ names: 'DNS:other.test,IP:127.0.0.1', host: 'localhost' }, /hostname mismatch/]
}
for (const [what, [options, why]] of Object.entries(untrusted)) {
  for (const policy of ['reject', 'continue']) {
    const more = options.more ?? (authority => `ca_file = "${authority.ca}"`)
    secured(`${what}: nothing is asked, ${policy}`, {
      ...options, more: async authority => `${await more(authority)}\non_failure = "${policy}"`
    }, async (server, world) => {
      const alice = await world.browser('alice')
      await alice.call('roomJoin', 'default')
      const sent = alice.call('roomMessage', 'default', { text: 'secret' })
      if (policy === 'reject') await assert.rejects(sent, chatError('unavailable'))
      else assert.equal(await sent, 1)
      assert.equal(server.calls.length, 0, 'the server is told nothing')
      assert.equal(await count(world.service, 'unreachable'), 1)
      await eventually(() => why.test(world.service.output), 'the reason in the log')
      assert.match(world.service.output, /the certificate is not accepted/)
    })
  }
}

secured('a server that restarts is asked again', {}, async (server, world) => {
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'default')
  for (let round = 0; round < 3; ++round) {
    await eventually(() => alice.call('roomMessage', 'default', { round }).then(() => true, () => false), 'a message')
    await server.kill()
    await assert.rejects(alice.call('roomMessage', 'default', { round }), chatError('unavailable'))
    await server.start()
  }
  await eventually(() => alice.call('roomMessage', 'default', { text: 'at last' }).then(() => true, () => false), 'a message')
})

test('plain http where https is expected, and the other way round', { timeout: 60000 }, () => ending(async ends => {
  const authority = ends(await Authority.create(), one => one.remove())
  const plain = ends(await new HookServer().start(), one => one.kill())
  const secure = ends(await new HookServer({ tls: await authority.issue('IP:127.0.0.1') }).start(), one => one.kill())
  for (const [url, why] of [[plain.url.replace('http:', 'https:'), /no TLS is spoken there/], [secure.url.replace('https:', 'http:'), /roomMessageBefore/]]) {
    const service = ends(await startRoombus({ mqtt: false, config: section({ url }, `ca_file = "${authority.ca}"`) }), one => one.stop())
    const alice = ends(await Browser.connect(service, { user: 'alice' }), one => one.close())
    await alice.call('roomJoin', 'default')
    await assert.rejects(alice.call('roomMessage', 'default', { text: 'hello' }), chatError('unavailable'))
    await eventually(() => why.test(service.output), 'the reason in the log')
  }
  assert.equal(plain.calls.length + secure.calls.length, 0)
}))

test('files that cannot be used are told at the start, with the line', { timeout: 60000 }, () => ending(async ends => {
  const authority = ends(await Authority.create(), one => one.remove())
  const { files } = await authority.issue('DNS:roombus.test')
  const hook = more => `[hooks.http]\nurl = "https://localhost/"\n${more}`
  const redis = more => `[store]\nkind = "redis"\nredis = "rediss://127.0.0.1:1"\n${more}`
  const cases = [
    [hook('ca_file = "/nowhere"'), /roombus\.toml:3: hooks\.http\.ca_file: cannot use the certificates in "\/nowhere": No such file/],
    [hook(`ca_file = "${files.key}"`), /roombus\.toml:3: hooks\.http\.ca_file: cannot use the certificates/],
    [hook(`cert_file = "${files.cert}"`), /roombus\.toml:3: hooks\.http\.cert_file: cannot use the key in/],
    [hook(`cert_file = "${files.cert}"\nkey_file = "${authority.folder}/ca.key"`), /roombus\.toml:4: hooks\.http\.key_file: cannot use the key in .*mismatch/],
    [redis('redis_ca_file = "/nowhere"'), /roombus\.toml:4: store\.redis_ca_file: cannot use the certificates in "\/nowhere": No such file/],
    [redis(`redis_cert_file = "${files.cert}"\nredis_key_file = "/nowhere"`), /roombus\.toml:5: store\.redis_key_file: cannot use the key in "\/nowhere": No such file/],
    ['[store]\nkind = "redis"\ncluster = true\nredis = "rediss://a,redis://b"', /roombus\.toml:4: store\.redis: expected either redis:\/\/ or rediss:\/\/ for all nodes/]
  ]
  for (const [config, message] of cases) await assert.rejects(startRoombus({ config, mqtt: false }), message)
}))
