// A program on MQTT 3.1.1 or 5, as docs/mqtt.md tells device makers.

import { roomLevel } from '../../e2e/support/device.mjs'
import { within } from '../../e2e/support/deadline.mjs'
import { cborg, mqtt } from './clients.mjs'
import { Program, delay } from './program.mjs'

const HEALTH_MS = 2500

export class DeviceProgram extends Program {
  #mqtt
  #health
  #hello

  /** `entrances`: functions that answer "host:port" of a broker. */
  constructor (setup, recorder, random, entrances, login = {}) {
    super(setup, recorder, random)
    this.entrances = entrances
    this.login = login
    this.base = `roombus/u/${this.user}/${this.name}`
    this.id = `mqtt#${this.user}/${this.name}`
  }

  encode (value) { return this.encoding === 'cbor' ? Buffer.from(cborg.encode(value)) : JSON.stringify(value) }
  decode (payload) { return payload.length && payload[0] >= 0x80 ? cborg.decode(payload) : JSON.parse(payload.toString()) }

  async open () {
    const entrance = this.random.integer(0, this.entrances.length - 1)
    const address = this.entrances[entrance]()
    const client = mqtt.connect(`mqtt://${address}`, {
      protocolVersion: this.version,
      clientId: this.name,
      username: this.user,
      reconnectPeriod: 0,
      connectTimeout: 5000,
      keepalive: 5,
      clean: this.clean,
      ...(this.version === 5 && !this.clean ? { properties: { sessionExpiryInterval: 300 } } : {}),
      will: { topic: `${this.base}/status`, payload: Buffer.from('offline'), qos: 1, retain: true },
      ...this.login
    })
    const mine = () => this.#mqtt === client
    this.#mqtt = client
    client.on('close', () => { if (mine()) this.onClosed() })
    client.on('message', (topic, payload, packet) => { if (mine()) this.#arrived(topic, payload, packet) })
    try {
      await within(new Promise((resolve, reject) => {
        client.once('connect', packet => {
          this.opened({ instance: entrance, kept: packet.sessionPresent })
          resolve()
        })
        client.once('error', reject)
        client.once('close', () => reject(new Error('closed')))
      }), 'CONNACK', 8000)
      client.on('error', () => {})
      client.stream.setNoDelay?.(true)
      const topics = [`${this.base}/reply/#`, `${this.base}/event/#`, `${this.base}/room/#`]
      if (this.delivery === 'broker') topics.push(`roombus/r/+/${this.encoding}/#`)
      // in broker delivery what others hear first decides the format that this device gets
      if (this.delivery === 'broker' && this.encoding === 'cbor') topics.push('roombus/r/+/json/#')
      const grants = await within(client.subscribeAsync(topics, { qos: 1 }), 'SUBACK', 8000)
      if (grants.some(grant => grant.qos >= 128)) throw new Error('subscription refused')
      await this.#birth(client)
    } catch (error) {
      this.#drop(client)
      throw error
    }
    clearInterval(this.#health)
    this.#health = setInterval(() => this.#check(), HEALTH_MS)
  }

  /**
   * Says `online` and waits for the confirmation. Without the plugin there is none when we came back so soon that the service
   * did not miss us: then we are where we were, which is not what we remember.
   */
  async #birth (client) {
    this.doubt = new Set(this.rooms)
    for (let attempt = 0; attempt < 2 && this.up; ++attempt) {
      const hello = new Promise(resolve => { this.#hello = resolve })
      client.publish(`${this.base}/status`, 'online', { qos: 1, retain: true }, () => {})
      if (await Promise.race([hello.then(() => true), delay(700)])) return
    }
  }

  /** A program looks from time to time whether the service sees it as it sees itself. */
  async #check () {
    if (!this.up || this.away || this.stopped) return
    const before = new Set(this.joined)
    const { ok, results, code } = await this.call('listOwnSockets', [])
    if (!ok) { this.mind({ code }); return }
    const rooms = results[0][this.id]
    if (rooms === undefined) return
    // what we joined before we asked and still believe in
    for (const room of before) {
      if (this.joined.has(room) && this.wanted.has(room) && !rooms.includes(room)) {
        this.log('forgotten', { room })
        this.joined.delete(room)
      }
    }
  }

  #arrived (topic, payload, packet) {
    const shared = /^roombus\/r\/([^/]+)\/(?:json|cbor)\/([^/]+)$/.exec(topic)
    if (shared) {
      if (shared[2] === 'roomMessage') this.onMessage(decodeURIComponent(shared[1]), this.decode(payload))
      return
    }
    if (!topic.startsWith(`${this.base}/`)) return
    const [kind, ...levels] = topic.slice(this.base.length + 1).split('/')
    if (kind === 'reply') {
      const q = Number(levels[0] === 'mine' ? packet.properties?.correlationData?.toString() : levels[0])
      const reply = this.decode(payload)
      this.onAnswer(q, reply.error?.code, reply.error ? undefined : [reply.result, ...(reply.extra ?? [])])
    } else if (kind === 'event') {
      if (levels[0] === 'loginConfirmed') {
        const first = this.#hello
        this.#hello = undefined
        this.onHello()
        first?.()
      } else if (levels[0] === 'roomAccessRemoved') {
        this.onRemoved(this.decode(payload).room)
      }
    } else if (kind === 'room') {
      const room = decodeURIComponent(levels[0])
      if (levels[1] === 'roomMessage') this.onMessage(room, this.decode(payload))
      else if (levels[1] === 'roomAccessRemoved') this.onRemoved(room)
    }
  }

  request (q, command, args, { qos = 1 } = {}) {
    const payload = this.encode(args)
    if (this.style === 'response') {
      this.#mqtt.publish(`${this.base}/call/${command}`, payload,
        { qos, properties: { responseTopic: `${this.base}/reply/mine`, correlationData: Buffer.from(String(q)) } }, () => {})
    } else {
      this.#mqtt.publish(`${this.base}/call/${command}/${q}`, payload, { qos }, () => {})
    }
  }

  publishBare (room, message, key, qos) {
    const properties = key === undefined ? {} : { properties: { correlationData: Buffer.from(key) } }
    this.#mqtt.publish(`${this.base}/send/${roomLevel(room)}`, this.encode(message), { qos, ...properties }, () => {})
  }

  #drop (client) {
    clearInterval(this.#health)
    client.end(true)
    this.onClosed()
    if (this.#mqtt === client) this.#mqtt = undefined
    this.up = false
  }

  async shut () {
    const client = this.#mqtt
    if (!client) return
    await within(client.publishAsync(`${this.base}/status`, 'offline', { qos: 1, retain: true }), 'PUBACK', 1000).catch(() => {})
    this.#drop(client)
  }

  kill () { this.#mqtt.stream.destroy() }
}
