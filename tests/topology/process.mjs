// One process of a topology: it can be killed, frozen and started again on the same ports and folder.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { eventually, within } from '../e2e/support/deadline.mjs'
import { watchedChild } from '../e2e/support/leftovers.mjs'

const KEPT_OUTPUT = 1000000

/** True when something listens on a loopback port. */
export function accepts (port) {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false))
  })
}

/** `n` different free ports. */
export async function freePorts (n) {
  const servers = await Promise.all(Array.from({ length: n }, () => new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject).listen(0, '127.0.0.1', () => resolve(server))
  })))
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

export class Process {
  #child
  #exited = Promise.resolve()
  #livedBefore = false

  /** `ready` answers true once the process serves; `more` is what `spawn` takes (cwd, env). */
  constructor ({ name, command, args, ready, readyMs = 20000, ...more }) {
    Object.assign(this, { name, command, args, ready, readyMs, more, output: '', frozen: false })
  }

  get pid () { return this.#child?.pid }
  get running () { return this.#child !== undefined }
  /** Resolves when the present life ends. */
  get exited () { return this.#exited }

  /**
   * Starts it, the first time or again, and waits until it serves. The ports of its first life may be taken for a moment
   * when it comes back, by a connection of somebody else's: then it waits for them.
   */
  async start () {
    for (const end = Date.now() + this.readyMs; ;) {
      try {
        await this.#startOnce()
        this.#livedBefore = true
        return this
      } catch (error) {
        if (!error.portTaken || !this.#livedBefore || Date.now() > end) throw error
      }
    }
  }

  async #startOnce () {
    if (this.running) throw new Error(`${this.name} runs already`)
    let told = ''
    // it ends with us even when we are killed
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', this.command, ...this.args], { stdio: ['ignore', 'pipe', 'pipe'], ...this.more })
    this.#child = child
    watchedChild(child)
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        told = (told + text).slice(-KEPT_OUTPUT)
        this.output = (this.output + text).slice(-KEPT_OUTPUT)
      })
    }
    const closed = once(child, 'close').catch(() => {})
    this.#exited = new Promise(resolve => {
      child.once('error', error => { this.output += `${error}\n`; resolve({ code: null, signal: null }) })
      child.once('exit', (code, signal) => resolve({ code, signal }))
    }).then(how => {
      if (this.#child === child) this.#child = undefined
      this.frozen = false
      return how
    })
    try {
      await eventually(() => {
        if (this.#child !== child) throw new Error('it ended')
        return this.ready?.() ?? true
      }, `the start of ${this.name}`, this.readyMs)
    } catch (error) {
      await this.kill()
      await within(closed, 'end of its output').catch(() => {})
      // somebody else took it between our look and its start
      error.portTaken = /address already in use|address in use|eaddrinuse/i.test(told)
      error.message += `\n--- ${this.name}: ${[this.command, ...this.args].join(' ')}\n${this.output.slice(-5000)}`
      throw error
    }
  }

  /** SIGKILL, as a crash; resolves when it is gone. */
  async kill () {
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  /** SIGTERM; answers {code, signal}. SIGKILL and an error when that does not end it in time. */
  async terminate (ms = 30000) {
    this.#child?.kill('SIGTERM')
    try {
      return await within(this.#exited, `end of ${this.name} after SIGTERM`, ms)
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  /** SIGSTOP: it stands still, its connections stay open. */
  freeze () {
    this.#child?.kill('SIGSTOP')
    this.frozen = true
  }

  /** SIGCONT. */
  thaw () {
    this.#child?.kill('SIGCONT')
    this.frozen = false
  }
}
