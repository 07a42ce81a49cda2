// What each receiver must have seen, in which order, and what nobody may have seen.

/** Highest acked id of each room before entry `i`. */
function ackedBefore (picture) {
  const steps = new Map() // room → [[i, id]]
  for (const call of picture.calls.values()) {
    if (call.cmd !== 'roomMessage') continue
    for (const answer of call.answers) {
      if (!answer.ok) continue
      if (!steps.has(call.room)) steps.set(call.room, [])
      steps.get(call.room).push([answer.i, answer.id ?? answer.raw])
    }
  }
  return (room, i) => (steps.get(room) ?? []).reduce((high, [at, id]) => at < i ? Math.max(high, id) : high, 0)
}

export function receiverRules (picture, violate, note) {
  const acked = ackedBefore(picture)
  for (const membership of picture.memberships) {
    const { c, life, room, last, got } = membership
    const isBrowser = picture.clients.get(c)?.kind === 'browser'
    const where = { c, life, room, last }
    const seen = new Set()
    const coming = new Set(got.map(g => g.id))
    let expected = last === undefined ? undefined : last + 1
    for (const { id, i } of got) {
      if (last === undefined) {
        // nobody knows from where on: what came must still be one ascending row
        if (seen.has(id)) isBrowser ? violate('twice', { ...where, id, i }) : note('again')
        else if (expected !== undefined && id < expected) violate('order', { ...where, id, expected, i })
        else if (isBrowser && expected !== undefined && id > expected) violate('hole', { ...where, id, expected, i })
        if (!seen.has(id)) expected = Math.max(expected ?? 0, id + 1)
        seen.add(id)
        continue
      }
      if (id <= last) {
        if (!isBrowser) note('again')
        else if (!membership.uncertain) violate('below-last', { ...where, id, i })
        continue
      }
      if (seen.has(id)) {
        if (isBrowser) violate('twice', { ...where, id, i })
        else note('again')
        continue
      }
      if (id > expected) {
        let lost = false
        for (let missing = expected; missing < id; ++missing) lost ||= !coming.has(missing)
        violate(lost ? 'hole' : 'order', { ...where, id, expected, i })
      } else if (id < expected) {
        violate('order', { ...where, id, expected, i })
      }
      seen.add(id)
      expected = Math.max(expected, id + 1)
    }
    if (last === undefined) continue
    const reached = expected - 1
    if (membership.why === 'left' && isBrowser && picture.run.single) {
      const need = acked(room, membership.leaving)
      if (reached < need) violate('missed-before-leave', { ...where, reached, need, leaving: membership.leaving })
    }
    if (membership.confirmed !== undefined && membership.from < picture.rest && (membership.to ?? Infinity) > picture.rest) {
      const need = acked(room, picture.rest)
      if (reached < need) violate('missed-tail', { ...where, reached, need })
      programRule(picture, membership, need, violate)
    }
  }
  outsideRule(picture, violate)
}

/** A program that always comes back with `after` has seen everything from its first join on. */
function programRule (picture, { c, room }, need, violate) {
  const have = new Set()
  let from
  for (const entry of picture.entries) {
    if (entry.c !== c) continue
    if (entry.e === 'got' && entry.room === room) have.add(entry.id)
    if (entry.e !== 'answer' || !entry.ok) continue
    const call = picture.calls.get(entry.q)
    if (call?.room !== room) continue
    if (call.cmd === 'roomJoin' && from === undefined && entry.last !== undefined) from = entry.last
    for (const [id] of entry.ids ?? []) have.add(id)
  }
  const missing = []
  for (let id = from + 1; id <= need && missing.length < 10; ++id) if (!have.has(id)) missing.push(id)
  if (missing.length) violate('missed-program', { c, room, from, need, missing })
}

/** A browser hears of a room only while it is in it. */
function outsideRule (picture, violate) {
  for (const got of picture.outside) {
    if (picture.clients.get(got.c)?.kind !== 'browser' || got.uncertain) continue
    violate('outside', { c: got.c, life: got.life, room: got.room, id: got.id, i: got.i })
  }
}

/** Nobody receives, reads or joins what he was shut out of, from the ack of his removal on. */
export function removalRules (picture, sent, violate) {
  const acked = ackedBefore(picture)
  const joins = new Map() // c/room → [call] of join requests
  const leaves = [] // {c, room, from}
  for (const call of picture.calls.values()) {
    if (call.cmd === 'roomJoin') joins.set(`${call.c}\n${call.room}`, [...(joins.get(`${call.c}\n${call.room}`) ?? []), call])
    if (call.cmd === 'roomLeave' && call.answers[0]?.ok && call.answers[0].life === call.life && call.silent === undefined) {
      leaves.push({ c: call.c, room: call.room, from: call.answers[0].i })
    }
  }
  /** From when on a join may be in effect that did not end before entry `i`. */
  const nextJoin = (c, room, i) => (joins.get(`${c}\n${room}`) ?? []).filter(call => (call.answers[0]?.i ?? Infinity) > i)
    .reduce((least, call) => Math.min(least, Math.max(call.i, i)), Infinity)
  const firstSent = mark => sent.get(mark)?.tries[0].i ?? -1
  const gots = picture.entries.map((entry, i) => ({ ...entry, i })).filter(entry => entry.e === 'got')
  const byClient = new Map()
  for (const got of gots) byClient.set(`${got.c}\n${got.room}`, [...(byClient.get(`${got.c}\n${got.room}`) ?? []), got])

  for (const { room, user, from, to } of picture.bans) {
    for (const client of picture.clients.values()) {
      if (client.user !== user) continue
      // what was sent and accepted while he was out must not reach him before he may have come back
      const until = to === Infinity ? Infinity : nextJoin(client.c, room, to)
      const accepted = acked(room, to)
      for (const got of byClient.get(`${client.c}\n${room}`) ?? []) {
        const at = firstSent(got.mark)
        if (at > from && got.id <= accepted && got.i < until) violate('after-removal', { c: client.c, room, id: got.id, mark: got.mark, removed: from, sent: at, i: got.i })
      }
    }
    for (const call of picture.calls.values()) {
      if (call.room !== room || picture.clients.get(call.c)?.user !== user || call.i < from) continue
      const answer = call.answers[0]
      if (!answer?.ok || answer.i > to) continue
      if (['roomJoin', 'roomHistoryGet', 'roomMessage'].includes(call.cmd)) {
        violate('while-banned', { c: call.c, room, cmd: call.cmd, removed: from, i: answer.i })
      }
    }
  }
  for (const { c, room, from } of leaves) {
    const until = nextJoin(c, room, from)
    for (const got of byClient.get(`${c}\n${room}`) ?? []) {
      if (firstSent(got.mark) > from && got.i < until) violate('after-leave', { c, room, id: got.id, mark: got.mark, left: from, i: got.i })
    }
  }
}
