// A disk that is really full, or read-only, below the running program: changes are refused, nothing acked is lost, reading
// goes on, and so does the service when there is room again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Browser } from './support/browser.mjs'
import { chatError } from './support/chat_error.mjs'
import { eventually } from './support/deadline.mjs'
import { refusedStart } from './support/refused_start.mjs'
import { startRoombus } from './support/roombus.mjs'
import { cannotMount, smallDisk } from './support/small_disk.mjs'

const config = `
[store]
kind = "sqlite"

[[room]]
name = "default"
owner = "olga"
history_max_size = 10000
`

const text = 'x'.repeat(3000)
const upTo = last => Array.from({ length: last }, (_, i) => i + 1)

/** All ids that a room has kept, oldest first. */
async function storedIds (reader) {
  const ids = []
  for (;;) {
    const [messages] = await reader.results('roomHistoryGet', 'default', ids.at(-1) ?? 0, 1000, {})
    if (messages.length === 0) return ids
    ids.push(...messages.map(m => m.id).reverse())
  }
}

/** Sends until a message is refused; the ids of those that were not. */
async function sendUntilRefused (sender) {
  const acked = []
  for (let i = 0; i < 3000; ++i) {
    const id = await sender.call('roomMessage', 'default', { text }).catch(chatError('unavailable'))
    if (id === true) return acked
    acked.push(id)
  }
  assert.fail('the disk never was full')
}

async function onDisk (megabytes, run) {
  const disk = await smallDisk(megabytes)
  try {
    await run(disk, { config, mqtt: false, args: ['--store.path', `${disk.folder}/rooms.db`], through: disk.through })
  } finally {
    await disk.remove()
  }
}

test('a full disk', { timeout: 100000, skip: cannotMount }, () => onDisk(6, async (disk, options) => {
  let acked
  const service = await startRoombus(options)
  try {
    const olga = await Browser.connect(service, { user: 'olga' })
    const mia = await Browser.connect(service, { user: 'mia' })
    for (const one of [olga, mia]) await one.call('roomJoin', 'default')
    acked = []
    for (let i = 0; i < 100; ++i) acked.push(await olga.call('roomMessage', 'default', { text }))
    assert.deepEqual(acked, upTo(100))
    assert.deepEqual(await service.get('/readyz'), { status: 200, body: 'ready\n' })

    disk.fill()
    acked.push(...await sendUntilRefused(olga))
    const many = await Promise.allSettled(upTo(50).map(() => olga.call('roomMessage', 'default', { text })))
    for (const { status, value, reason } of many) {
      if (status === 'fulfilled') acked.push(value)
      else chatError('unavailable')(reason)
    }
    assert.ok(many.some(({ status }) => status === 'rejected'))
    await assert.rejects(olga.call('roomCreate', 'x'.repeat(100), false), chatError('unavailable'))
    const waiting = await service.get('/readyz')
    assert.deepEqual(waiting, { status: 503, body: 'not ready: the store cannot write\n' })
    assert.equal((await service.get('/healthz')).status, 200)

    assert.deepEqual(await storedIds(mia), acked, 'reading goes on')
    assert.deepEqual(acked, upTo(acked.length), 'no id is missing')
    assert.deepEqual((await olga.call('roomGetAccessList', 'default', 'userlist')).sort(), ['mia', 'olga'])
    await mia.call('roomLeave', 'default')
    assert.deepEqual(await olga.call('roomGetAccessList', 'default', 'userlist'), ['olga'])
    await eventually(() => /store_write_failed .*full/.test(service.output), 'a word about the full disk')
    assert.equal(service.output.match(/store_write_failed/g).length, 1, service.output)

    disk.makeRoom()
    await eventually(async () => (await service.get('/readyz')).status === 200, 'readiness without anybody writing')
    await eventually(() => /store_write_recovered/.test(service.output), 'a word about it')
    acked.push(await olga.call('roomMessage', 'default', { text }))
    assert.equal(acked.at(-1), acked.length, 'the next id follows the last that was acked')

    disk.fill()
    acked.push(...await sendUntilRefused(olga))
    olga.close()
    mia.close()
  } finally {
    await service.crash()
  }

  await refusedStart(options, `store.path: "${disk.folder}/rooms.db": cannot be written: the disk is full`)
  disk.makeRoom()
  const again = await startRoombus(options)
  try {
    const olga = await Browser.connect(again, { user: 'olga' })
    assert.deepEqual(await storedIds(olga), acked)
    assert.equal((await olga.call('roomUserSeen', 'default', 'mia')).joined, false)
    await olga.call('roomJoin', 'default')
    assert.equal(await olga.call('roomMessage', 'default', { text }), acked.length + 1)
    olga.close()
  } finally {
    await again.stop()
  }
}))

test('a disk that is read-only', { timeout: 60000, skip: cannotMount }, () => onDisk(6, async (disk, options) => {
  const service = await startRoombus(options)
  await service.stop()
  disk.readOnly()
  await refusedStart(options, `store.path: "${disk.folder}/rooms.db": is read-only (Read-only file system)`)
  await refusedStart({ ...options, args: ['--store.path', `${disk.folder}/new.db`] },
    `store.path: "${disk.folder}/new.db": the directory ${disk.folder} is read-only (Read-only file system)`)
  disk.writable()
  const again = await startRoombus(options)
  await again.stop()
}))
