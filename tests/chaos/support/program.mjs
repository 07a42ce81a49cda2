// What a real program does around one connection: it keeps its rooms, comes back after losses, fetches what it missed and
// repeats with a key what was not answered. Browsers and devices differ only in how they reach the service.

const RECONCILE_MS = 250
const RETRIES = 6
export const PATIENCE_MS = 15000

export const delay = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Codes after which nobody knows whether it was done. */
const uncertain = code => code === 'timeout' || code === 'cut' || code === 'silent' || code === 'internalError'

export class Program {
  #waiting = new Map() // request → {settle, life}
  #busy = new Set()
  #marks = 0
  #lives = 0
  #timer

  constructor (setup, recorder, random) {
    Object.assign(this, setup)
    this.recorder = recorder
    this.random = random.part(`program/${setup.name}`)
    this.wanted = new Set(setup.rooms)
    this.joined = new Set()
    this.doubt = new Set() // rooms of which nobody knows whether we are in them
    this.places = new Map() // room → {last, epoch, above: Set}
    this.pauses = new Map() // room → not before
    this.away = false
    this.stopped = false
    recorder.add('client', { c: this.name, user: this.user, kind: this.kind, version: this.version, delivery: this.delivery })
  }

  // ---- for subclasses: open() resolves when logged in and sets this.id; request(q, command, args, options); shut(); kill()

  log (e, fields) { this.recorder.add(e, { c: this.name, life: this.life, ...fields }) }

  get life () { return `${this.name}#${this.#lives}` }

  /** A notification of a room message. */
  onMessage (room, message) {
    this.log('got', { room, id: message.id, mark: message.m, author: message.author })
    this.note(room, message.id)
  }

  onRemoved (room) {
    this.log('removed', { room })
    this.joined.delete(room)
    this.pauses.set(room, Date.now() + this.random.integer(0, 500))
  }

  /** The service holds a new connection of ours, which has joined nothing. */
  onHello () {
    this.log('hello', {})
    this.joined.clear()
    this.doubt.clear()
  }

  onAnswer (q, error, results) {
    const waiting = this.#waiting.get(q)
    this.log('answer', { q, ...(error ? { code: error } : { ok: true, ...waiting?.describe?.(results) ?? { raw: results?.[0] } }) })
    waiting?.settle(error ? { code: error } : { ok: true, results })
  }

