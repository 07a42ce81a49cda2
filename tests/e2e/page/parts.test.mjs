// The other parts of the page that know neither elements nor network.

import assert from 'node:assert/strict'
import test from 'node:test'
import { inWords, toChatError } from '../../../adapters/console/web/src/errors.js'
import { KEY_LIFE, MAX_TRIES, MAX_WAITING, Outbox } from '../../../adapters/console/web/src/outbox.js'
import { readPicture } from '../../../adapters/console/web/src/picture.js'
import { Readings, linePoints, numberFields, shortNumber } from '../../../adapters/console/web/src/readings.js'
import { errorText } from '../support/chat_error.mjs'
import { eventually } from '../support/deadline.mjs'

test('errors are told in words, from their text and from raw objects', () => {
  const cases = [['noRoom', ['a b']], ['notAllowed', []], ['notJoined', ['x']], ['invalidName', ['a:b']], ['noUserOnline', ['eve']],
    ['timeout', []], ['rateLimited', []], ['payloadTooLarge', []], ['badArgument', [1, { a: 1 }]], ['unavailable', []]]
  for (const [code, args] of cases) {
    const fromText = toChatError(errorText(code, args))
    assert.equal(fromText.code, code)
    assert.equal(toChatError({ name: 'ChatServiceError', code, args }).code, code)
    assert.match(inWords(fromText), /^[A-Z“].*\.$/, code)
  }
  assert.equal(inWords('ChatServiceError: the kettle is off'), 'the kettle is off', 'unknown text stays')
  assert.equal(inWords('ChatServiceError: toString'), 'toString')
})

function outbox (deliver) {
  const time = { now: 0 }
  let keys = 0
  const box = new Outbox({ deliver, changed: () => {}, now: () => time.now, newKey: () => `k${++keys}` })
  return { box, time }
}
const states = box => box.items.map(item => item.state)

test('messages go one by one in order and a lost connection repeats with the same key', async () => {
  const tries = []
  let fail = true
  const { box } = outbox(async (message, key) => {
    tries.push([message.n, key])
    if (fail) throw toChatError({ code: 'disconnected' })
    return tries.length
  })
  box.add({ n: 1 })
  box.add({ n: 2 })
  assert.deepEqual(tries, [], 'nothing goes before the room is joined')
  box.setReady(true)
  await eventually(() => !box.busy, 'the first try')
  box.setReady(false)
  fail = false
  box.setReady(true)
  await eventually(() => states(box).every(state => state === 'sent'), 'sending')
  assert.deepEqual(tries, [[1, 'k1'], [1, 'k1'], [2, 'k2']])
  box.settle(3)
  assert.deepEqual(box.items, [])
})

test('a refused message waits for a retry under its own key, others pass', async () => {
  const tries = []
  const { box } = outbox(async (message, key) => {
    tries.push([message.n, key])
    if (tries.length === 1) throw toChatError('ChatServiceError: rateLimited')
    return 1
  })
  box.setReady(true)
  box.add({ n: 1 })
  box.add({ n: 2 })
  await eventually(() => states(box).join() === 'failed,sent', 'states')
  box.retry('k1')
  await eventually(() => states(box).join() === 'sent,sent', 'retry')
  assert.deepEqual(tries, [[1, 'k1'], [2, 'k2'], [1, 'k1']])
})

test('after the life of its key a message is not repeated unasked', async () => {
  let tries = 0
  const { box, time } = outbox(async () => {
    if (++tries === 1) throw toChatError({ code: 'disconnected' })
    return 1
  })
  box.setReady(true)
  box.add({ n: 1 })
  await eventually(() => tries === 1 && !box.busy, 'the first try')
  box.setReady(false)
  time.now = KEY_LIFE + 1
  box.setReady(true)
  await eventually(() => states(box).join() === 'failed', 'giving up')
  assert.equal(tries, 1)
  box.retry('k1')
  await eventually(() => states(box).join() === 'sent', 'asked retry')
})

