// Clients that come back by themselves, as those of users do: they connect again when a connection ends, and join their
// room again when the service says that it does not know them.

import { Browser } from './browser.mjs'
import { Device } from './device.mjs'

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
const ANSWER_MS = 400
/** A device that nobody greets shows itself again after so long (30 s is what devices are told). */
const SHOW_MS = 300

/** Base of both. `got` are the numbers `n` of the room's messages that arrived, whatever the connection. */
class Steady {
  constructor (user, room) {
    Object.assign(this, { user, room, got: [], stopped: false, client: undefined, joins: true, joined: false })
    this.lastJoin = undefined
  }

  start () {
    this.running = this.#run()
    return this
  }

  async #run () {
    while (!this.stopped) {
      try {
        this.client = await this.connect()
      } catch {
        await pause(30)
        continue
      }
      let open = true
      const ended = this.client.closed.then(() => { open = false })
      this.joined = false
      let shown = performance.now()
      while (open && !this.stopped) {
        if (this.client.received.peek(item => item.name === 'loginConfirmed').length !== this.logins) {
          this.logins = this.client.received.peek(item => item.name === 'loginConfirmed').length
          this.joined = false
        }
        if (this.joins && !this.joined) await this.#join()
        if (performance.now() - shown > SHOW_MS) {
          shown = performance.now()
          await Promise.race([this.show(), ended])
        }
        await Promise.race([pause(20), ended])
      }
      await this.client.close()
    }
  }

  async #join () {
    const { client } = this
    const call = client.call('roomJoin', this.room).then(() => 'joined', error => error.code ?? 'failed')
    this.lastJoin = await Promise.race([call, pause(ANSWER_MS)])
    if (this.lastJoin === 'joined') this.joined = client === this.client
    else await pause(50)
  }

  /** Waits at most a moment for an answer; undefined when there was none. */
  async ask (command, ...args) {
    if (!this.client) return undefined
    return Promise.race([this.client.call(command, ...args).catch(() => undefined), pause(ANSWER_MS)])
  }

  listen (client) {
    const push = client.received.push.bind(client.received)
    const take = item => {
      const room = client.socket ? item.args[0] : item.room
      if (item.name === 'roomMessage' && room === this.room) this.got.push((client.socket ? item.args[1] : item.payload).n)
      else if (item.name === 'other') this.got.push(item.topic)
      else push(item)
    }
    // what came before we listened
    for (const item of client.received.peek(item => item.name === 'roomMessage' || item.name === 'other')) take(item)
    client.received.push = take
    this.logins = client.socket ? client.received.peek(item => item.name === 'loginConfirmed').length : 0
    return client
  }

  async show () {}

  async stop () {
    this.stopped = true
    await this.running
  }
}

/** A browser of one instance. */
export class SteadyBrowser extends Steady {
  constructor (instance, user, room) {
    super(user, room)
    this.instance = instance
  }

  async connect () { return this.listen(await Browser.connect(this.instance, { user: this.user })) }
}

/** A device; `also` are more filters, which the broker may refuse. `joins: false` never asks to be let in, `silent` publishes nothing. */
export class SteadyDevice extends Steady {
  constructor (service, user, room, { options = {}, also = [], joins = true, silent = false } = {}) {
    super(user, room)
    Object.assign(this, { service, options: { ...options, ...(silent ? { birth: false, will: undefined } : {}) }, also, joins })
  }

  async connect () {
    const device = await Device.connect(this.service, { user: this.user, ...this.options })
    this.listen(device)
    for (const filter of this.also) device.subscribe([filter]).catch(() => {})
    return device
  }

  /** Without our plugin nobody sees a device that says nothing. */
  async show () {
    if (!this.joins) return
    await this.client.publish(`${this.client.base}/status`, 'online', { retain: true }).catch(() => {})
  }
}
