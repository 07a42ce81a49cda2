// Each rule flags a record that breaks it, and a record in which all is well is left alone.

import assert from 'node:assert/strict'
import test from 'node:test'
import { check } from './check.mjs'

/** A record by hand: times pass, requests get numbers. */
class Story {
  constructor () {
    this.entries = []
    this.t = 0
    this.q = 0
    this.stored = []
    this.add('run', { single: true })
    for (const [c, user, kind] of [['web', 'ann', 'browser'], ['dev', 'bob', 'device'], ['olga', 'olga', 'browser']]) this.add('client', { c, user, kind })
    for (const c of ['web', 'dev', 'olga']) this.up(c)
  }

  add (e, fields = {}) {
    this.t += 10
    this.entries.push({ e, t: this.t, ...fields })
    return this.entries.length - 1
  }

  up (c, life = 1) { this.add('up', { c, life: `${c}#${life}` }) }
  down (c, life = 1) { this.add('down', { c, life: `${c}#${life}` }) }

  call (c, cmd, fields = {}, life = 1) {
    const q = ++this.q
    this.add('call', { c, life: `${c}#${life}`, q, cmd, room: 'den', ...fields })
    return q
  }

  answer (c, q, fields = {}, life = 1) { this.add('answer', { c, life: `${c}#${life}`, q, ok: true, ...fields }) }
  fail (c, q, code) { this.add('answer', { c, life: `${c}#1`, q, code }) }

  join (c, last, fields = {}, life = 1) { this.answer(c, this.call(c, 'roomJoin', {}, life), { n: 1, last, epoch: 'e', gap: false, ids: [], ...fields }, life) }
  leave (c) { this.answer(c, this.call(c, 'roomLeave'), { raw: 0 }) }
  got (c, id, mark, life = 1) { this.add('got', { c, life: `${c}#${life}`, room: 'den', id, mark, author: author(mark) }) }

  /** A message that `to` receive before it is acked. */
  say (c, id, mark, to = ['web', 'dev', 'olga'], fields = {}) {
    const q = this.call(c, 'roomMessage', { mark, ...fields })
    this.stored.push([id, mark, author(mark)])
    for (const other of to) this.got(other, id, mark)
    this.answer(c, q, { id })
    return q
  }

  /** The end: everybody is at rest, and this is the history. */
  end (history = this.stored) {
    this.add('settled', { ok: true, ms: 0, who: [] })
    this.add('rest')
    this.add('presence', { when: 'at rest', what: 'room', name: 'den', ok: true, ms: 1 })
    this.add('history', { room: 'den', epoch: 'e', first: 1, last: history.length, messages: history })
    return check(this.entries)
  }
}

const author = mark => ({ web: 'ann', dev: 'bob', olga: 'olga' })[mark.split(':')[0]]
const rules = result => [...new Set(result.violations.map(violation => violation.rule))].sort()

/** Everybody has joined an empty room. */
function joined () {
  const story = new Story()
  for (const c of ['web', 'dev', 'olga']) story.join(c, 0)
  return story
}

function broken (name, rule, tell) {
  test(`${rule}: ${name}`, () => {
    const story = joined()
    const result = tell(story) ?? story.end()
    assert.ok(rules(result).includes(rule), `flagged: ${rules(result)}; ${JSON.stringify(result.violations)}`)
  })
}

function fine (name, tell) {
  test(`all is well: ${name}`, () => {
    const story = joined()
    const result = tell(story) ?? story.end()
    assert.deepEqual(result.violations, [])
  })
}

const three = story => {
  story.say('web', 1, 'web:1')
  story.say('dev', 2, 'dev:1')
  story.say('olga', 3, 'olga:1')
}

fine('three messages', three)
fine('a device sees a message again', story => { three(story); story.got('dev', 2, 'dev:1') })
fine('a browser leaves and comes back with what it missed', story => {
  story.say('web', 1, 'web:1')
  story.leave('web')
  story.say('dev', 2, 'dev:1', ['dev', 'olga'])
  story.join('web', 2, { ids: [[2, 'dev:1']] })
  story.say('dev', 3, 'dev:2')
})
fine('a cut connection ends a membership in the middle', story => {
  story.say('web', 1, 'web:1')
  const q = story.call('dev', 'roomMessage', { mark: 'dev:1', key: 'dev:1' })
  story.stored.push([2, 'dev:1', 'bob'])
  story.got('dev', 2, 'dev:1')
  story.got('olga', 2, 'dev:1')
  story.down('web')
  story.answer('dev', q, { id: 2 })
  story.up('web', 2)
  story.join('web', 2, { ids: [[2, 'dev:1']] }, 2)
})
fine('a timeout that was stored all the same, and one that was not', story => {
  story.fail('web', story.call('web', 'roomMessage', { mark: 'web:1' }), 'timeout')
  story.stored.push([1, 'web:1', 'ann'])
  for (const c of ['web', 'dev', 'olga']) story.got(c, 1, 'web:1')
  story.fail('web', story.call('web', 'roomMessage', { mark: 'web:2' }), 'timeout')
})
fine('a key sent twice', story => {
  const [a, b] = [1, 2].map(() => story.call('web', 'roomMessage', { mark: 'web:1', key: 'web:1' }))
  story.stored.push([1, 'web:1', 'ann'])
  for (const c of ['web', 'dev', 'olga']) story.got(c, 1, 'web:1')
  story.answer('web', a, { id: 1 })
  story.answer('web', b, { id: 1 })
})