  onClosed () {
    if (!this.up) return
    this.up = false
    this.log('down', {})
    this.joined.clear()
    for (const [, waiting] of this.#waiting) waiting.settle({ code: 'cut' })
    this.closed()
  }

  note (room, id) {
    const place = this.places.get(room)
    if (!place || id <= place.last) return
    place.above.add(id)
    while (place.above.delete(place.last + 1)) ++place.last
    if (place.above.size && this.kind === 'device') this.#fetch(room)
  }

  /** Sends a request; {ok, results} or {code}. `fields` go to the record, `describe(results)` too. */
  call (command, args, fields = {}, { describe, ...options } = {}) {
    if (!this.up) return Promise.resolve({ code: 'cut' })
    const q = this.recorder.request()
    this.log('call', { q, cmd: command, ...fields })
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        this.log('silence', { q })
        settle({ code: 'silent' })
      }, PATIENCE_MS)
      const settle = outcome => {
        if (!this.#waiting.delete(q)) return
        clearTimeout(timer)
        resolve(outcome)
      }
      this.#waiting.set(q, { settle, describe })
      this.request(q, command, args, options)
    })
  }

  get pending () { return this.#waiting.size }

  // ---- rooms

  async join (room) {
    const place = this.places.get(room)
    const options = place ? { after: place.last, epoch: place.epoch, limit: this.random.pick([5, 100]) } : {}
    const answer = await this.call('roomJoin', [room, options], { room, after: place?.last }, {
      // at once: what comes right behind the answer may end the membership
      describe: ([n, extra]) => {
        this.#entered(room, extra)
        return { n, last: extra.lastMessageId, epoch: extra.epoch, gap: extra.gap, ids: extra.messages.map(m => [m.id, m.m]) }
      }
    })
    if (answer.code === 'notAllowed') this.pauses.set(room, Date.now() + 500)
    if (!answer.ok) return this.#doubted(room, answer)
    await this.#fetch(room)
  }

  #entered (room, { lastMessageId, epoch, messages }) {
    const place = this.places.get(room)
    this.doubt.delete(room)
    this.joined.add(room)
    if (!place) this.places.set(room, { last: lastMessageId, epoch, above: new Set() })
    else if (place.epoch !== epoch) Object.assign(place, { last: lastMessageId, epoch })
    for (const message of [...messages].reverse()) this.note(room, message.id)
    this.targets ??= new Map()
    this.targets.set(room, lastMessageId)
  }

  /** Asks for what is missing up to the last id that we know of. */
  async #fetch (room) {
    const busy = `fetch ${room}`
    if (this.#busy.has(busy)) return
    this.#busy.add(busy)
    try {
      const place = this.places.get(room)
      const target = () => Math.max(this.targets?.get(room) ?? 0, ...place.above)
      while (this.up && this.joined.has(room) && place.last < target()) {
        const before = place.last
        const answer = await this.call('roomHistoryGet', [room, place.last, 100, {}], { room, after: place.last }, {
          describe: ([messages, extra]) => ({ ids: messages.map(m => [m.id, m.m]), epoch: extra?.epoch, gap: extra?.gap, last: extra?.lastMessageId })
        })
        if (!answer.ok) { this.mind(answer); await delay(200); continue }
        for (const message of [...answer.results[0]].reverse()) this.note(room, message.id)
        if (place.last === before) await delay(200)
      }
    } finally {
      this.#busy.delete(busy)
    }
  }

  async leave (room) {
    const answer = await this.call('roomLeave', [room], { room }, {
      describe: ([n]) => {
        this.joined.delete(room)
        return { raw: n }
      }
    })
    if (uncertain(answer.code)) this.joined.delete(room)
    if (answer.ok) this.doubt.delete(room)
    else this.#doubted(room, answer)
  }

  #doubted (room, answer) {
    if (uncertain(answer.code)) this.doubt.add(room)
    this.mind(answer)
  }

  /** What a program does about an error that is about its connection. */
  mind ({ code }) {
    if (code === 'invalidSocket' || (code === 'silent' && this.kind === 'browser')) this.cutOff()
    return { code }
  }

  #reconcile () {
    if (!this.up || this.away || this.preparing) return
    for (const room of this.rooms) {
      const due = this.wanted.has(room) ? !this.joined.has(room) && Date.now() >= (this.pauses.get(room) ?? 0) : this.joined.has(room) || this.doubt.has(room)
      if (!due || this.#busy.has(room)) continue
      this.#busy.add(room)
      const work = this.wanted.has(room) ? this.join(room) : this.leave(room)
      work.finally(() => this.#busy.delete(room))
    }
  }

  // ---- operations of the schedule

  async send ({ room, key, twice, bare, qos, size }) {
    const mark = `${this.name}:${++this.#marks}`
    const message = { m: mark, text: 'x'.repeat(size) }
    const fields = { room, mark, ...(key ? { key: mark } : {}), qos }
    if (bare && this.kind === 'device') {
      if (!this.up) return
      this.log('bare', { ...fields, key: this.version === 5 && key ? mark : undefined })
      this.publishBare(room, message, this.version === 5 && key ? mark : undefined, qos)
      return
    }
    const args = [room, message, ...(key ? [{ idempotencyKey: mark }] : [])]
    const once = () => this.call('roomMessage', args, fields, { qos, describe: ([id]) => ({ id }) })
    for (let attempt = 0; attempt < RETRIES && !this.stopped; ++attempt) {
      const answers = await Promise.all(twice && key && attempt === 0 ? [once(), once()] : [once()])
      if (answers.some(a => a.ok)) return
      answers.forEach(a => this.mind(a))
      const { code } = answers[0]
      if (!key || !(uncertain(code) || code === 'unavailable' || code === 'invalidSocket')) return
      await delay(200 + this.random.integer(0, 500))
    }
  }

  /** Edits a list until the answer is certain. */
  async edit (command, room, user) {
    while (!this.stopped) {
      const { ok, code } = await this.call(command, [room, 'blacklist', [user]], { room, list: 'blacklist', user })
      if (ok) return true
      this.mind({ code })
      if (code === 'notAllowed' || code === 'badArgument') throw new Error(`${command}: ${code}`)
      await delay(200)
    }
    return false
  }

  /** Cuts its own connection without a goodbye. */
  cutOff () {
    if (!this.up) return
    this.log('cutoff', {})
    this.kill()
  }

  async quit (back) {
    if (!this.up) return
    this.away = true
    this.log('quit', {})
    await this.shut()
    if (back !== undefined) setTimeout(() => { if (!this.gone) this.away = false }, back)
  }

  // ---- life

  async run () {
    this.#timer = setInterval(() => this.#reconcile(), RECONCILE_MS)
    while (!this.stopped) {
      if (!this.away) await this.#live()
      if (!this.stopped) await delay(100 + this.random.integer(0, 400))
    }
  }

  async #live () {
    ++this.#lives
    const closed = new Promise(resolve => { this.closed = resolve })
    this.preparing = true // rooms come when the login is confirmed
    try {
      await this.open()
      this.preparing = false
    } catch (error) {
      this.up = false
      this.openError = error.message
      this.joined.clear()
      return
    }
    if (!this.up) return
    this.openError = undefined
    this.#reconcile()
    await closed
  }

  /** For open(): the connection stands from here on. */
  opened (fields = {}) {
    this.up = true
    this.joined.clear()
    this.doubt.clear()
    this.log('up', { id: this.id, ...fields })
  }

  async stop () {
    this.stopped = true
    clearInterval(this.#timer)
    if (this.up) await this.shut()
  }

  /** Everything that it wants is so. */
  get settled () {
    if (this.away) return true
    if (!this.up || this.preparing || this.pending > 0) return false
    for (const room of this.rooms) {
      if (this.wanted.has(room) !== this.joined.has(room) || this.doubt.has(room)) return false
      const place = this.places.get(room)
      if (place && place.last < (this.targets?.get(room) ?? 0)) return false
    }
    return true
  }
}
