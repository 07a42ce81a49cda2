// The part of a room's history that the page holds: all messages of one run of ids [from, to], bounded in number and in
// bytes. What falls out at either end is asked for again when somebody scrolls there. Ids inside the run that have no
// message are lost for good, and a gap says so. Knows no page and no network.

export const MAX_MESSAGES = 2000;
export const MAX_BYTES = 48 * 1024 * 1024;

/// Roughly what a value keeps in memory.
export function weight(value, depth = 0) {
  if (typeof value === 'string') return 2 * value.length;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength;
  if (value === null || typeof value !== 'object' || depth > 64) return 8;
  let sum = 16;
  for (const [key, item] of Object.entries(value)) sum += 2 * key.length + weight(item, depth + 1);
  return sum;
}

export class Timeline {
  constructor({ maxMessages = MAX_MESSAGES, maxBytes = MAX_BYTES } = {}) {
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
    this.epoch = null; // which life of the room the ids belong to; null before the first read
    this.lives = 0; // how many epochs were met
    this.latest = 0; // the newest id of the room that we know of
    this.first = 1; // the oldest id that the room still keeps
    this.clear();
  }

  /// Forgets the messages; the run is empty behind the latest.
  clear() {
    this.messages = []; // ascending ids
    this.bytes = 0;
    this.from = this.latest + 1;
    this.to = this.latest;
    this.gaps = new Map(); // id -> 'lost' | 'renewed': a divider before that message
  }

  /// Whether the run reaches the room's last message, so that live ones can be appended.
  get atEnd() {
    return this.to >= this.latest;
  }
  get atStart() {
    return this.from <= this.first;
  }

  /// Takes what a history read told about the room. Another epoch means another life of the room, with ids of its own:
  /// what we hold goes. Answers whether that happened.
  meet({ epoch, firstMessageId, lastMessageId }) {
    const renewed = this.epoch !== null && epoch !== this.epoch;
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.lives += 1;
      this.latest = lastMessageId;
      this.clear();
    }
    this.first = firstMessageId;
    this.latest = Math.max(this.latest, lastMessageId);
    if (renewed) this.gaps.set(firstMessageId, 'renewed');
    return renewed;
  }

  /// Takes a read of the history: `messages`, in any order, are all there are with ids in (after, upTo]. They must touch
  /// the run, or the run be empty. Answers those that are new, ascending.
  cover(after, upTo, messages) {
    const wanted = messages.filter((m) => Number.isSafeInteger(m?.id) && m.id > after && m.id <= upTo);
    wanted.sort((a, b) => a.id - b.id);
    if (this.to < this.from) {
      this.from = after + 1;
      this.to = upTo;
    } else if (after >= this.to) {
      // forwards: whatever is missing between what we hold and what came is lost
      let expected = after + 1;
      for (const { id } of wanted) {
        if (id !== expected) this.gaps.set(id, 'lost');
        expected = id + 1;
      }
      if (expected <= upTo) this.gaps.set(upTo + 1, 'lost');
      this.to = Math.max(this.to, upTo);
    } else {
      this.from = Math.min(this.from, after + 1);
      this.to = Math.max(this.to, upTo);
    }
    this.latest = Math.max(this.latest, upTo);
    return wanted.filter((message) => this.#insert(message));
  }

  /// Takes a message as it happens. One that does not continue the run is only noted as the latest: it will be read from
  /// the history. Answers whether it was added.
  live(message) {
    const id = message?.id;
    if (!Number.isSafeInteger(id) || id <= this.to) return false;
    const continues = this.atEnd && id === this.to + 1;
    this.latest = Math.max(this.latest, id);
    if (!continues) return false;
    this.to = id;
    return this.#insert(message);
  }

  /// Drops messages at the end nobody is looking at until the bounds hold again.
  trim(keep) {
    while (this.messages.length > this.maxMessages || (this.bytes > this.maxBytes && this.messages.length > 1)) {
      const dropped = keep === 'newest' ? this.messages.shift() : this.messages.pop();
      if (keep === 'newest') this.from = dropped.id + 1;
      else this.to = dropped.id - 1;
      this.bytes -= weight(dropped);
    }
    for (const id of this.gaps.keys()) if (id < this.from || id > this.to + 1) this.gaps.delete(id);
  }

  #insert(message) {
    let low = 0;
    let high = this.messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.messages[middle].id < message.id) low = middle + 1;
      else high = middle;
    }
    if (this.messages[low]?.id === message.id) return false;
    this.messages.splice(low, 0, message);
    this.bytes += weight(message);
    return true;
  }
}
