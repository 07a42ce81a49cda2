// Every request has one answer, or its connection was cut.

import { carriers } from './history_rules.mjs'

/** Of an answer, what the service said. */
const said = ({ ok, code, id, raw, last, n }) => JSON.stringify({ ok, code, id: id ?? raw, last, n })

export function requestRules (picture, violate, note) {
  for (const call of picture.calls.values()) {
    const isBrowser = picture.clients.get(call.c)?.kind === 'browser'
    const where = { c: call.c, life: call.life, q: call.q, cmd: call.cmd, room: call.room, i: call.i }
    if (call.answers.length > 1) {
      const [first, ...others] = call.answers
      const carried = !isBrowser && (picture.touched(carriers, call.t, others.at(-1).t) || picture.lost(call.life, others.at(-1).i))
      if (!carried) violate('answered-twice', { ...where, answers: call.answers.map(said) })
      else note(others.every(other => said(other) === said(first)) ? 'sameReplyAgain' : 'otherReplyAgain')
    }
    if (call.answers.length === 0 && call.silent !== undefined) {
      const silent = picture.entries[call.silent]
      const explained = isBrowser ? picture.touched(['instance'], call.t, silent.t)
        : picture.touched(carriers, call.t, silent.t) || picture.lost(call.life, call.silent)
      if (explained) note('unanswered')
      else violate('unanswered', where)
    }
  }
}

export function restRules (picture, violate) {
  for (const [i, entry] of picture.entries.entries()) {
    if (entry.e === 'settled' && !entry.ok) violate('unsettled', { who: entry.who, i })
    if (entry.e === 'presence' && !entry.ok) violate('presence', { when: entry.when, what: entry.what, name: entry.name, want: entry.want, got: entry.got, i })
    if (entry.e === 'trouble') violate('trouble', { text: entry.text, i })
  }
  if (picture.history.size === 0) violate('no-history', {})
}
