// What is acked outlives the program: it is stopped, or killed, and started again on the same file.

import assert from 'node:assert/strict'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { Browser } from './support/browser.mjs'
import { chatError } from './support/chat_error.mjs'
import { within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { ending } from './support/ending.mjs'
import { startRoombus } from './support/roombus.mjs'

const rooms = `
[store]
kind = "sqlite"

[[room]]
name = "default"
owner = "olga"
whitelist = ["will"]
history_max_size = 50
`

/** Runs `run` with the path of a file, and a function that starts roombus until the end of the test. */
const inFolder = run => ending(async ends => {
  const folder = ends(await mkdtemp(path.join(tmpdir(), 'roombus-sqlite-')), folder => rm(folder, { recursive: true, force: true }))
  await run(path.join(folder, 'rooms.db'), async options => ends(await startRoombus(options), service => service.stop()))
})

test('a restart keeps rooms, lists, history, ids, keys and direct rules', { timeout: 60000 }, () => inFolder(async (file, start) => {
  const options = { config: rooms, args: ['--store.path', file] }
  const service = await start(options)
  const olga = await Browser.connect(service, { user: 'olga' })
  await olga.call('roomJoin', 'default')
  await olga.call('roomCreate', 'den', true)
  await olga.call('roomAddToList', 'den', 'adminlist', ['adam'])
  await olga.call('roomAddToList', 'default', 'blacklist', ['bob'])
  await olga.call('directAddToList', 'blacklist', ['eve'])
  const device = await Device.connect(service, { user: 'sensor' })
  await device.call('roomJoin', 'default')
  for (let id = 1; id <= 60; ++id) assert.equal(await olga.call('roomMessage', 'default', id === 60 ? { bytes: Buffer.from([0, 255]) } : { n: id }), id)
  assert.equal(await olga.call('roomMessage', 'default', { n: 61 }, { idempotencyKey: 'k' }), 61)
  const [, before] = await olga.results('roomHistoryGet', 'default', 0, 100, {})
  assert.deepEqual([before.firstMessageId, before.lastMessageId, before.gap], [12, 61, true])
  const stopping = Date.now()
  olga.close()
  await device.close()
  assert.deepEqual(await service.stop(), { code: 0, signal: null })

  const again = await Browser.connect(await start(options), { user: 'olga' })
  assert.deepEqual(await again.call('roomGetAccessList', 'default', 'userlist'), [])
  assert.deepEqual(await again.call('roomGetAccessList', 'default', 'blacklist'), ['bob'])
  assert.deepEqual(await again.call('roomGetAccessList', 'default', 'whitelist'), ['will'])
  assert.deepEqual(await again.call('roomGetAccessList', 'den', 'adminlist'), ['adam'])
  assert.equal(await again.call('roomGetWhitelistMode', 'den'), true)
  assert.deepEqual(await again.call('directGetAccessList', 'blacklist'), ['eve'])
  const seen = await again.call('roomUserSeen', 'default', 'sensor')
  assert.equal(seen.joined, false)
  assert.ok(seen.timestamp >= stopping - 1000, 'left at the stop')
  const [messages, position] = await again.results('roomHistoryGet', 'default', 0, 100, { epoch: before.epoch })
  assert.deepEqual(position, before)
  assert.deepEqual(messages.map(m => m.id), Array.from({ length: 50 }, (_, i) => 61 - i))
  assert.deepEqual([...new Uint8Array(messages[1].bytes)], [0, 255])
  await again.call('roomJoin', 'default')
  assert.equal(await again.call('roomMessage', 'default', { n: 61 }, { idempotencyKey: 'k' }), 61)
  assert.equal(await again.call('roomMessage', 'default', { n: 62 }), 62)
  await assert.rejects(again.call('roomCreate', 'den', false), chatError('roomExists', 'den'))
  again.close()
}))

test('a killed program has lost nothing that it answered', { timeout: 60000 }, () => inFolder(async (file, start) => {
  const options = { config: rooms, mqtt: false, args: ['--store.path', file] }
  let last = 0
  for (let round = 0; round < 3; ++round) {
    const service = await start(options)
    const olga = await Browser.connect(service, { user: 'olga' })
    await olga.call('roomJoin', 'default')
    const acked = []
    const killed = new Promise(resolve => {
      const send = () => olga.socket.emit('roomMessage', 'default', { n: 1 }, (error, id) => {
        if (error) return
        acked.push(id)
        if (acked.length === 40 + 17 * round) {
          service.child.kill('SIGKILL')
          resolve(service.exited)
        }
        send()
      })
      for (let i = 0; i < 8; ++i) send()
    })
    await within(killed, 'the kill amid the answers', 20000)
    olga.close()
    await service.stop()
    assert.deepEqual(acked, acked.map((_, i) => last + 1 + i), 'ids in order, without holes')

    const after = await start(options)
    const reader = await Browser.connect(after, { user: 'olga' })
    const info = await reader.call('roomHistoryInfo', 'default')
    const stored = info.lastMessageId
    assert.ok(stored >= acked.at(-1), `${acked.at(-1)} was acked, ${stored} is the last stored`)
    const kept = await reader.call('roomRecentHistory', 'default')
    assert.deepEqual(kept.map(m => m.id), kept.map((_, i) => stored - i))
    assert.deepEqual(await reader.call('roomGetAccessList', 'default', 'userlist'), [])
    last = stored
    reader.close()
    await after.stop()
  }
}))

test('without --dev the file is the default, with it memory', { timeout: 60000 }, async () => {
  for (const dev of [false, true]) {
    const service = await startRoombus({ dev, mqtt: false })
    try {
      const there = await access(path.join(service.folder, 'data/roombus.db')).then(() => true, () => false)
      assert.equal(there, !dev)
    } finally {
      await service.stop()
    }
  }
})
