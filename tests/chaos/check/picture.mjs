// What a record says, put in order: requests with their answers, memberships with what came in them, faults, the history.

/** Answers after which the service may or may not have done it. */
export const uncertain = code => ['timeout', 'cut', 'silent', 'internalError'].includes(code)

/** How long after a fault's end its traces may show, ms: clients and instances come back in it. */
const AFTERMATH_MS = 15000

export class Picture {
  constructor (entries) {
    this.entries = entries
    this.run = entries.find(entry => entry.e === 'run') ?? {}
    this.clients = new Map()
    this.calls = new Map() // q → {…call, i, answers: [{…answer, i}], silent}
    this.bares = []
    this.faults = []
    this.downs = new Map() // life → index
    this.downTimes = new Map() // life → t
    this.history = new Map() // room → {epoch, first, last, ids: Map id → {mark, author}, marks: Map mark → [id]}
    this.memberships = []
    this.outside = []
    this.bans = [] // {room, user, from, to}: certainly shut out between these two entries
    this.rest = entries.length
    this.#read()
  }

  /** True when a fault that touches one of `parts` had its effect between two times. */
  touched (parts, from, to) {
    return this.faults.some(fault => fault.touches.some(part => parts.includes(part)) &&
      fault.start <= to && (fault.end ?? Infinity) + AFTERMATH_MS >= from)
  }

  /** Whether the life of a connection ended at or after `from` and not later than entry `to`. */
  lost (life, to = Infinity) { return (this.downs.get(life) ?? Infinity) <= to }

  #read () {
    const places = new Map() // life/room → {open, uncertain}
    const place = (life, room) => {
      const key = `${life}\n${room}`
      if (!places.has(key)) places.set(key, { open: undefined, uncertain: false, life, room })
      return places.get(key)
    }
    const close = (at, i, why) => {
      if (!at.open) return
      Object.assign(at.open, { to: i, why })
      at.closed = at.open
      at.open = undefined
    }
    const ofLife = life => [...places.values()].filter(at => at.life === life)
    const open = (at, entry, i) => {
      at.open = { c: entry.c, life: entry.life, room: at.room, from: i, got: [], uncertain: at.uncertain }
      this.memberships.push(at.open)
    }
    const banned = new Map()

