// `/readyz`: 503 with a reason while the store or the broker is out of reach, and 200 again without anybody's help. A Redis
// that cannot be used at the start ends the program with a text that says what to do.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { Link } from '../topology/link.mjs'
import { startRedis } from '../topology/redis.mjs'
import { Browser } from './support/browser.mjs'
import { chatError } from './support/chat_error.mjs'
import { eventually } from './support/deadline.mjs'
import { ending } from './support/ending.mjs'
import { paced } from './support/pace.mjs'
import { refusedStart } from './support/refused_start.mjs'
import { freePort, startMosquitto, startRoombus } from './support/roombus.mjs'

const becomes = (service, status, what) => eventually(async () => {
  const answer = await service.get('/readyz')
  return answer.status === status && answer
}, what)

/** Runs `run` with a Redis and a wire to it that can be cut. */
const withRedis = run => ending(async ends => {
  const folder = ends(await mkdtemp(path.join(tmpdir(), 'roombus-ready-')), folder => rm(folder, { recursive: true, force: true }))
  const redis = ends((await startRedis(folder)).nodes[0], redis => redis.kill())
  await run(redis, ends(await Link.open('redis', redis.address), wire => wire.close()))
})

/** `timeout` is how long a Redis that works may take, on a busy machine too. */
const onRedis = (url, more = [], timeout = 3000) => ({
  config: `[store]\nkind = "redis"\ntimeout = ${timeout}\n[[room]]\nname = "default"\n`, mqtt: false, args: ['--store.redis', url, ...more]
})

test('a Redis that is away, or silent, and comes back', { timeout: 90000 }, () => withRedis(async (redis, wire) => {
  const service = await startRoombus(onRedis(`redis://${wire.address}`))
  try {
    assert.deepEqual(await becomes(service, 200, 'readiness'), { status: 200, body: 'ready\n' })
    const browser = await Browser.connect(service, { user: 'ann' })
    await browser.call('roomJoin', 'default')
    for (const trouble of ['cut', 'stall']) {
      wire[trouble]()
      assert.equal((await becomes(service, 503, `503 after ${trouble}`)).body, 'not ready: the store is out of reach\n')
      assert.equal((await service.get('/healthz')).status, 200)
      await assert.rejects(browser.call('roomHistoryInfo', 'default'), chatError('unavailable'))
      wire.mend()
      await becomes(service, 200, `readiness after ${trouble}`)
      await eventually(() => browser.call('roomMessage', 'default', { after: trouble }).then(() => true, chatError('unavailable')).then(done => done),
        'a message')
    }
    browser.close()
  } finally {
    await service.stop()
  }
}))

test('a broker that is away and comes back', { timeout: 60000 }, () => ending(async ends => {
  const broker = ends(await startMosquitto(), broker => broker.stop())
  const wire = ends(await Link.open('broker', broker.address), wire => wire.close())
  const config = `[mqtt]\nbroker = "tcp://${wire.address}"\nidentity = "acl"\n`
  const service = ends(await startRoombus({ config, mqtt: null }), service => service.stop())
  await becomes(service, 200, 'readiness')
  wire.cut()
  assert.equal((await becomes(service, 503, '503')).body, 'not ready: the broker is out of reach\n')
  assert.equal((await service.get('/healthz')).status, 200)
  wire.mend()
  await becomes(service, 200, 'readiness again')
}))

test('a start without a Redis tells what was tried, in time', { timeout: 60000 }, async () => {
  const nobody = `127.0.0.1:${await freePort()}`
  const began = Date.now()
  await refusedStart(onRedis(`redis://${nobody}`, [], 1000),
    `store.redis: cannot use Redis: ${nobody}: cannot connect: Connection refused (is it running, and is store.redis right?)`)
  assert.ok(Date.now() - began < paced(5000), `it took ${Date.now() - began} ms with store.timeout = 1000`)
})

test('a start with a silent Redis', { timeout: 60000 }, () => withRedis(async (redis, wire) => {
  wire.stall()
  const began = Date.now()
  await refusedStart(onRedis(`redis://${wire.address}`, [], 1000), 'store.redis: cannot use Redis: ')
  assert.ok(Date.now() - began < paced(5000), `it took ${Date.now() - began} ms with store.timeout = 1000`)
}))

test('a Redis that refuses us says why', { timeout: 90000 }, () => withRedis(async redis => {
  const { address } = redis
  await redis.ask('ACL', 'SETUSER', 'bridge', 'on', '>right', '~{roombus:*', '+@all', '-@admin', '-@dangerous', '+cluster|slots')
  await redis.ask('ACL', 'SETUSER', 'elsewhere', 'on', '>right', '~other:*', '+@all')
  await redis.ask('ACL', 'SETUSER', 'reader', 'on', '>right', '~*', '+@all', '-@write')
  const refused = async (url, why, more) => {
    const output = await refusedStart(onRedis(url, more), `store.redis: cannot use Redis: ${address}: ${why}`)
    assert.ok(!output.includes('right:') && !output.split('\n').some(line => / start_failed /.test(line) && line.includes('wrong')), 'no password in the log')
  }
  await refused(`redis://bridge:wrong@${address}`, 'refused: WRONGPASS')
  await refused(`redis://nobody:right@${address}`, 'refused: WRONGPASS')
  await refused(`redis://${address}/99`, 'refused: ERR DB index is out of range')
  await refused(`redis://elsewhere:right@${address}`, 'refused: NOPERM')
  await refused(`redis://reader:right@${address}`, 'refused: NOPERM')
  await refused(`redis://${address}`, 'ERR This instance has cluster support disabled', ['--store.cluster', 'true'])
  const served = await startRoombus(onRedis(`redis://bridge:right@${address}`))
  await served.stop()
  await redis.ask('CONFIG', 'SET', 'requirepass', 'secret')
  await refused(`redis://${address}`, 'refused: NOAUTH')
}))
