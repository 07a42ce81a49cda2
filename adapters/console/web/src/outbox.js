// What this page wants to say and the room has not confirmed. One message is under way at a time, so they keep their order.
// Each has one idempotency key for all its attempts: however often it is tried, the room takes it once.

import { toChatError } from './errors.js';

export const MAX_WAITING = 50;
/// The service knows a key for five minutes; later a repeat might say it twice, so it is not made without being asked.
export const KEY_LIFE = 4 * 60_000;
/// A message that the connection breaks on this often is what breaks it.
export const MAX_TRIES = 5;

/// Random key; `crypto.randomUUID` is missing on plain http from another machine, this is not.
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

export class Outbox {
  /// `deliver(message, key)` resolves to the message's id; `changed()` is called after every change.
  constructor({ deliver, changed, now = Date.now, newKey = randomKey }) {
    this.deliver = deliver;
    this.changed = changed;
    this.now = now;
    this.newKey = newKey;
    this.items = []; // {key, message, state: 'pending' | 'sent' | 'failed', error, created, firstTry, tries, asked, id, echoed}
    this.settled = 0;
    this.ready = false;
    this.busy = false;
  }

  /// Queues a message; false when too many wait already.
  add(message) {
    if (this.items.length >= MAX_WAITING) return false;
    this.items.push({ key: this.newKey(), message, state: 'pending', created: this.now(), firstTry: null, tries: 0 });
    this.changed();
    this.#pump();
    return true;
  }

  /// Joined (again), or not any more.
  setReady(ready) {
    this.ready = ready;
    if (ready) this.#pump();
  }

  retry(key) {
    const item = this.items.find((i) => i.key === key);
    if (item?.state !== 'failed') return;
    item.state = 'pending';
    item.error = undefined;
    item.asked = true;
    this.changed();
    this.#pump();
  }

  discard(key) {
    this.items = this.items.filter((i) => i.key !== key || i.state !== 'failed');
    this.changed();
  }

  /// The room's own messages up to `id` are on the page: those that were sent need no line of their own.
  settle(id) {
    this.settled = id;
    this.items = this.items.filter((i) => i.state !== 'sent' || i.id > id);
  }

  /// A message of this user arrived, perhaps before the answer with its id: the line of the one it must be is hidden, so
  /// that nobody sees it twice for a moment.
  echo(message) {
    const content = fingerprint(message);
    const item = this.items.find((i) => i.state === 'pending' && i.firstTry !== null && !i.echoed && fingerprint(i.message) === content);
    if (item) item.echoed = true;
  }

  async #pump() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.ready) {
        const item = this.items.find((i) => i.state === 'pending');
        if (!item || !(await this.#attempt(item))) break;
      }
    } finally {
      this.busy = false;
    }
  }

  /// False when the connection went and the item waits for the next one.
  async #attempt(item) {
    const late = item.firstTry !== null && this.now() - item.firstTry > KEY_LIFE;
    if ((late || item.tries >= MAX_TRIES) && !item.asked) {
      item.state = 'failed';
      item.error = new Error('It may have been sent already: look above before you try again.');
      this.changed();
      return true;
    }
    item.firstTry ??= this.now();
    item.tries += 1;
    item.asked = false;
    try {
      item.id = await this.deliver(item.message, item.key);
      item.state = 'sent';
    } catch (error) {
      const chat = toChatError(error);
      if (chat.code === 'disconnected') return false;
      item.state = 'failed';
      item.error = chat;
    }
    item.echoed &&= item.state === 'sent'; // it was somebody else's line after all
    this.settle(this.settled);
    this.changed();
    return true;
  }
}

function fingerprint(message) {
  const content = Object.entries(message).filter(([key]) => key !== 'author' && key !== 'timestamp' && key !== 'id');
  content.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(content, (_, item) => (item instanceof ArrayBuffer ? `bytes ${item.byteLength}` : item));
}
