// The program on a Redis that is reached over TLS, and on those that it must not use.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { startRedis } from '../topology/redis.mjs'
import { Browser } from './support/browser.mjs'
import { Authority } from './support/certificates.mjs'
import { ending } from './support/ending.mjs'
import { eventually } from './support/deadline.mjs'
import { refusedStart } from './support/refused_start.mjs'
import { freePort, startRoombus } from './support/roombus.mjs'

/** Runs `run` with a Redis that has a certificate for 127.0.0.1 at `redis.secure`, and its authority. */
const withRedis = run => ending(async ends => {
  const authority = ends(await Authority.create(), one => one.remove())
  const { files } = await authority.issue('IP:127.0.0.1')
  const folder = ends(await mkdtemp(path.join(tmpdir(), 'roombus-redis-tls-')), folder => rm(folder, { recursive: true, force: true }))
  const redis = ends((await startRedis(folder)).nodes[0], redis => redis.kill())
  redis.secure = await freePort()
  assert.equal(await redis.ask('CONFIG', 'SET', 'tls-cert-file', files.cert, 'tls-key-file', files.key, 'tls-ca-cert-file', authority.ca,
    'tls-auth-clients', 'no', 'tls-port', redis.secure), 'OK')
  await run(redis, authority, ends)
})

/** `timeout` is how long a Redis that works may take, on a busy machine too. */
const onRedis = (url, ca, timeout = 3000) => ({
  config: `[store]\nkind = "redis"\ntimeout = ${timeout}\n${ca ? `redis_ca_file = "${ca}"\n` : ''}[[room]]\nname = "default"\n`,
  mqtt: false,
  args: ['--store.redis', url]
})

test('rooms are kept in a Redis over TLS, also when connections are cut', { timeout: 60000 }, () => withRedis(async (redis, authority, ends) => {
  const service = ends(await startRoombus(onRedis(`rediss://127.0.0.1:${redis.secure}`, authority.ca)), one => one.stop())
  assert.match(service.output, /store_open rooms and users are kept in Redis at 127\.0\.0\.1:\d+ \(TLS\)/)
  const alice = ends(await Browser.connect(service, { user: 'alice' }), one => one.close())
  await alice.call('roomJoin', 'default')
  assert.equal(await alice.call('roomMessage', 'default', { text: 'one' }), 1)
  await redis.cutClients()
  assert.equal(await alice.call('roomMessage', 'default', { text: 'two' }), 2)
  await eventually(async () => (await service.get('/readyz')).status === 200, 'readiness')
  const clients = await redis.ask('CLIENT', 'LIST')
  const [ours] = clients.split('\n').filter(line => line.includes('name=roombus-'))
  assert.ok(ours?.includes(`laddr=127.0.0.1:${redis.secure} `), `only at the port with TLS: ${clients}`)
}))

test('a Redis that cannot be trusted ends the start', { timeout: 60000 }, () => withRedis(async (redis, authority, ends) => {
  const other = ends(await Authority.create(), one => one.remove())
  const secure = `rediss://127.0.0.1:${redis.secure}`
  const asked = []
  const refused = async (url, ca, text) => {
    await refusedStart(onRedis(url, ca, 1000), text)
    asked.push((await redis.ask('INFO', 'commandstats')).includes('cmdstat_script'))
  }
  await refused(secure, '', 'self-signed certificate in certificate chain')
  await refused(secure, other.ca, 'the certificate is not accepted: self-signed certificate in certificate chain (for 127.0.0.1) (check store.redis_ca_file')
  await refused(`rediss://localhost:${redis.secure}`, authority.ca, 'the certificate is not accepted: hostname mismatch (for localhost)')
  await refused(`redis://127.0.0.1:${redis.secure}`, authority.ca, 'rediss://')
  assert.deepEqual(asked, [false, false, false, false], 'nothing was told to it')
}))
