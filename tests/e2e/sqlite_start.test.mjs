// Files that cannot be used: the program ends with code 1 and says what is wrong with which file.

import assert from 'node:assert/strict'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { paced } from './support/pace.mjs'
import { refusedStart } from './support/refused_start.mjs'
import { startRoombus } from './support/roombus.mjs'

/** Runs `run` with the path of a good file that nobody uses. */
async function withFile (run) {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-start-'))
  try {
    const file = path.join(folder, 'rooms.db')
    const options = { config: '[store]\nkind = "sqlite"\n', mqtt: false, args: ['--store.path', file] }
    await (await startRoombus(options)).stop()
    await run(file, options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function overwrite (name, position, bytes) {
  const file = await open(name, 'r+')
  await file.write(bytes, 0, bytes.length, position)
  await file.close()
}

test('a file of a newer version is left as it is', { timeout: 60000 }, () => withFile(async (file, options) => {
  await overwrite(file, 60, Buffer.from([0, 0, 0, 99])) // user_version in SQLite's header
  const before = await readFile(file)
  await refusedStart(options, `store.path: "${file}": was written by a newer version of roombus (schema 99; this one knows up to 1)`)
  assert.deepEqual(await readFile(file), before)
}))

test('a file that another process has', { timeout: 60000 }, () => withFile(async (file, options) => {
  const service = await startRoombus(options)
  try {
    const began = Date.now()
    await refusedStart(options, `store.path: "${file}": is locked by another process; only one roombus can use a file`)
    assert.ok(Date.now() - began < paced(6000), 'the wait for the other is bounded')
    assert.equal((await service.get('/readyz')).status, 200, 'the other one goes on')
  } finally {
    await service.stop()
  }
  await (await startRoombus(options)).stop()
}))

test('a damaged file, another program\'s, and none', { timeout: 60000 }, () => withFile(async (file, options) => {
  await overwrite(file, 68, Buffer.from('abcd')) // application_id
  await refusedStart(options, `store.path: "${file}": is a database of another program`)
  await overwrite(file, 68, Buffer.from('rmbs'))
  await overwrite(file, 4096, Buffer.alloc(8192, 0x5a))
  await refusedStart(options, `store.path: "${file}": is damaged: `)
  await writeFile(file, 'x'.repeat(5000))
  await refusedStart(options, `store.path: "${file}": is not a database of roombus`)
  const folder = path.dirname(file)
  await refusedStart({ ...options, args: ['--store.path', `${folder}/none/rooms.db`] },
    `store.path: "${folder}/none/rooms.db": the directory ${folder}/none does not exist`)
  await refusedStart({ ...options, args: ['--store.path', folder] }, `store.path: "${folder}": is a directory`)
}))
