// A wire that can be cut: a TCP relay on a loopback port.

import net from 'node:net'
import { gone, watched } from '../e2e/support/leftovers.mjs'

// Node 20 goes round for ever at its end when it has reset a socket that was being closed: what it clears up there is
// not needed.
let ends = false
function endAtOnce () {
  if (!ends) process.on('exit', code => process.exit(code))
  ends = true
}

export class Link {
  #pairs = new Set()
  #state = 'up'

  /** Relays to `target` ("host:port"); `address` is where. */
  static async open (name, target) {
    const link = new Link()
    Object.assign(link, { name, target })
    link.server = watched(net.createServer(socket => link.#accepted(socket)), () => link.#end())
    await new Promise((resolve, reject) => link.server.once('error', reject).listen(0, '127.0.0.1', resolve))
    link.address = `127.0.0.1:${link.server.address().port}`
    return link
  }

  get state () { return this.#state }

  #accepted (near) {
    if (this.#state === 'cut') {
      near.resetAndDestroy()
      return
    }
    const [host, port] = this.target.split(':')
    const far = net.connect({ host, port: Number(port), noDelay: true })
    near.setNoDelay(true)
    const pair = [near, far]
    this.#pairs.add(pair)
    const end = () => {
      this.#pairs.delete(pair)
      for (const socket of pair) socket.destroy()
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
    near.pipe(far).pipe(near)
    if (this.#state === 'stalled') for (const socket of pair) socket.pause()
  }

  /** Resets all connections once; new ones come through. */
  reset () {
    endAtOnce()
    for (const pair of [...this.#pairs]) for (const socket of pair) socket.resetAndDestroy()
  }

  /** Resets all connections, and new ones until `mend`. */
  cut () {
    this.#state = 'cut'
    this.reset()
  }

  /** Nothing comes through any more, but nobody is told. */
  stall () {
    this.#state = 'stalled'
    for (const pair of this.#pairs) for (const socket of pair) { socket.unpipe(); socket.pause() }
  }

  /** As before `cut` or `stall`. */
  mend () {
    const stalled = this.#state === 'stalled'
    this.#state = 'up'
    if (stalled) for (const [near, far] of this.#pairs) near.pipe(far).pipe(near)
  }

  async close () {
    if (!this.server.listening) return
    gone(this.server)
    const closed = new Promise(resolve => this.server.once('close', resolve))
    this.#end()
    await closed
  }

  #end () {
    this.cut()
    this.server.close()
  }
}
