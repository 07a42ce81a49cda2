// One user's connection to the service: login, commands with their answers, notifications. Reconnects by itself.

import { io } from 'socket.io-client';
import { ChatError, toChatError } from './errors.js';

const ANSWER_TIMEOUT = 15_000;
const RETRY_AFTER = 3_000;
const NAMESPACE = new URLSearchParams(location.search).get('namespace') ?? '/chat-service';

export class Connection {
  /// `onState(state, error)`: 'connecting', 'online' (logged in, again after each reconnect), 'offline' (tries again by
  /// itself) or 'rejected' (does not). `onNotification(name, args)`.
  constructor(user, { onState, onNotification }) {
    this.user = user;
    this.onState = onState;
    this.state = 'connecting';
    const origin = location.origin + (NAMESPACE.startsWith('/') ? NAMESPACE : `/${NAMESPACE}`);
    this.socket = io(origin, {
      path: new URL('socket.io/', location.href).pathname,
      query: { user },
      auth: { user },
      reconnectionDelay: 500,
      reconnectionDelayMax: 5_000,
      timeout: 10_000,
      forceNew: true,
    });
    this.socket.on('loginConfirmed', () => this.#set('online'));
    this.socket.on('loginRejected', (error) => this.#rejected(toChatError(error)));
    this.socket.on('connect_error', (error) => {
      // the server answered and said no: the library does not try again by itself
      if (!this.socket.active) this.#rejected(toChatError(error));
      else this.#set('offline');
    });
    this.socket.on('disconnect', (reason) => {
      if (this.state === 'rejected' || this.state === 'closed') return;
      this.#set('offline');
      if (reason === 'io server disconnect') this.#later();
    });
    this.socket.onAny((name, ...args) => {
      if (name !== 'loginConfirmed' && name !== 'loginRejected') onNotification(name, args);
    });
  }

  /// Runs a command; resolves to its results, rejects with a ChatError.
  call(command, ...args) {
    if (this.state !== 'online') return Promise.reject(new ChatError('disconnected'));
    return new Promise((resolve, reject) => {
      this.socket.timeout(ANSWER_TIMEOUT).emit(command, ...args, (missing, error, ...results) => {
        if (missing) reject(new ChatError(this.state === 'online' && this.socket.connected ? 'timeout' : 'disconnected'));
        else if (error) reject(toChatError(error));
        else resolve(results);
      });
    });
  }

  close() {
    this.state = 'closed';
    clearTimeout(this.timer);
    this.socket.disconnect();
  }

  #rejected(error) {
    if (error.passing) {
      this.#set('offline');
      this.#later();
      return;
    }
    this.#set('rejected', error);
    this.socket.disconnect();
  }

  #later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.state === 'offline' && this.socket.connect(), RETRY_AFTER);
  }

  #set(state, error) {
    if (this.state === 'closed' || (this.state === 'rejected' && state !== 'online')) return;
    this.state = state;
    this.onState(state, error);
  }
}
