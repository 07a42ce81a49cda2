// Bytes stay bytes from any client to any other.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { versions } from './support/browser.mjs'
import { buffer } from './support/device.mjs'
import { scenario } from './support/scenario.mjs'

scenario('a picture and a device\'s bytes cross unharmed', {}, async (world, t) => {
  const room = 'pictures'
  const cbor = await world.device('cam', { version: 5, encoding: 'cbor' })
  const json = await world.device('display', { version: 4, encoding: 'json' })
  await cbor.call('roomCreate', room, false)
  await cbor.call('roomJoin', room)
  await json.call('roomJoin', room)
  const browsers = []
  for (const version of versions) {
    for (const transports of [['websocket'], ['polling']]) {
      const browser = await world.browser(`web${version}${transports[0]}`, { version, transports })
      await browser.call('roomJoin', room)
      browsers.push({ browser, name: `socket.io ${version} ${transports[0]}` })
    }
  }

  for (const { browser, name } of browsers) {
    await t.test(`a picture from ${name}`, async () => {
      const picture = randomBytes(50000)
      const thumb = Buffer.from([0, 1, 2, 255])
      const id = await browser.call('roomMessage', room, { name: 'cat.png', picture, more: [{ thumb }] })
      const author = browser.user
      const atCbor = await cbor.message(room, m => m.id === id)
      assert.ok(atCbor.picture instanceof Uint8Array)
      assert.ok(picture.equals(atCbor.picture), 'byte for byte at the CBOR device')
      assert.ok(thumb.equals(atCbor.more[0].thumb))
      const atJson = await json.message(room, m => m.id === id)
      assert.deepEqual(atJson, {
        name: 'cat.png', picture: buffer(picture), more: [{ thumb: buffer(thumb) }], author, id, timestamp: atCbor.timestamp
      })
      for (const other of browsers) {
        const seen = await other.browser.message(room, m => m.id === id)
        assert.ok(Buffer.isBuffer(seen.picture) && picture.equals(seen.picture), `at ${other.name}`)
        assert.ok(thumb.equals(seen.more[0].thumb))
      }
    })
  }

  await t.test('bytes from devices', async () => {
    const bytes = randomBytes(3000)
    const ids = [
      await cbor.call('roomMessage', room, { raw: bytes, n: 1 }),
      await json.call('roomMessage', room, { raw: buffer(bytes), n: 1 })
    ]
    for (const id of ids) {
      for (const { browser, name } of browsers) {
        const seen = await browser.message(room, m => m.id === id)
        assert.ok(Buffer.isBuffer(seen.raw) && bytes.equals(seen.raw), `message ${id} at ${name}`)
        assert.equal(seen.n, 1)
      }
    }
  })

  await t.test('what is no text on send becomes a message with bytes', async () => {
    const raw = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16])
    await cbor.send(room, raw)
    await json.send(room, 'just text')
    const { browser } = browsers[0]
    assert.ok(raw.equals((await browser.message(room, m => m.data)).data))
    assert.equal((await browser.message(room, m => m.textMessage)).textMessage, 'just text')
  })

  await t.test('bytes come back in the answer of a browser\'s own request', async () => {
    const blob = randomBytes(100)
    for (const { browser, name } of browsers) {
      const id = await browser.call('roomMessage', room, { blob })
      // one message: socket.io clients take at most 10 attachments in one packet
      const [newest] = await browser.call('roomHistoryGet', room, id - 1, 1)
      assert.equal(newest.id, id)
      assert.ok(Buffer.isBuffer(newest.blob) && blob.equals(newest.blob), name)
    }
    const [atCbor] = await cbor.call('roomRecentHistory', room)
    assert.ok(blob.equals(atCbor.blob))
    const [atJson] = await json.call('roomRecentHistory', room)
    assert.deepEqual(atJson.blob, buffer(blob))
  })
})