// ---- history
broken('an acked message is not there', 'acked-lost', story => { three(story); return story.end(story.stored.slice(0, 2)) })
broken('another message has its id', 'id-mismatch', story => {
  three(story)
  return story.end([[1, 'web:1', 'ann'], [2, 'olga:1', 'olga'], [3, 'dev:1', 'bob']])
})
broken('an id is missing', 'ids-hole', story => {
  story.say('web', 1, 'web:1')
  story.say('web', 3, 'web:2')
})
broken('the last id is beyond the history', 'ids-hole', story => {
  three(story)
  story.end()
  const entry = story.entries.find(e => e.e === 'history')
  entry.last = 4
  return check(story.entries)
})
broken('the history holds what nobody sent', 'unknown-message', story => {
  story.say('web', 1, 'web:1')
  story.stored.push([2, 'web:9', 'ann'])
})
broken('the author is another', 'author', story => { story.say('web', 1, 'web:1'); story.stored[0][2] = 'bob' })
broken('a key is stored twice', 'key-twice', story => {
  story.say('web', 1, 'web:1', undefined, { key: 'web:1' })
  story.stored.push([2, 'web:1', 'ann'])
})
broken('a key gets two ids', 'key-two-ids', story => {
  story.say('web', 1, 'web:1', undefined, { key: 'web:1' })
  story.say('web', 2, 'web:1', undefined, { key: 'web:1' })
})
broken('a browser\'s message is stored twice', 'stored-twice', story => {
  story.say('web', 1, 'web:1')
  story.stored.push([2, 'web:1', 'ann'])
})
broken('a device\'s message is stored twice with nothing to explain it', 'stored-twice', story => {
  story.say('dev', 1, 'dev:1', undefined, { qos: 1 })
  story.stored.push([2, 'dev:1', 'bob'])
})
broken('what was refused is stored', 'refused-stored', story => {
  story.fail('web', story.call('web', 'roomMessage', { mark: 'web:1' }), 'unavailable')
  story.stored.push([1, 'web:1', 'ann'])
})
broken('an id is not above what was acked before', 'ack-order', story => {
  story.say('web', 1, 'web:1')
  story.say('dev', 2, 'dev:1')
  story.answer('web', story.call('web', 'roomMessage', { mark: 'web:2' }), { id: 2 })
})
broken('a join does not see what was acked', 'stale-read', story => {
  story.leave('web')
  story.say('dev', 1, 'dev:1', ['dev', 'olga'])
  story.join('web', 0)
  story.got('web', 1, 'dev:1')
})
broken('the epoch changed', 'epoch-changed', story => { story.leave('web'); story.join('web', 0, { epoch: 'f' }) })
broken('a gap is reported', 'gap', story => { story.leave('web'); story.join('web', 0, { gap: true }) })
broken('a receiver saw another message under an id', 'content', story => {
  story.say('web', 1, 'web:1', ['dev', 'olga'])
  story.got('web', 1, 'dev:7')
})
broken('a page has a hole', 'page', story => {
  three(story)
  story.answer('web', story.call('web', 'roomHistoryGet', { after: 0 }), { ids: [[3, 'olga:1'], [1, 'web:1']], last: 3, epoch: 'e', gap: false })
})

