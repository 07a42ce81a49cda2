// The page's model of a room's history, without page and network.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Timeline } from '../../../adapters/console/web/src/timeline.js'

const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => ({ id: from + i, author: 'a' }))
const newestFirst = messages => [...messages].reverse()
const ids = timeline => timeline.messages.map(message => message.id)
const info = (epoch, first, last) => ({ epoch, firstMessageId: first, lastMessageId: last })

/** A timeline that has read ids from..to of a room whose last id is `to`. */
function held (from, to, options) {
  const timeline = new Timeline(options)
  timeline.meet(info('e1', 1, to))
  timeline.cover(from - 1, to, newestFirst(range(from, to)))
  return timeline
}

test('live messages continue the run once each, in order', () => {
  const timeline = held(1, 3)
  assert.equal(timeline.live({ id: 4 }), true)
  assert.equal(timeline.live({ id: 4 }), false, 'a repeat')
  assert.equal(timeline.live({ id: 2 }), false, 'an old one')
  assert.equal(timeline.live({ id: '5' }), false, 'no id')
  assert.deepEqual(ids(timeline), [1, 2, 3, 4])
})

test('a live message after a hole is left to the history', () => {
  const timeline = held(1, 3)
  assert.equal(timeline.live({ id: 6 }), false)
  assert.equal(timeline.atEnd, false)
  assert.equal(timeline.live({ id: 7 }), false)
  assert.deepEqual(timeline.cover(3, 7, newestFirst(range(4, 7))).map(m => m.id), [4, 5, 6, 7])
  assert.equal(timeline.atEnd, true)
  assert.equal(timeline.gaps.size, 0)
})

test('a read that overlaps adds only what is new', () => {
  const timeline = held(5, 8)
  assert.deepEqual(timeline.cover(2, 6, newestFirst(range(3, 6))).map(m => m.id), [3, 4])
  assert.deepEqual(ids(timeline), [3, 4, 5, 6, 7, 8])
})

test('messages that are no longer kept leave a gap where they were', () => {
  const timeline = held(1, 3)
  timeline.meet(info('e1', 8, 9))
  timeline.cover(3, 9, newestFirst(range(8, 9)))
  assert.deepEqual([...timeline.gaps], [[8, 'lost']])
  assert.equal(timeline.atEnd, true)
})

test('a history that keeps nothing leaves a gap before what comes next', () => {
  const timeline = held(1, 3)
  timeline.meet(info('e1', 10, 9))
  timeline.cover(3, 9, [])
  assert.deepEqual([...timeline.gaps], [[10, 'lost']])
  assert.equal(timeline.live({ id: 10 }), true)
})

test('another epoch is another life: old messages go, their ids mean nothing', () => {
  const timeline = held(1, 50)
  assert.equal(timeline.meet(info('e2', 1, 2)), true)
  assert.deepEqual(ids(timeline), [])
  assert.equal(timeline.latest, 2)
  timeline.cover(0, 2, newestFirst(range(1, 2)))
  assert.deepEqual(ids(timeline), [1, 2])
  assert.deepEqual([...timeline.gaps], [[1, 'renewed']])
  assert.equal(timeline.meet(info('e2', 1, 3)), false)
})

test('the number of messages is bounded, at the end nobody looks at', () => {
  const timeline = held(1, 20, { maxMessages: 5 })
  timeline.trim('newest')
  assert.deepEqual(ids(timeline), [16, 17, 18, 19, 20])
  assert.equal(timeline.atStart, false)
  timeline.cover(10, 15, newestFirst(range(11, 15)))
  timeline.trim('oldest')
  assert.deepEqual(ids(timeline), [11, 12, 13, 14, 15])
  assert.equal(timeline.atEnd, false)
  assert.equal(timeline.live({ id: 21 }), false, 'away from the end nothing is appended')
  timeline.cover(15, 21, newestFirst(range(16, 21)))
  timeline.trim('newest')
  assert.deepEqual(ids(timeline), [17, 18, 19, 20, 21])
})

test('bytes are bounded, but one message always stays', () => {
  const timeline = new Timeline({ maxBytes: 1000 })
  timeline.meet(info('e1', 1, 0))
  for (let id = 1; id <= 3; id++) {
    timeline.live({ id, image: new ArrayBuffer(700) })
    timeline.trim('newest')
  }
  assert.deepEqual(ids(timeline), [3])
  timeline.live({ id: 4, image: new ArrayBuffer(5000) })
  timeline.trim('newest')
  assert.deepEqual(ids(timeline), [4])
})
