// socket.io clients of three generations behind one face.

import { createRequire } from 'node:module'
import { ChatError } from './chat_error.mjs'
import { Inbox, within } from './deadline.mjs'

const require = createRequire(import.meta.url)
const clients = { 2: require('sio2'), 3: require('sio3').io, 4: require('sio4').io }

/** Major versions of socket.io-client. */
export const versions = [2, 3, 4]

const notifications = ['roomMessage', 'directMessage', 'directMessageEcho', 'roomUserJoined', 'roomUserLeft',
  'roomAccessRemoved', 'roomAccessListAdded', 'roomAccessListRemoved', 'roomModeChanged', 'roomJoinedEcho',
  'roomLeftEcho', 'socketConnectEcho', 'socketDisconnectEcho', 'systemMessage', 'loginConfirmed', 'loginRejected']

/** One socket.io connection. What arrives is kept as {name, args} until it is taken. */
export class Browser {
  /** Opens a connection without waiting for the login. `query` and `auth` replace how the user name is told. */
  constructor (service, { user, version = 4, transports = ['websocket'], query, auth, namespace = '/chat-service', ...more }) {
    this.user = user
    this.received = new Inbox()
    this.socket = clients[version](service.url + namespace, {
      forceNew: true,
      reconnection: false,
      transports,
      query: query ?? (user === undefined ? {} : { user }),
      ...(auth ? { auth } : {}),
      ...more
    })
    for (const name of notifications) this.socket.on(name, (...args) => this.received.push({ name, args }))
    this.closed = new Promise(resolve => this.socket.on('disconnect', resolve))
    const failed = error => this.received.push({ name: 'loginRejected', args: [error] })
    this.socket.on('connect_error', failed)
    if (version === 2) this.socket.on('error', failed)
  }

  /** Opens a connection and waits for its login; `id` is its connection id, `authData` what came with it. */
  static async connect (service, options) {
    const browser = new Browser(service, options)
    try {
      const { name, args } = await browser.received.take(
        item => item.name === 'loginConfirmed' || item.name === 'loginRejected', 'login')
      if (name !== 'loginConfirmed') throw new Error(`login of ${options.user} rejected: ${args[0]?.message ?? args[0]}`)
      browser.authData = args[1]
      browser.id = args[1].id
      return browser
    } catch (error) {
      browser.close()
      throw error
    }
  }

  /** Name of the transport in use now. */
  get transport () { return this.socket.io.engine.transport.name }

  /** Runs a command; all its results, or a ChatError. */
  results (command, ...args) {
    return within(new Promise((resolve, reject) => {
      this.socket.emit(command, ...args, (error, ...results) => error ? reject(new ChatError(error)) : resolve(results))
    }), `answer to ${command} for ${this.user}`)
  }

  /** Runs a command; its first result. */
  async call (command, ...args) {
    return (await this.results(command, ...args))[0]
  }

  /** Takes a notification whose arguments fit; its arguments. */
  async notified (name, fits = () => true) {
    const item = await this.received.take(i => i.name === name && fits(...i.args), `${name} at ${this.user}'s browser`)
    return item.args
  }

  /** Takes the next message of a room (or the one that fits). */
  async message (room, fits = () => true) {
    return (await this.notified('roomMessage', (r, message) => r === room && fits(message)))[1]
  }

  /** What has arrived under a name, not taken yet. */
  waiting (name) {
    return this.received.peek(item => item.name === name).map(item => item.args)
  }

  close () { this.socket.close() }

  /** Loses the connection without a word of goodbye. */
  drop () {
    const { engine } = this.socket.io
    const raw = engine.transport.ws ?? engine.transport
    if (raw.terminate) raw.terminate()
    else engine.close()
  }
}