test('a message that breaks every connection is given up', async () => {
  let tries = 0
  const { box } = outbox(async () => {
    tries++
    throw toChatError({ code: 'disconnected' })
  })
  box.add({ n: 1 })
  for (let round = 0; round < MAX_TRIES + 2; round++) {
    box.setReady(true)
    await eventually(() => !box.busy, 'the try')
    box.setReady(false)
  }
  assert.equal(tries, MAX_TRIES)
  assert.deepEqual(states(box), ['failed'])
})

test('a message seen in the room before its answer is not shown twice', async () => {
  let answer
  const { box } = outbox(() => new Promise(resolve => { answer = resolve }))
  box.setReady(true)
  box.add({ textMessage: 'hi', image: new ArrayBuffer(3) })
  box.echo({ author: 'me', timestamp: 1, id: 1, image: new ArrayBuffer(4), textMessage: 'hi' })
  assert.ok(!box.items[0].echoed, 'another picture')
  box.echo({ author: 'me', timestamp: 1, id: 1, image: new ArrayBuffer(3), textMessage: 'hi' })
  assert.ok(box.items[0].echoed)
  box.settle(1)
  answer(1)
  await eventually(() => box.items.length === 0, 'settling')
})

test('what waits is bounded', () => {
  const { box } = outbox(() => new Promise(() => {}))
  for (let n = 0; n < MAX_WAITING; n++) assert.equal(box.add({ n }), true)
  assert.equal(box.add({}), false)
})

test('every number of a message becomes a line of its last values', () => {
  assert.deepEqual(numberFields({ author: 'a', id: 3, timestamp: 4, temp: 21.5, env: { hum: 40, deep: { x: 1 } }, s: '1', n: null, list: [1], bad: NaN }),
    [['temp', 21.5], ['env.hum', 40], ['env.deep.x', 1]])
  const readings = new Readings({ maxValues: 3, maxSeries: 2 })
  readings.add([1, 2, 3, 4].map(id => ({ id, author: 'a', t: id })))
  readings.add([{ id: 2, author: 'a', t: 99 }])
  assert.deepEqual(readings.list().map(line => line.values), [[2, 3, 4]], 'older ones change nothing')
  readings.add([{ id: 5, author: 'b', t: 1 }, { id: 6, author: 'c', t: 1 }])
  assert.deepEqual(readings.list().map(line => line.author), ['b', 'c'], 'the line that changed longest ago goes')
  assert.equal(linePoints([1, 2, 3], 10, 10, 0), '0.0,10.0 5.0,5.0 10.0,0.0')
  assert.equal(linePoints([7], 10, 10), '0.0,5.0')
  assert.equal(shortNumber(21.123456789), '21.1235')
})

test('pictures are known by their bytes, whatever they are called', () => {
  const bytes = (...parts) => Uint8Array.from(parts.flatMap(part => typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : part))
  const png = bytes('\x89PNG\r\n\x1a\n', [0, 0, 0, 13], 'IHDR', [0, 0, 0, 2, 0, 0, 0, 3])
  const gif = bytes('GIF89a', [2, 0, 3, 0])
  const jpeg = bytes([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 1, 0xff, 0xc0, 0, 11, 8, 0, 3, 0, 2, 1, 0, 0, 0])
  const webp = bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8X', [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0])
  const size = found => found && [found.type, found.width, found.height]
  assert.deepEqual(size(readPicture(png)), ['image/png', 2, 3])
  assert.deepEqual(size(readPicture(gif)), ['image/gif', 2, 3])
  assert.deepEqual(size(readPicture(jpeg)), ['image/jpeg', 2, 3])
  assert.deepEqual(size(readPicture(webp)), ['image/webp', 2, 3])
  assert.deepEqual(size(readPicture(png.buffer)), ['image/png', 2, 3])
  assert.equal(readPicture(bytes('<svg onload="alert(1)">')), null)
  assert.equal(readPicture(new ArrayBuffer(0)), null)
  const bomb = Uint8Array.from(png)
  new DataView(bomb.buffer).setUint32(16, 100000)
  new DataView(bomb.buffer).setUint32(20, 100000)
  assert.equal(readPicture(bomb), null, 'too many pixels to unpack')
  for (const whole of [png, gif, jpeg, webp]) {
    for (let n = 0; n < whole.length; n++) readPicture(whole.slice(0, n)) // no cut makes it read past the end
  }
})
