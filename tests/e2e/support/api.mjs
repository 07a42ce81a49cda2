// The server API over HTTP, and its event streams.

import assert from 'node:assert/strict'
import { DEADLINE_MS, Inbox } from './deadline.mjs'

/** Calls the API of a service with one key. */
export class Api {
  constructor (service, key) { Object.assign(this, { base: `http://${service.admin}/api/v1/`, key }) }

  /** Any request below /api/v1/: {status, headers, text, json} (json undefined when the body is none). */
  async fetch (path, { headers = {}, ...options } = {}) {
    const answer = await fetch(this.base + path, {
      ...options,
      headers: { ...(this.key === undefined ? {} : { authorization: `Bearer ${this.key}` }), ...headers },
      signal: AbortSignal.timeout(DEADLINE_MS)
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    let json
    try { json = JSON.parse(bytes.toString()) } catch {}
    return { status: answer.status, headers: answer.headers, bytes, json }
  }

  /** POST of one call with JSON arguments: as `fetch`. */
  post (method, args, headers = {}) {
    return this.fetch(method, {
      method: 'POST',
      body: args === undefined ? undefined : JSON.stringify(args),
      headers: { 'content-type': 'application/json', ...headers }
    })
  }

  /** The first result of a call; throws for any status but 200. */
  async call (method, args) {
    const { status, json } = await this.post(method, args)
    if (status !== 200) throw new Error(`${method}: ${status} ${JSON.stringify(json)}`)
    return json.result
  }

  /** Opens an event stream and waits until it is there; frames {id, event, data} are in `received`. */
  async stream (path, headers = {}) {
    const stop = new AbortController()
    const answer = await fetch(this.base + path, {
      headers: { authorization: `Bearer ${this.key}`, ...headers },
      signal: stop.signal
    })
    const stream = { status: answer.status, type: answer.headers.get('content-type'), received: new Inbox(), text: '' }
    stream.close = () => stop.abort()
    stream.ended = (async () => {
      let rest = ''
      const decoder = new TextDecoder()
      for await (const bytes of answer.body) {
        const text = decoder.decode(bytes, { stream: true })
        stream.text += text
        const frames = (rest + text).split('\n\n')
        rest = frames.pop()
        for (const frame of frames) {
          const fields = Object.fromEntries(frame.split('\n').filter(line => !line.startsWith(':'))
            .map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
          if (fields.event) stream.received.push({ id: fields.id, event: fields.event, data: JSON.parse(fields.data) })
        }
      }
      return 'end'
    })().catch(error => `cut: ${error.name}`)
    stream.next = (event, fits = () => true) =>
      stream.received.take(item => item.event === event && fits(item.data), `${event} on ${path}`)
    return stream
  }
}

/** The error of a call as [code, ...args]; a failure when it has none, or not the status of a chat error. */
export async function refused (api, method, args) {
  const { status, json } = await api.post(method, args)
  assert.ok(status >= 400 && status < 500, `${method} answered ${status} ${JSON.stringify(json)}`)
  return [json.error.code, ...json.error.args]
}

/** Options of a scenario with one key for each level. */
export const withKeys = {
  args: ['--admin.key', 'key-for-all', '--admin.rooms_key', 'key-for-rooms', '--admin.read_key', 'key-for-reading']
}
export const apis = service => ({
  all: new Api(service, 'key-for-all'),
  rooms: new Api(service, 'key-for-rooms'),
  read: new Api(service, 'key-for-reading')
})
