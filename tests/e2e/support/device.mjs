// MQTT devices (mqtt.js) that speak as design documents say: call, send, status, reply, event, room.

import * as cborg from 'cborg'
import { createRequire } from 'node:module'
import { ChatError } from './chat_error.mjs'
import { Inbox, within } from './deadline.mjs'

const mqtt = createRequire(import.meta.url)('mqtt')

const jsonType = 'application/json'
const cborType = 'application/cbor'

/** Bytes as JSON on MQTT carries them. */
export const buffer = bytes => ({ type: 'Buffer', data: Buffer.from(bytes).toString('base64') })

/** A room name as a topic level. */
export function roomLevel (room) {
  return Array.from(Buffer.from(room), byte => {
    const char = String.fromCharCode(byte)
    return /[A-Za-z0-9_~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

/** One MQTT connection. Notifications are kept as {name, room, payload, topic} until they are taken. */
export class Device {
  #nextId = 1
  #replies = new Inbox()

  constructor ({ user, client, version, encoding }) {
    Object.assign(this, { user, client, version, encoding })
    this.id = `mqtt#${user}/${client}`
    this.base = `roombus/u/${user}/${client}`
    this.received = new Inbox()
  }

  /**
   * Client ids are one name space for all users of a broker, so the usual one is made from the user's name.
   * Connects, subscribes and (unless `birth` is false) publishes its birth; a will tells of its loss. `version` is 4
   * (3.1.1) or 5, `encoding` json or cbor; `rooms` is the encoding in which rooms are read, + for any. `style` is how calls are made: "id" (reply topic by id) or "response" (MQTT 5).
   * `shared: false` leaves out the topics that all share, which some brokers refuse.
   */
  static async connect (service, {
    user, client = `${user}-1`, version = 4, encoding = 'json', style = version === 5 ? 'response' : 'id', birth = true,
    qos = 1, address = service.mqtt, rooms = encoding, shared = service.sharedTopics ?? true, ...more
  }) {
    const device = new Device({ user, client, version, encoding })
    Object.assign(device, { style, qos })
    device.mqtt = mqtt.connect(`mqtt://${address}`, {
      protocolVersion: version,
      clientId: client,
      username: user,
      reconnectPeriod: 0,
      connectTimeout: 10000,
      will: { topic: `${device.base}/status`, payload: Buffer.from('offline'), qos: 1, retain: true },
      ...more
    })
    device.closed = new Promise(resolve => device.mqtt.on('close', resolve))
    device.mqtt.on('message', (topic, payload, packet) => device.#arrived(topic, payload, packet))
    await within(new Promise((resolve, reject) => {
      device.mqtt.once('connect', resolve)
      device.mqtt.once('error', reject)
    }), `MQTT connection of ${user}`).catch(error => {
      device.mqtt.end(true)
      throw error
    })
    device.mqtt.on('error', () => {})
    device.mqtt.stream.setNoDelay?.(true) // else each request waits for the TCP acknowledgement of the PUBACK before it
    // rooms come to the inbox or, in broker delivery, on the topics that all share
    await device.subscribe([`${device.base}/reply/#`, `${device.base}/event/#`, `${device.base}/room/#`,
      ...(shared ? [`roombus/r/+/${rooms}/#`] : [])])
    if (birth) await device.publish(`${device.base}/status`, 'online', { retain: true })
    return device
  }

  async subscribe (filters, options = { qos: 1 }) {
    const grants = await within(this.mqtt.subscribeAsync(filters, options), 'SUBACK')
    const refused = grants.filter(grant => grant.qos >= 128)
    if (refused.length) throw new Error(`subscription refused: ${refused.map(grant => grant.topic)}`)
  }

  publish (topic, payload, options = {}) {
    return within(this.mqtt.publishAsync(topic, payload, { qos: this.qos, ...options }), `PUBACK of ${topic}`)
  }

  encode (value) {
    return this.encoding === 'cbor' ? Buffer.from(cborg.encode(value)) : JSON.stringify(value)
  }

  decode (payload, packet) {
    const type = packet?.properties?.contentType
    if (type !== undefined && type !== jsonType && type !== cborType) throw new Error(`content type ${type}`)
    const isCbor = type === undefined ? payload.length > 0 && payload[0] >= 0x80 : type === cborType
    // which encoding a device uses is known from its first request on
    if (this.lastReply && isCbor !== (this.encoding === 'cbor')) this.otherEncoding = true
    return isCbor ? cborg.decode(payload) : JSON.parse(payload.toString())
  }

  #arrived (topic, payload, packet) {
    const shared = /^roombus\/r\/([^/]+)\/(?:json|cbor)\/([^/]+)$/.exec(topic)
    if (shared) {
      const [room, name] = [decodeURIComponent(shared[1]), shared[2]]
      this.received.push({ name, room, topic, payload: this.decode(payload, packet), raw: payload, packet })
      return
    }
    if (!topic.startsWith(`${this.base}/`)) {
      this.received.push({ name: 'other', topic, payload, packet })
      return
    }
    const [kind, ...levels] = topic.slice(this.base.length + 1).split('/')
    if (kind === 'reply') {
      this.#replies.push({ key: levels.join('/'), payload, packet })
    } else {
      const [name, room] = [levels.pop(), levels.length ? decodeURIComponent(levels[0]) : undefined]
      this.received.push({ name, room, topic, payload: this.decode(payload, packet), raw: payload, packet })
    }
  }

  /** Publishes one request and answers its decoded reply. `payload` is sent as it is. */
  async request (command, payload, { style = this.style, properties = {}, ...options } = {}) {
    const id = `r${this.#nextId++}`
    if (style === 'response') {
      await this.publish(`${this.base}/call/${command}`, payload, {
        ...options,
        properties: { responseTopic: `${this.base}/reply/mine`, correlationData: Buffer.from(id), ...properties }
      })
    } else {
      await this.publish(`${this.base}/call/${command}/${id}`, payload,
        { ...options, ...(this.version === 5 ? { properties } : {}) })
    }
    const mine = ({ key, packet }) => style === 'response'
      ? packet.properties?.correlationData?.toString() === id
      : key === id
    const reply = await this.#replies.take(mine, `reply to ${command} for ${this.id}`)
    this.lastReply = reply
    return this.decode(reply.payload, reply.packet)
  }

  /** Replies by themselves, for requests that are published by hand. */
  get replies () { return this.#replies }

  /** Replies that nobody waited for. */
  get strayReplies () { return this.#replies.peek() }

  /** Runs a command with positional arguments; all its results, or a ChatError. */
  results (command, ...args) { return this.#outcome(this.request(command, this.encode(args))) }

  /** Runs a command; its first result. */
  async call (command, ...args) { return (await this.results(command, ...args))[0] }

  /** Runs a command with named arguments; its first result. */
  async callNamed (command, args) { return (await this.#outcome(this.request(command, this.encode(args))))[0] }

  async #outcome (reply) {
    const { result, extra = [], error } = await reply
    if (error !== undefined) throw new ChatError(error)
    return [result, ...extra]
  }

  /** A message to a room without a reply; an object is encoded, text and bytes go as they are. */
  send (room, message, options = {}) {
    const payload = typeof message === 'string' || Buffer.isBuffer(message) ? message : this.encode(message)
    return this.publish(`${this.base}/send/${roomLevel(room)}`, payload, options)
  }

  /** Takes a notification whose payload fits; its payload. */
  async notified (name, fits = () => true) {
    const item = await this.received.take(i => i.name === name && fits(i.payload), `${name} at ${this.id}`)
    return item.payload
  }

  /** Takes the next message of a room (or the one that fits). */
  async message (room, fits = () => true) {
    const item = await this.received.take(
      i => i.name === 'roomMessage' && i.room === room && fits(i.payload), `roomMessage of ${room} at ${this.id}`)
    return item.payload
  }

  /** What has arrived under a name, not taken yet. */
  waiting (name) { return this.received.peek(item => item.name === name) }

  /** Goes offline in good order. */
  async leave () {
    await this.publish(`${this.base}/status`, 'offline', { retain: true })
    await this.mqtt.endAsync()
  }

  /** Loses the connection; the broker publishes the will. */
  drop () { this.mqtt.stream.destroy() }

  async close () {
    await new Promise(resolve => this.mqtt.end(true, {}, resolve))
  }
}