    for (const [i, entry] of this.entries.entries()) {
      switch (entry.e) {
        case 'client':
          this.clients.set(entry.c, entry)
          break
        case 'call': {
          this.calls.set(entry.q, { ...entry, i, answers: [] })
          if (entry.cmd === 'roomJoin') {
            const at = place(entry.life, entry.room)
            close(at, i, 'joined again')
            open(at, entry, i)
          } else if (entry.cmd === 'roomLeave') {
            const at = place(entry.life, entry.room)
            if (at.open) at.open.leaving = i
          } else if (entry.cmd === 'roomRemoveFromList') {
            const ban = banned.get(`${entry.room}\n${entry.user}`)
            if (ban) ban.to = i
            banned.delete(`${entry.room}\n${entry.user}`)
          }
          break
        }
        case 'bare':
          this.bares.push({ ...entry, i })
          break
        case 'silence': {
          const call = this.calls.get(entry.q)
          if (call) { call.silent = i; this.#joinDoubted(call, place) }
          break
        }
        case 'answer': {
          const call = this.calls.get(entry.q)
          if (!call) { this.strayAnswers = (this.strayAnswers ?? 0) + 1; break }
          call.answers.push({ ...entry, i })
          if (call.answers.length > 1 || call.silent !== undefined || call.life !== entry.life) break
          this.#answered(call, entry, i, place, close, open)
          if (call.cmd === 'roomAddToList' && entry.ok && !banned.has(`${call.room}\n${call.user}`)) {
            const ban = { room: call.room, user: call.user, from: i, to: Infinity }
            banned.set(`${call.room}\n${call.user}`, ban)
            if (this.#mayBeUndone(call, entry)) this.uncertainBans = (this.uncertainBans ?? 0) + 1
            else this.bans.push(ban)
          }
          break
        }
        case 'got': {
          const at = place(entry.life, entry.room)
          const got = { ...entry, i }
          if (at.open) at.open.got.push(got)
          else this.outside.push({ ...got, uncertain: at.uncertain })
          break
        }
        case 'removed': {
          const at = place(entry.life, entry.room)
          close(at, i, 'removed')
          at.uncertain = false
          break
        }
        case 'forgotten':
          close(place(entry.life, entry.room), i, 'forgotten')
          break
        case 'hello':
          for (const at of ofLife(entry.life)) close(at, i, 'hello')
          break
        case 'down':
          this.downs.set(entry.life, i)
          this.downTimes.set(entry.life, entry.t)
          for (const at of ofLife(entry.life)) close(at, i, 'down')
          break
        case 'fault':
          if (entry.what === 'start') this.faults.push({ name: entry.name, n: entry.n, touches: entry.touches, start: entry.t })
          else this.#faultEnded(entry)
          break
        case 'rest':
          this.rest = i
          break
        case 'history': {
          const room = { epoch: entry.epoch, first: entry.first, last: entry.last, list: entry.messages, ids: new Map(), marks: new Map() }
          for (const [id, mark, author] of entry.messages) {
            room.ids.set(id, { mark, author })
            room.marks.set(mark, [...(room.marks.get(mark) ?? []), id])
          }
          this.history.set(entry.room, room)
          break
        }
      }
    }
  }

  /** Whether an earlier request to let the user in again, of unknown outcome, may be done yet: it may lie in a stalled connection. */
  #mayBeUndone (ban, answer) {
    for (const call of this.calls.values()) {
      if (call.cmd !== 'roomRemoveFromList' || call.room !== ban.room || call.user !== ban.user || answer.t - call.t > AFTERMATH_MS) continue
      if (call.silent !== undefined || this.downs.has(call.life) || call.answers.some(({ code }) => uncertain(code))) return true
    }
    return false
  }

  #faultEnded (entry) {
    const fault = this.faults.find(other => other.name === entry.name && other.n === entry.n)
    if (!fault) return
    fault.end = entry.t
    // an instance that cannot show that it lives lets go of everybody, as if it had died
    if (fault.touches.includes('redis') && fault.end - fault.start > (this.run.heartbeatTimeout ?? Infinity) - 2500) fault.touches = [...fault.touches, 'instance']
  }

  #joinDoubted (call, place) {
    if (call.cmd !== 'roomJoin' && call.cmd !== 'roomLeave') return
    const at = place(call.life, call.room)
    at.uncertain = true
    if (at.open) at.open.uncertain = true
  }

  #reopen (at, call, open) {
    open(at, call, call.i)
    if (at.closed?.from === call.i) {
      at.open.got.push(...at.closed.got)
      this.memberships.splice(this.memberships.indexOf(at.closed), 1)
    }
    const mine = got => got.life === at.life && got.room === at.room && got.i > call.i
    at.open.got.push(...this.outside.filter(mine))
    this.outside = this.outside.filter(got => !mine(got))
  }

  #answered (call, entry, i, place, close, open) {
    if (call.cmd !== 'roomJoin' && call.cmd !== 'roomLeave') return
    const at = place(call.life, call.room)
    if (call.cmd === 'roomJoin') {
      if (entry.ok) {
        // a removal of an earlier membership, or a login that was older than the request, may have come in between: on MQTT
        // topics have no order among each other
        if (!at.open) this.#reopen(at, call, open)
        Object.assign(at.open, { last: entry.last, confirmed: i })
        at.uncertain = false
      } else if (uncertain(entry.code)) {
        this.#joinDoubted(call, place)
      } else if (at.open && !at.open.uncertain) {
        close(at, i, 'refused')
      }
    } else if (entry.ok) {
      at.left = i
      close(at, i, 'left')
      at.uncertain = false
    } else if (uncertain(entry.code)) {
      at.uncertain = true
      close(at, i, 'doubt')
    }
  }
}
