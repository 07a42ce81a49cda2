// Who was away fetches exactly what was missed, and is told when something is gone for good.

import assert from 'node:assert/strict'
import { versions } from './support/browser.mjs'
import { chatError } from './support/chat_error.mjs'
import { scenario } from './support/scenario.mjs'

const ids = messages => messages.map(message => message.id)
/** [from … to] downwards. */
const down = (from, to) => Array.from({ length: from - to + 1 }, (_, i) => from - i)

async function fill (author, room, count) {
  for (let i = 0; i < count; ++i) await author.call('roomMessage', room, { n: i })
}

scenario('a browser and a device that were away miss nothing', {}, async (world, t) => {
  const author = await world.browser('author')
  const away = [
    ...versions.map(version => [`socket.io ${version}`, () => world.browser(`web${version}`, { version })]),
    ['MQTT 3.1.1', () => world.device('sensor4', { version: 4 })],
    ['MQTT 5 CBOR', () => world.device('sensor5', { version: 5, encoding: 'cbor' })]
  ]
  for (const [name, connect] of away) {
    await t.test(name, async () => {
      const room = `away ${name}`
      await author.call('roomCreate', room, false)
      await author.call('roomJoin', room)
      const client = await connect()
      await client.call('roomJoin', room)
      await fill(author, room, 3)
      for (const id of [1, 2, 3]) await client.message(room, m => m.id === id)
      const { epoch } = await client.call('roomHistoryInfo', room)
      assert.ok(epoch.length >= 16)
      await client.call('roomLeave', room)
      await fill(author, room, 5)

      // by the join itself
      const [joined, missed] = await client.results('roomJoin', room, { after: 3, epoch, limit: 4 })
      assert.equal(joined, 1)
      assert.deepEqual(ids(missed.messages), [7, 6, 5, 4], 'the oldest four after 3, newest first')
      assert.deepEqual({ ...missed, messages: [] },
        { messages: [], gap: false, epoch, firstMessageId: 1, lastMessageId: 8 })
      assert.deepEqual(missed.messages[0].author, 'author')
      assert.equal(missed.messages[3].n, 0)

      // by history requests
      const [rest, about] = await client.results('roomHistoryGet', room, 7, 100, {})
      assert.deepEqual(ids(rest), [8])
      assert.deepEqual(about, { gap: false, epoch, firstMessageId: 1, lastMessageId: 8 })
      assert.deepEqual(ids(await client.call('roomHistoryGet', room, 3, 100)), down(8, 4))
      assert.deepEqual((await client.results('roomHistoryGet', room, 3, 100)).length, 1, 'no second result unasked')
      assert.deepEqual(ids(await client.call('roomHistoryGet', room, 1.9, 2.9)), [3, 2], 'fractions are rounded down')
      assert.deepEqual(await client.call('roomHistoryGet', room, 8, 10), [])
      const [recent, recentAbout] = await client.results('roomRecentHistory', room, {})
      assert.deepEqual(ids(recent), down(8, 1))
      assert.deepEqual(recentAbout, about)

      // live messages go on above lastMessageId
      const id = await author.call('roomMessage', room, { n: 'live' })
      assert.equal(id, 9)
      assert.equal((await client.message(room, m => m.id > 8)).id, 9)
    })
  }
})

scenario('a gap, a foreign epoch and an id from the future are told', {
  config: '[chat]\nhistory_max_size = 5\nhistory_max_get_messages = 3\n'
}, async (world, t) => {
  const owner = await world.browser('owner', { version: 2 })
  const device = await world.device('sensor', { version: 5 })
  await owner.call('roomCreate', 'den', false)
  await owner.call('roomJoin', 'den')
  const fresh = await owner.call('roomHistoryInfo', 'den')
  assert.deepEqual(fresh, {
    historyMaxGetMessages: 3, historyMaxSize: 5, historySize: 0, lastMessageId: 0, firstMessageId: 1, epoch: fresh.epoch
  })
  await fill(owner, 'den', 8)

  for (const client of [owner, device]) {
    await t.test(client === owner ? 'socket.io' : 'MQTT', async () => {
      await client.call('roomJoin', 'den')
      const { epoch } = fresh
      assert.deepEqual(await client.call('roomHistoryInfo', 'den'), {
        historyMaxGetMessages: 3, historyMaxSize: 5, historySize: 5, lastMessageId: 8, firstMessageId: 4, epoch
      })
      assert.deepEqual(ids(await client.call('roomRecentHistory', 'den')), [8, 7, 6])
      assert.deepEqual(ids(await client.call('roomHistoryGet', 'den', 0, 100)), [6, 5, 4], 'from the oldest kept')
      const rejoin = async options => {
        await client.call('roomLeave', 'den')
        return (await client.results('roomJoin', 'den', options))[1]
      }
      const state = { epoch, firstMessageId: 4, lastMessageId: 8 }
      const cases = [
        ['after a trimmed id', { after: 2 }, { messages: [6, 5, 4], gap: true }],
        ['just before the oldest kept', { after: 3 }, { messages: [6, 5, 4], gap: false }],
        ['with another epoch', { after: 7, epoch: 'other' }, { gap: true }],
        ['beyond the last', { after: 9 }, { messages: [], gap: true }],
        ['at the last', { after: 8, epoch }, { messages: [], gap: false }],
        ['with a limit', { after: 5, limit: 1 }, { messages: [6], gap: false }],
        ['without after', {}, { messages: [], gap: false }]
      ]
      for (const [name, options, wanted] of cases) {
        const told = await rejoin(options)
        const { messages, ...rest } = told
        assert.deepEqual(rest, { ...state, gap: wanted.gap }, name)
        if (wanted.messages) assert.deepEqual(ids(messages), wanted.messages, name)
      }
      assert.equal((await client.results('roomHistoryGet', 'den', 1, 3, {}))[1].gap, true)
      assert.equal((await client.results('roomHistoryGet', 'den', 4, 3, {}))[1].gap, false)
      assert.equal((await client.results('roomHistoryGet', 'den', 50, 3, {}))[1].gap, true)
    })
  }

  await t.test('a room created anew has another epoch', async () => {
    await owner.call('roomDelete', 'den')
    await assert.rejects(owner.call('roomHistoryInfo', 'den'), chatError('noRoom', 'den'))
    await owner.call('roomCreate', 'den', false)
    const [, told] = await owner.results('roomJoin', 'den', { after: 8, epoch: fresh.epoch })
    assert.equal(told.gap, true)
    assert.notEqual(told.epoch, fresh.epoch)
    assert.deepEqual({ first: told.firstMessageId, last: told.lastMessageId }, { first: 1, last: 0 })
    assert.equal(await owner.call('roomMessage', 'den', { n: 1 }), 1, 'ids start anew')
  })
})

scenario('a history of size 0 keeps nothing and ids still grow', {
  mqtt: false, config: '[chat]\nhistory_max_size = 0\n'
}, async world => {
  const owner = await world.browser('owner')
  await owner.call('roomCreate', 'den', false)
  await owner.call('roomJoin', 'den')
  await fill(owner, 'den', 3)
  assert.deepEqual(await owner.call('roomRecentHistory', 'den'), [])
  const info = await owner.call('roomHistoryInfo', 'den')
  assert.deepEqual([info.historySize, info.firstMessageId, info.lastMessageId], [0, 4, 3])
})
