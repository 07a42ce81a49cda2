// A program on socket.io 2 or 4.

import { within } from '../../e2e/support/deadline.mjs'
import { socketIo } from './clients.mjs'
import { Program } from './program.mjs'

const codes = [[/timeout/, 'timeout'], [/not allowed/, 'notAllowed'], [/Not joined/, 'notJoined'], [/not connected/, 'invalidSocket'], [/No such room/, 'noRoom']]

/** The code of an error in its string form. */
export function codeOf (error) {
  if (typeof error !== 'string') return error.code
  const text = error.replace(/^ChatServiceError: /, '')
  return codes.find(([pattern]) => pattern.test(text))?.[1] ?? text.split(' ')[0]
}

export class BrowserProgram extends Program {
  #socket

  /** `entrances`: functions that answer the URL of an instance. */
  constructor (setup, recorder, random, entrances) {
    super(setup, recorder, random)
    this.entrances = entrances
  }

  async open () {
    const instance = this.random.integer(0, this.entrances.length - 1)
    const socket = socketIo[this.version](this.entrances[instance]() + '/chat-service', {
      forceNew: true, reconnection: false, transports: this.transports, query: { user: this.user }, timeout: 5000
    })
    this.#socket = socket
    const login = new Promise((resolve, reject) => {
      socket.on('loginConfirmed', (user, data) => {
        this.id = data.id
        this.opened({ instance })
        resolve()
      })
      socket.on('loginRejected', error => reject(new Error(`rejected: ${error}`)))
      socket.on('connect_error', error => reject(new Error(`connect_error: ${error?.message ?? error}`)))
      socket.on('error', error => reject(new Error(`error: ${error?.message ?? error}`)))
      socket.on('disconnect', reason => reject(new Error(`disconnect: ${reason}`)))
    })
    const mine = () => this.#socket === socket
    socket.on('disconnect', () => { if (mine()) this.onClosed() })
    socket.on('roomMessage', (room, message) => { if (mine()) this.onMessage(room, message) })
    socket.on('roomAccessRemoved', room => { if (mine()) this.onRemoved(room) })
    this.acks = new Map()
    const asked = this.acks
    // a second answer to one request would go unnoticed in the client library
    const onack = socket.onack
    socket.onack = packet => {
      const request = asked.get(packet.id)
      if (request?.answered && mine()) this.log('answer', { q: request.q, again: true, raw: packet.data })
      if (request) request.answered = true
      return onack.call(socket, packet)
    }
    try {
      await within(login, 'login', 8000)
    } catch (error) {
      this.#socket = undefined
      this.up = false
      socket.close()
      throw error
    }
  }

  request (q, command, args) {
    const socket = this.#socket
    this.acks.set(socket.ids, { q })
    socket.emit(command, ...args, (error, ...results) => {
      if (this.#socket === socket) this.onAnswer(q, error ? codeOf(error) : undefined, results)
    })
  }

  async shut () {
    const socket = this.#socket
    socket?.close()
    this.onClosed()
  }

  kill () {
    const { engine } = this.#socket.io
    const raw = engine.transport.ws ?? engine.transport
    if (raw.terminate) raw.terminate()
    else engine.close()
  }
}
