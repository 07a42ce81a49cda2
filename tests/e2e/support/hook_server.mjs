// A hook server (node:http, or node:https) that does what a test says, honest or not, and remembers what it was asked.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { gone, watched } from './leftovers.mjs'

export class HookServer {
  /** What each hook does: (body, call) => answer. An answer is an object, or a function that gets the response. */
  hooks = {}
  /** What was asked: {hook, body, headers, signed}. */
  calls = []
  connections = 0
  #server
  #sockets = new Set()

  /** `tls` are the options of node:https, with them it is a server of https. */
  constructor ({ secret, tls, host = '127.0.0.1' } = {}) { Object.assign(this, { secret, tls, host }) }

  /** Starts on a free port, or again on the one it had. */
  async start () {
    const serve = (request, response) => this.#serve(request, response)
    this.#server = watched(this.tls ? createSecureServer(this.tls, serve) : createServer(serve), () => this.#end())
    this.#server.on('connection', socket => {
      ++this.connections
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server.listen(this.port ?? 0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = this.#server.address().port
    return this
  }

  /** `host` is how the service calls it. */
  get url () { return `${this.tls ? 'https' : 'http'}://${this.host}:${this.port}/hooks` }

  /** Ends at once, as a process that is killed: what is at work gets no answer. Does nothing when it does not run. */
  async kill () {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    gone(this.#server)
    this.#end()
    await closed
  }

  #end () {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  /** What a hook was asked, in order. */
  asked (hook) { return this.calls.filter(call => call.hook === hook).map(call => call.body) }

  async #serve (request, response) {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const raw = Buffer.concat(chunks)
    const hook = request.url.slice('/hooks/'.length)
    const call = { hook, body: JSON.parse(raw), headers: request.headers, signed: this.#isSigned(request.headers, raw) }
    this.calls.push(call)
    const answer = await (this.hooks[hook]?.(call.body, call) ?? {})
    if (typeof answer === 'function') return answer(response)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer))
  }

  #isSigned (headers, raw) {
    if (!this.secret) return undefined
    const timestamp = headers['x-roombus-timestamp']
    const wanted = Buffer.from(`sha256=${createHmac('sha256', this.secret).update(`${timestamp}.`).update(raw).digest('hex')}`)
    const given = Buffer.from(headers['x-roombus-signature'] ?? '')
    return given.length === wanted.length && timingSafeEqual(given, wanted) && Math.abs(Date.now() - timestamp) < 60000
  }
}

/** Ways not to answer. */
export const lies = {
  status: response => { response.statusCode = 500; response.end('{}') },
  garbage: response => response.end('{"args":'),
  list: response => response.end('[]'),
  wrongTypes: response => response.end('{"args":{"0":"x"}}'),
  cut: response => { response.setHeader('content-length', 100); response.write('{'); response.socket.destroySoon() },
  gone: response => response.socket.destroy(),
  endless: response => {
    const pour = () => { while (!response.destroyed && response.write(' '.repeat(16384))); }
    response.on('drain', pour)
    pour()
  },
  silent: () => {}
}
