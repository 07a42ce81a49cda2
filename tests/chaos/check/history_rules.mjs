// What the history must hold, given what was acked.

import { uncertain } from './picture.mjs'

/** Requests may be carried twice (QoS 1), or be lost, where one of these was touched. */
export const carriers = ['broker', 'instance-broker', 'device-broker', 'instance']

/** Every message that somebody tried to send: mark → {room, key, client, tries: […calls and bares]}. */
export function messages (picture) {
  const all = new Map()
  const add = (entry, answered) => {
    const message = all.get(entry.mark) ?? { mark: entry.mark, room: entry.room, key: entry.key, client: picture.clients.get(entry.c), tries: [] }
    message.tries.push({ ...entry, answered })
    all.set(entry.mark, message)
  }
  for (const call of picture.calls.values()) if (call.cmd === 'roomMessage') add(call, true)
  for (const bare of picture.bares) add(bare, false)
  for (const message of all.values()) message.tries.sort((a, b) => a.i - b.i)
  return all
}

export function historyRules (picture, sent, violate, note) {
  for (const [room, history] of picture.history) {
    history.list.forEach(([id, mark], index) => {
      if (id !== index + 1) violate('ids-hole', { room, at: index + 1, found: id })
      if (!sent.has(mark)) violate('unknown-message', { room, id, mark })
    })
    if (history.last !== history.list.length) violate('ids-hole', { room, last: history.last, kept: history.list.length })
    for (const [id, { mark, author }] of history.ids) {
      const client = sent.get(mark)?.client
      if (client && client.user !== author) violate('author', { room, id, mark, author })
    }
  }

  for (const message of sent.values()) {
    const history = picture.history.get(message.room)
    if (!history) continue
    const stored = history.marks.get(message.mark) ?? []
    const acked = message.tries.flatMap(t => (t.answers ?? []).filter(a => a.ok).map(a => a.id ?? a.raw))
    for (const id of new Set(acked)) {
      const kept = history.ids.get(id)
      if (!kept) violate('acked-lost', { room: message.room, mark: message.mark, id })
      else if (kept.mark !== message.mark) violate('id-mismatch', { room: message.room, mark: message.mark, id, holds: kept.mark })
    }
    if (message.key && new Set(acked).size > 1) violate('key-two-ids', { room: message.room, mark: message.mark, ids: [...new Set(acked)] })
    if (stored.length > 1) {
      const [first] = message.tries
      const parts = first.qos === 2 ? ['broker'] : carriers
      if (message.key) violate('key-twice', { room: message.room, mark: message.mark, ids: stored })
      else if (message.client?.kind === 'device' && picture.touched(parts, first.t, first.t + 60000)) note('ranTwice')
      else violate('stored-twice', { room: message.room, mark: message.mark, ids: stored })
    }
    const certainlyNot = message.tries.every(t => t.answered && t.answers.length === 1 && !t.answers[0].ok && !uncertain(t.answers[0].code))
    if (certainlyNot && stored.length && !(message.client?.kind === 'device' && picture.touched(carriers, message.tries[0].t, message.tries.at(-1).t + 60000))) {
      violate('refused-stored', { room: message.room, mark: message.mark, ids: stored, codes: message.tries.map(t => t.answers[0].code) })
    }
  }
  orderRules(picture, violate)
}

/** What was acked before a request was sent is below its id, and a read that was sent after an ack shows it. */
function orderRules (picture, violate) {
  const acked = new Map() // room → highest id
  const before = new Map() // q → highest id at its call
  const firstTry = new Map() // mark → highest id at its first call
  for (const [i, entry] of picture.entries.entries()) {
    if (entry.e === 'call' && entry.room !== undefined) {
      const high = acked.get(entry.room) ?? 0
      before.set(entry.q, high)
      if (entry.mark !== undefined && !firstTry.has(entry.mark)) firstTry.set(entry.mark, high)
    }
    if (entry.e !== 'answer' || !entry.ok) continue
    const call = picture.calls.get(entry.q)
    if (!call) continue
    if (call.cmd === 'roomMessage') {
      const id = entry.id ?? entry.raw
      if (id <= firstTry.get(call.mark)) violate('ack-order', { room: call.room, mark: call.mark, id, acked: firstTry.get(call.mark), i })
      acked.set(call.room, Math.max(id, acked.get(call.room) ?? 0))
    } else if (entry.last !== undefined && entry.last < before.get(entry.q)) {
      violate('stale-read', { room: call.room, cmd: call.cmd, c: call.c, last: entry.last, acked: before.get(entry.q), i })
    }
  }
}

/** Messages as clients saw them are those of the history, of one epoch, and nothing was reported as gone. */
export function contentRules (picture, violate) {
  for (const [i, entry] of picture.entries.entries()) {
    const call = entry.e === 'answer' ? picture.calls.get(entry.q) : undefined
    const room = entry.e === 'got' ? entry.room : call?.room
    const history = picture.history.get(room)
    if (!history) continue
    const seen = entry.e === 'got' ? [[entry.id, entry.mark]] : entry.ids ?? []
    for (const [id, mark] of seen) {
      if (history.ids.get(id)?.mark !== mark) violate('content', { room, c: entry.c, id, mark, holds: history.ids.get(id)?.mark, i })
    }
    if (entry.ids) {
      const ids = entry.ids.map(([id]) => id)
      const after = call.after ?? ids.at(-1) - 1
      if (ids.some((id, n) => id !== after + ids.length - n)) violate('page', { room, cmd: call.cmd, after, ids, i })
    }
    if (entry.e === 'answer' && entry.epoch !== undefined && entry.epoch !== history.epoch) violate('epoch-changed', { room, c: entry.c, epoch: entry.epoch, i })
    if (entry.gap) violate('gap', { room, c: entry.c, after: call.after, i })
  }
}
