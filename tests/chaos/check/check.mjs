// The rules over one record: {counts, violations: [{rule, …}], notes}. Pure; README.md says what each rule proves.

import { contentRules, historyRules, messages } from './history_rules.mjs'
import { Picture } from './picture.mjs'
import { receiverRules, removalRules } from './receiver_rules.mjs'
import { requestRules, restRules } from './request_rules.mjs'

export function check (entries) {
  const violations = []
  const notes = {}
  const violate = (rule, details) => violations.push({ rule, ...details })
  const note = name => { notes[name] = (notes[name] ?? 0) + 1 }
  const picture = new Picture(entries)
  const sent = messages(picture)
  historyRules(picture, sent, violate, note)
  contentRules(picture, violate)
  receiverRules(picture, violate, note)
  removalRules(picture, sent, violate)
  requestRules(picture, violate, note)
  restRules(picture, violate)
  return { counts: count(picture, sent), violations, notes }
}

function count (picture, sent) {
  const calls = [...picture.calls.values()]
  const answers = calls.flatMap(call => call.answers)
  const codes = {}
  for (const { ok, code } of answers) if (!ok) codes[code ?? 'again'] = (codes[code ?? 'again'] ?? 0) + 1
  const presence = picture.entries.filter(entry => entry.e === 'presence')
  return {
    sent: [...sent.values()].reduce((sum, message) => sum + message.tries.length, 0),
    messages: sent.size,
    acked: new Set(calls.filter(call => call.cmd === 'roomMessage' && call.answers.some(a => a.ok)).map(call => call.mark)).size,
    stored: [...picture.history.values()].reduce((sum, room) => sum + room.list.length, 0),
    received: picture.entries.filter(entry => entry.e === 'got').length,
    memberships: picture.memberships.filter(m => m.confirmed !== undefined).length,
    bans: picture.bans.length,
    uncertainBans: picture.uncertainBans ?? 0,
    lives: picture.entries.filter(entry => entry.e === 'up').length,
    forgotten: picture.entries.filter(entry => entry.e === 'forgotten').length,
    codes,
    settledMs: picture.entries.find(entry => entry.e === 'settled')?.ms,
    presenceMs: Math.max(0, ...presence.map(entry => entry.ms))
  }
}
