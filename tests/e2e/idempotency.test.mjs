// A repeat under the same key stores and sends nothing, and answers the first id.

import assert from 'node:assert/strict'
import { versions } from './support/browser.mjs'
import { chatError } from './support/chat_error.mjs'
import { scenario } from './support/scenario.mjs'

scenario('keys on requests of browsers and devices', {}, async (world, t) => {
  const watcher = await world.browser('watcher')
  await watcher.call('roomCreate', 'den', false)
  await watcher.call('roomJoin', 'den')
  const clients = [
    ...await Promise.all(versions.map(version => world.browser(`web${version}`, { version }))),
    await world.device('sensor4', { version: 4 }),
    await world.device('sensor5', { version: 5, encoding: 'cbor' })
  ]
  for (const client of clients) {
    await t.test(client.user, async () => {
      await client.call('roomJoin', 'den')
      const key = { idempotencyKey: 'order 1' }
      const first = await client.call('roomMessage', 'den', { n: 1 }, key)
      assert.equal(await client.call('roomMessage', 'den', { n: 'whatever' }, key), first)
      const other = await client.call('roomMessage', 'den', { n: 2 }, { idempotencyKey: 'order 2' })
      assert.equal(other, first + 1, 'the repeat took no id; keys belong to one user')
      assert.equal(await client.call('roomMessage', 'den', { n: 3 }), first + 2)
      for (const [id, n] of [[first, 1], [first + 1, 2], [first + 2, 3]]) {
        const message = await watcher.message('den')
        assert.deepEqual([message.id, message.n, message.idempotencyKey], [id, n, undefined])
      }
      const bad = ['', 'x'.repeat(129), 7]
      for (const idempotencyKey of bad) {
        await assert.rejects(client.call('roomMessage', 'den', { n: 4 }, { idempotencyKey }), /Bad argument at position 2/)
      }
      assert.equal(await client.call('roomMessage', 'den', { n: 5 }, { idempotencyKey: 'x'.repeat(128) }), first + 3)
      await watcher.message('den', m => m.n === 5)
    })
  }
  await t.test('a key is bound to its room', async () => {
    await watcher.call('roomCreate', 'attic', false)
    await watcher.call('roomJoin', 'attic')
    const key = { idempotencyKey: 'the same' }
    await watcher.call('roomMessage', 'den', { n: 1 }, key)
    assert.equal(await watcher.call('roomMessage', 'attic', { n: 1 }, key), 1)
  })
  await t.test('a repeat of who may not send any more is refused', async () => {
    const guest = await world.browser('guest')
    await guest.call('roomJoin', 'den')
    const key = { idempotencyKey: 'late' }
    await guest.call('roomMessage', 'den', { n: 1 }, key)
    await watcher.call('roomAddToList', 'den', 'blacklist', ['guest'])
    await assert.rejects(guest.call('roomMessage', 'den', { n: 1 }, key), chatError('notJoined', 'den'))
  })
})

scenario('many repeats at the same time store one message', {}, async world => {
  const watcher = await world.browser('watcher')
  await watcher.call('roomCreate', 'den', false)
  await watcher.call('roomJoin', 'den')
  const sender = await world.browser('sender', { version: 2 })
  await sender.call('roomJoin', 'den')
  const answers = await Promise.all(Array.from({ length: 50 },
    (_, i) => sender.call('roomMessage', 'den', { i }, { idempotencyKey: 'one' })))
  assert.deepEqual(new Set(answers), new Set([1]))
  assert.equal((await watcher.call('roomHistoryInfo', 'den')).lastMessageId, 1)
})

scenario('correlation data is the key of a send', {}, async world => {
  const device = await world.device('sensor', { version: 5 })
  await device.call('roomCreate', 'den', false)
  await device.call('roomJoin', 'den')
  const correlationData = Buffer.from([0, 1, 2, 255])
  await device.send('den', { n: 1 }, { properties: { correlationData } })
  await device.send('den', { n: 2 }, { properties: { correlationData } })
  await device.send('den', { n: 3 }, { properties: { correlationData: Buffer.from('other') } })
  await device.send('den', { n: 4 })
  await device.send('den', { n: 5 })
  assert.equal((await device.message('den', m => m.n === 5)).id, 4)
  assert.deepEqual((await device.call('roomRecentHistory', 'den')).map(m => m.n), [5, 4, 3, 1])
})
