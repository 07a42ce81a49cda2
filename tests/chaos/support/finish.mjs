// The end of a run: everybody comes to rest, presence is compared with who is really there, and the history is read.

import { Api } from '../../e2e/support/api.mjs'
import { delay } from './program.mjs'
import { rooms } from './schedule.mjs'

/** Time in which presence must equal reality after the last fault and the last coming or going. */
export const PRESENCE_MS = 15000
const SETTLE_MS = 60000

async function until (probe, ms) {
  const start = performance.now()
  for (;;) {
    const left = ms - (performance.now() - start)
    const done = await probe()
    if (done || left < 0) return { done, ms: Math.round(performance.now() - start) }
    await delay(100)
  }
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)

/** Who is in each room, and what each user's connections have joined, as the clients know it. */
function reality (programs) {
  const members = Object.fromEntries(rooms.map(room => [room, new Set()]))
  const sockets = {}
  for (const program of programs) {
    sockets[program.user] ??= {}
    if (!program.up) continue
    sockets[program.user][program.id] = [...program.joined].sort()
    for (const room of program.joined) members[room].add(program.user)
  }
  return { members, sockets }
}

/** Compares presence until it is right or the time is over; every comparison that ends is recorded. */
async function comparePresence (recorder, programs, apis, when) {
  const left = new Map()
  const { members, sockets } = reality(programs)
  for (const room of rooms) left.set(`room ${room}`, { what: 'room', name: room, want: [...members[room]].sort() })
  for (const user of Object.keys(sockets)) left.set(`user ${user}`, { what: 'user', name: user, want: sockets[user] })
  const ask = async ({ what, name }) => {
    const api = apis[0]
    const body = what === 'room'
      ? { bypassPermissions: true, command: 'roomGetAccessList', args: [name, 'userlist'] }
      : { userName: name, command: 'listOwnSockets', args: [] }
    const { json } = await api.post('execUserCommand', body).catch(error => ({ json: { error: { code: error.message } } }))
    if (json?.error) return json.error.code
    const result = json?.result
    if (what === 'room') return [...result].sort()
    return Object.fromEntries(Object.entries(result).map(([id, joined]) => [id, [...joined].sort()]))
  }
  const sorted = value => Array.isArray(value) || typeof value !== 'object' ? value : Object.fromEntries(Object.entries(value).sort())
  const start = performance.now()
  await until(async () => {
    for (const [key, wanted] of left) {
      const got = await ask(wanted)
      wanted.got = got
      if (!same(sorted(got), sorted(wanted.want))) continue
      recorder.add('presence', { when, ...wanted, ok: true, ms: Math.round(performance.now() - start) })
      left.delete(key)
    }
    return left.size === 0
  }, PRESENCE_MS)
  for (const wanted of left.values()) recorder.add('presence', { when, ...wanted, ok: false, ms: Math.round(performance.now() - start) })
}

/** Lets all come to rest, then checks presence, tails and history into the record. */
export async function finish (recorder, programs, layout, random) {
  const apis = layout.instances.map(instance => new Api(instance, instance.key))
  const settled = await until(() => programs.every(program => program.settled), SETTLE_MS)
  recorder.add('settled', {
    ok: settled.done,
    ms: settled.ms,
    who: programs.filter(program => !program.settled).map(program => ({
      c: program.name, up: program.up, error: program.openError, pending: program.pending,
      missing: [...program.wanted].filter(room => !program.joined.has(room))
    }))
  })

  // one more message in each room: who is joined must see it, and everything before it
  const olga = programs.find(program => program.name === 'olga')
  for (const room of rooms) await olga.send({ room, key: true, twice: false, bare: false, size: 0 })
  const lasts = {}
  await until(async () => {
    for (const room of rooms) {
      const answer = await apis[0].call('execUserCommand', { bypassPermissions: true, command: 'roomHistoryInfo', args: [room] }).catch(() => undefined)
      if (answer) lasts[room] = answer.lastMessageId
    }
    return rooms.every(room => room in lasts) &&
      programs.every(program => !program.up || [...program.joined].every(room => (program.places.get(room)?.last ?? 0) >= lasts[room]))
  }, 15000)
  recorder.add('rest', {})
  await comparePresence(recorder, programs, apis, 'at rest')

  // half of them go, with and without a goodbye
  const going = random.part('end').shuffled(programs.filter(program => program.name !== 'olga')).slice(0, Math.floor(programs.length / 2))
  await Promise.all(going.map(async (program, n) => {
    program.away = program.gone = true
    if (n % 2 && program.up) program.cutOff()
    else await program.quit()
  }))
  await until(() => going.every(program => !program.up), 5000)
  await comparePresence(recorder, programs, apis, 'after half have gone')

  for (const room of rooms) {
    const all = []
    let about
    for (let after = 0; ;) {
      const { json } = await apis[0].post('execUserCommand', { bypassPermissions: true, command: 'roomHistoryGet', args: [room, after, 100, {}] })
      if (json?.error || json?.result === undefined) { about = undefined; break }
      about = json.extra?.[0]
      const page = [...json.result].reverse()
      if (page.length === 0) break
      for (const message of page) all.push([message.id, message.m, message.author])
      after = page.at(-1).id
    }
    recorder.add('history', { room, epoch: about?.epoch, first: about?.firstMessageId, last: about?.lastMessageId, messages: all })
  }
}
