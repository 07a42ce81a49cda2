// One room as this page lives in it: joining (again), catching up, history, presence, lists, sending.

import { toChatError } from './errors.js';
import { Outbox } from './outbox.js';
import { Readings } from './readings.js';
import { Timeline } from './timeline.js';

const PAGE = 50;
const CATCH_UP_PAGE = 100;
/// Away for more messages than this, the page starts at the newest and reads the rest when scrolled to.
const MAX_CATCH_UP = 1000;
const MAX_EARLY = 500;
const USERLIST_REFRESH = 30_000;

export class Room {
  /// `changed()` is called after every change; `arrived(message)` for each message that happens while joined.
  constructor(connection, name, { changed, arrived }) {
    this.connection = connection;
    this.name = name;
    this.changed = changed;
    this.arrived = arrived;
    this.status = 'joining'; // joining, joined, offline, absent, refused, removed
    this.error = null;
    this.timeline = new Timeline();
    this.readings = new Readings();
    this.users = new Set();
    this.usersVersion = 0; // counts changes of it
    this.owner = null;
    this.admins = new Set();
    this.blocked = [];
    this.following = true; // the view is at the newest message
    this.reading = false; // one history read at a time
    this.turn = 0; // counts joins: answers of an earlier one are dropped
    this.early = null; // live messages that came while we were joining
    this.outbox = new Outbox({ deliver: (message, key) => this.#deliver(message, key), changed });
  }

  get isAdmin() {
    return this.owner === this.connection.user || this.admins.has(this.connection.user);
  }
  /// Whether the page should go on trying to be in the room.
  get open() {
    return this.status === 'joining' || this.status === 'joined' || this.status === 'offline';
  }

  offline() {
    this.turn += 1;
    this.reading = false;
    this.outbox.setReady(false);
    if (this.open) this.#set('offline');
  }

  async create() {
    try {
      await this.connection.call('roomCreate', this.name, false);
    } catch (error) {
      if (toChatError(error).code !== 'roomExists') throw error;
    }
    await this.join();
  }

  /// Joins and catches up with what was said since the last time; also the way back after a lost connection.
  async join() {
    const turn = ++this.turn;
    this.early = [];
    this.reading = true;
    this.#set('joining');
    try {
      await this.#joinAndCatchUp(turn);
      if (turn !== this.turn) return;
      this.#set('joined');
      this.outbox.setReady(true);
      await Promise.all([this.#readUsers(turn), this.#readLists(turn)]);
      this.changed();
    } catch (error) {
      if (turn !== this.turn) return;
      const chat = toChatError(error);
      if (chat.passing && chat.code !== 'disconnected') this.#joinLater(turn);
      else if (chat.code === 'noRoom') this.#set('absent', chat);
      else if (chat.code !== 'disconnected') this.#set('refused', chat);
    } finally {
      if (turn === this.turn) this.reading = false;
    }
  }

  async leave() {
    this.turn += 1;
    this.outbox.setReady(false);
    clearInterval(this.refresh);
    await this.connection.call('roomLeave', this.name).catch(() => {}); // the connection ends anyhow
  }

  notification(name, args) {
    if (args[0] !== this.name || !this.open) return;
    switch (name) {
      case 'roomMessage':
        if (this.status === 'joined') this.#live(args[1]);
        else this.#keepEarly(args[1]);
        break;
      case 'roomUserJoined':
        this.users.add(args[1]);
        this.usersVersion += 1;
        break;
      case 'roomUserLeft':
        this.users.delete(args[1]);
        this.usersVersion += 1;
        break;
      case 'roomAccessRemoved':
        this.offline();
        this.#set('removed');
        break;
      case 'roomAccessListAdded':
      case 'roomAccessListRemoved':
        this.#readLists(this.turn).then(this.changed, () => {});
        break;
    }
    this.changed();
  }

  send(message) {
    return this.outbox.add(message);
  }

  /// Reads the page of history before what is held.
  older() {
    return this.#read(async (turn) => {
      const t = this.timeline;
      if (t.atStart) return;
      const upTo = t.from - 1;
      const after = Math.max(0, upTo - PAGE);
      const found = [];
      let cursor = after;
      do {
        const [messages, info] = await this.connection.call('roomHistoryGet', this.name, cursor, PAGE, {});
        if (turn !== this.turn) return;
        if (t.meet(info)) return void (await this.#readRecent(turn));
        if (messages.length === 0) break;
        found.push(...messages);
        cursor = messages[0].id;
      } while (cursor < upTo);
      t.cover(after, upTo, found);
      if (found.length === 0) t.first = t.from; // nothing of it can be read
      t.trim('oldest');
    });
  }

  /// Reads the page after what is held, when that does not reach the newest.
  newer() {
    return this.#read(async (turn) => {
      if (!this.timeline.atEnd) await this.#readAfter(turn, PAGE);
      this.timeline.trim('newest');
    });
  }

  /// Goes back to the newest messages.
  latest() {
    this.following = true;
    this.error = null;
    if (this.timeline.atEnd) return this.changed();
    return this.#read((turn) => this.#readRecent(turn));
  }

  /// Blocks somebody, or takes that back.
  async setBlocked(user, blocked) {
    await this.connection.call(blocked ? 'roomAddToList' : 'roomRemoveFromList', this.name, 'blacklist', [user]);
    await this.#readLists(this.turn);
    this.changed();
  }

  async #joinAndCatchUp(turn) {
    const t = this.timeline;
    const first = t.epoch === null;
    const after = t.latest;
    const wasAtEnd = t.atEnd;
    const options = first ? {} : { after, epoch: t.epoch, limit: CATCH_UP_PAGE };
    const [, page] = await this.connection.call('roomJoin', this.name, options);
    if (turn !== this.turn) return;
    if (page.lastMessageId < after) t.epoch = ''; // the room lost messages we saw: as good as another life
    const renewed = t.meet(page);
    if (renewed) this.readings.clear();
    if (first || renewed || t.latest - after > MAX_CATCH_UP) {
      await this.#readRecent(turn);
      if (!first && !renewed && page.gap) t.gaps.set(t.first, 'lost');
    } else if (wasAtEnd) {
      this.#take(t.cover(after, lastOf(page.messages, page), page.messages));
      while (!t.atEnd && turn === this.turn) await this.#readAfter(turn, CATCH_UP_PAGE);
    }
    if (turn !== this.turn) return;
    const early = this.early;
    this.early = null;
    for (const message of early) this.#live(message);
    if (wasAtEnd) while (!t.atEnd && turn === this.turn) await this.#readAfter(turn, CATCH_UP_PAGE);
    t.trim(this.following ? 'newest' : 'oldest');
  }