// ---- receivers
broken('a browser misses a message', 'hole', story => {
  story.say('web', 1, 'web:1')
  story.say('dev', 2, 'dev:1', ['dev', 'olga'])
  story.say('dev', 3, 'dev:2')
})
broken('a device misses a message', 'hole', story => {
  story.say('dev', 1, 'dev:1', ['web', 'olga'])
  story.say('dev', 2, 'dev:2')
})
broken('a browser sees two in the wrong order', 'order', story => {
  story.say('web', 1, 'web:1', ['dev', 'olga'])
  story.say('web', 2, 'web:2')
  story.got('web', 1, 'web:1')
})
broken('a device sees two in the wrong order', 'order', story => {
  story.say('web', 1, 'web:1', ['web', 'olga'])
  story.say('web', 2, 'web:2')
  story.got('dev', 1, 'web:1')
})
broken('a browser sees a message twice', 'twice', story => { three(story); story.got('web', 2, 'dev:1') })
broken('a browser sees what is below its lastMessageId', 'below-last', story => {
  three(story)
  story.leave('web')
  story.join('web', 3)
  story.got('web', 3, 'olga:1')
})
broken('the last message never came to a browser', 'missed-tail', story => story.say('dev', 1, 'dev:1', ['dev', 'olga']) && undefined)
broken('the last message never came to a device', 'missed-tail', story => story.say('web', 1, 'web:1', ['web', 'olga']) && undefined)
broken('it left and had not seen what was acked before', 'missed-before-leave', story => {
  story.say('dev', 1, 'dev:1', ['dev', 'olga'])
  story.leave('web')
})
broken('a program never saw a message, although it came back with after', 'missed-program', story => {
  story.say('web', 1, 'web:1')
  story.down('web')
  story.say('dev', 2, 'dev:1', ['dev', 'olga'])
  story.up('web', 2)
  story.join('web', 2, { ids: [] }, 2)
})
broken('a browser hears of a room that it left', 'outside', story => {
  story.leave('web')
  story.say('dev', 1, 'dev:1')
})
broken('a device hears what was sent after it had left', 'after-leave', story => {
  story.leave('dev')
  story.say('web', 1, 'web:1')
})

// ---- removal
function ban (story) { story.answer('olga', story.call('olga', 'roomAddToList', { list: 'blacklist', user: 'bob' })) }
function unban (story) { story.answer('olga', story.call('olga', 'roomRemoveFromList', { list: 'blacklist', user: 'bob' })) }

fine('a device gets late what was sent before it was removed', story => {
  story.say('web', 1, 'web:1', ['web', 'olga'])
  ban(story)
  story.add('removed', { c: 'dev', life: 'dev#1', room: 'den' })
  story.got('dev', 1, 'web:1')
})
fine('a join that was asked for while shut out and done afterwards', story => {
  ban(story)
  story.add('removed', { c: 'dev', life: 'dev#1', room: 'den' })
  const join = story.call('dev', 'roomJoin')
  const say = story.call('web', 'roomMessage', { mark: 'web:1' })
  unban(story)
  story.answer('dev', join, { n: 1, last: 0, epoch: 'e', ids: [] })
  story.stored.push([1, 'web:1', 'ann'])
  for (const c of ['dev', 'web', 'olga']) story.got(c, 1, 'web:1')
  story.answer('web', say, { id: 1 })
})
broken('a removed device gets what was sent after the ack', 'after-removal', story => {
  ban(story)
  story.add('removed', { c: 'dev', life: 'dev#1', room: 'den' })
  story.say('web', 1, 'web:1')
})
broken('who was removed and comes back gets live what was said in between', 'after-removal', story => {
  ban(story)
  story.add('removed', { c: 'dev', life: 'dev#1', room: 'den' })
  story.say('web', 1, 'web:1', ['web', 'olga'])
  unban(story)
  story.got('dev', 1, 'web:1')
  story.join('dev', 1)
})
for (const cmd of ['roomJoin', 'roomHistoryGet', 'roomMessage']) {
  broken(`${cmd} of one who is shut out`, 'while-banned', story => {
    ban(story)
    story.answer('dev', story.call('dev', cmd, { mark: 'dev:1' }), { id: 1 })
  })
}

// ---- requests
broken('a browser is answered twice', 'answered-twice', story => {
  const q = story.say('web', 1, 'web:1')
  story.add('answer', { c: 'web', life: 'web#1', q, again: true })
})
broken('a device is answered twice with nothing to explain it', 'answered-twice', story => {
  const q = story.say('dev', 1, 'dev:1')
  story.answer('dev', q, { id: 1 })
})
fine('a device is answered twice after its broker was killed', story => {
  const q = story.say('dev', 1, 'dev:1')
  story.add('fault', { name: 'kill-broker', n: 1, what: 'start', touches: ['broker'] })
  story.add('fault', { name: 'kill-broker', n: 1, what: 'end', touches: ['broker'] })
  story.answer('dev', q, { id: 1 })
})
broken('a browser is never answered', 'unanswered', story => story.add('silence', { c: 'web', life: 'web#1', q: story.call('web', 'listOwnSockets') }) && undefined)
broken('a device is never answered while only Redis was away', 'unanswered', story => {
  story.add('fault', { name: 'kill-redis', n: 1, what: 'start', touches: ['redis'] })
  story.add('silence', { c: 'dev', life: 'dev#1', q: story.call('dev', 'listOwnSockets') })
})

// ---- rest
broken('presence differs', 'presence', story => story.add('presence', { when: 'at rest', what: 'room', name: 'den', want: [], got: ['ann'], ok: false, ms: 1 }) && undefined)
broken('somebody did not come to rest', 'unsettled', story => story.add('settled', { ok: false, who: ['web'] }) && undefined)
test('no-history: a run without a history proves nothing', () => {
  assert.ok(rules(check(joined().entries)).includes('no-history'))
})