  async #readRecent(turn) {
    const t = this.timeline;
    const [messages, info] = await this.connection.call('roomRecentHistory', this.name, {});
    if (turn !== this.turn) return;
    const gaps = t.gaps;
    t.meet(info);
    t.clear();
    for (const [id, kind] of gaps) if (kind === 'renewed') t.gaps.set(id, kind);
    const oldest = messages.at(-1)?.id ?? info.lastMessageId + 1;
    this.#take(t.cover(oldest - 1, info.lastMessageId, messages));
  }

  async #readAfter(turn, limit) {
    const t = this.timeline;
    const after = t.to;
    const [messages, info] = await this.connection.call('roomHistoryGet', this.name, after, limit, {});
    if (turn !== this.turn) return;
    if (t.meet(info)) return void (await this.#readRecent(turn));
    this.#take(t.cover(after, lastOf(messages, { lastMessageId: t.latest }), messages));
  }

  async #read(work) {
    if (this.reading || this.status !== 'joined') return;
    this.reading = true;
    const turn = this.turn;
    let error = null;
    try {
      await work(turn);
    } catch (caught) {
      error = toChatError(caught);
    }
    if (turn !== this.turn) return;
    this.reading = false;
    this.error = error;
    this.changed();
    // what happened while we read may have left a hole behind the run
    if (!error && this.following && !this.timeline.atEnd) this.newer();
  }

  #live(message) {
    const t = this.timeline;
    const wasAtEnd = t.atEnd;
    if (message?.author === this.connection.user) this.outbox.echo(message);
    if (t.live(message)) {
      this.#take([message]);
      t.trim(this.following ? 'newest' : 'oldest');
    } else if (wasAtEnd && !t.atEnd) {
      this.newer(); // a hole: read what is missing
    } else if (!wasAtEnd) {
      this.readings.add([message]); // the reader is far up in the history
      this.outbox.settle(t.latest);
    }
    this.arrived(message);
  }

  #keepEarly(message) {
    if (!this.early) return;
    this.early.push(message);
    // the hole this leaves is read from the history
    if (this.early.length > MAX_EARLY) this.early.shift();
  }

  #take(messages) {
    this.readings.add(messages);
    this.outbox.settle(this.timeline.latest);
  }

  async #deliver(message, key) {
    const [id] = await this.connection.call('roomMessage', this.name, message, { idempotencyKey: key });
    return id;
  }

  async #readUsers(turn) {
    const [users] = await this.connection.call('roomGetAccessList', this.name, 'userlist');
    if (turn !== this.turn) return;
    this.users = new Set(users);
    this.usersVersion += 1;
    const [info] = await this.connection.call('roomNotificationsInfo', this.name);
    clearInterval(this.refresh);
    // without notifications about who comes and goes, look now and then
    if (!info.enableUserlistUpdates && turn === this.turn)
      this.refresh = setInterval(() => this.#refreshUsers(), USERLIST_REFRESH);
  }

  async #refreshUsers() {
    if (this.status !== 'joined') return;
    const turn = this.turn;
    try {
      const [users] = await this.connection.call('roomGetAccessList', this.name, 'userlist');
      if (turn !== this.turn) return;
      this.users = new Set(users);
      this.usersVersion += 1;
      this.changed();
    } catch {
      // the next look may succeed
    }
  }

  async #readLists(turn) {
    const [[owner], [admins]] = await Promise.all([
      this.connection.call('roomGetOwner', this.name),
      this.connection.call('roomGetAccessList', this.name, 'adminlist'),
    ]);
    if (turn !== this.turn) return;
    this.owner = owner;
    this.admins = new Set(admins);
    if (!this.isAdmin) return void (this.blocked = []);
    const [blocked] = await this.connection.call('roomGetAccessList', this.name, 'blacklist');
    if (turn === this.turn) this.blocked = [...blocked].sort();
  }

  #joinLater(turn) {
    this.#set('offline');
    setTimeout(() => turn === this.turn && this.connection.state === 'online' && this.join(), 2000);
  }

  #set(status, error = null) {
    this.status = status;
    this.error = error;
    this.changed();
  }
}

/// Up to which id a read of the history tells everything: a page that is not empty up to its newest, an empty one up to
/// the room's last.
function lastOf(messages, { lastMessageId }) {
  return messages.length > 0 ? Math.max(...messages.map((m) => m.id)) : lastMessageId;
}
