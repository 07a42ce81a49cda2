// The page: a form to enter by, then the room. Everything it knows about the service comes through Connection and Room.

import { Connection } from './connection.js';
import { inWords } from './errors.js';
import { Room } from './room.js';
import { Composer } from './view/composer.js';
import { byId, setText } from './view/dom.js';
import { LogView } from './view/log_view.js';
import { shortValue } from './view/message_view.js';
import { SideView } from './view/side_view.js';

const STATES = {
  connecting: 'Connecting…',
  offline: 'Connection lost. Trying again…',
  joining: 'Joining…',
  joined: 'Connected',
  removed: 'Removed',
  absent: 'No such room',
  refused: 'Not admitted',
};

let visit = null;

/// One stay in one room, from the form to leaving.
class Visit {
  constructor(user, name) {
    this.user = user;
    this.name = name;
    this.entered = false;
    this.unread = 0;
    this.connection = new Connection(user, {
      onState: (state, error) => this.#connectionChanged(state, error),
      onNotification: (notification, args) => this.room.notification(notification, args),
    });
    this.room = new Room(this.connection, name, {
      changed: () => this.#schedule(),
      arrived: (message) => this.#announce(message),
    });
    this.#schedule();
  }

  async leave() {
    this.left = true;
    await this.room.leave();
    this.close();
  }

  close() {
    this.left = true;
    this.room.offline();
    clearInterval(this.room.refresh);
    this.connection.close();
    for (const view of [this.log, this.side, this.composer]) view?.close();
  }

  /// What the banner offers: to read again, or to create a room that is gone.
  again() {
    if (this.room.status !== 'absent') return this.room.latest();
    return this.room.create().catch((error) => setText(byId('banner-text'), inWords(error)));
  }

  seen() {
    this.unread = 0;
    this.#title();
  }

  #connectionChanged(state, error) {
    if (state === 'online') {
      if (this.room.open) this.room.join();
    } else if (state === 'rejected') {
      leaveRoom(inWords(error));
      return;
    } else {
      this.room.offline();
    }
    this.#schedule();
  }

  /// Draws once per frame however much happened; a hidden page gets no frames and draws now and then.
  #schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    const draw = () => {
      this.scheduled = false;
      if (!this.left) this.#render();
    };
    if (document.hidden) setTimeout(draw, 250);
    else requestAnimationFrame(draw);
  }

  #render() {
    const { room } = this;
    if (!this.entered && room.status === 'joined') this.#enter();
    if (!this.entered) return this.#renderEntry();
    const state = room.status === 'offline' && this.connection.state === 'connecting' ? 'connecting' : room.status;
    byId('connection').dataset.state = state;
    setText(byId('connection'), STATES[state]);
    this.#renderBanner();
    this.composer.setEnabled(room.open);
    this.side.render();
    this.log.render();
  }

  #enter() {
    this.entered = true;
    showRoom(this.user, this.name);
    this.log = new LogView(this.room, this.user);
    this.side = new SideView(this.room, this.user);
    this.composer = new Composer((message) => {
      const taken = this.room.send(message);
      if (taken) this.room.latest();
      return taken;
    });
    byId('text').focus();
  }

  #renderEntry() {
    const { status, error } = this.room;
    const offline = this.connection.state === 'offline';
    setText(byId('entry-status'), status === 'absent' || status === 'refused' ? '' : offline ? 'The server does not answer. Trying again…' : 'Connecting…');
    const offered = !byId('entry-create').hidden;
    byId('entry-create').hidden = status !== 'absent';
    setText(byId('entry-create-text'), status === 'absent' ? `There is no room “${this.name}” yet.` : '');
    if (status === 'absent' && !offered) byId('create').focus();
    if (status === 'refused') leaveRoom(inWords(error));
    else setText(byId('entry-error'), '');
  }

  #renderBanner() {
    const { room } = this;
    const texts = {
      removed: 'You were removed from this room, or the room was deleted. Nothing more of it reaches you.',
      absent: 'This room does not exist any more.',
      refused: room.error ? `The room did not let you in again. ${inWords(room.error)}` : '',
    };
    const text = texts[room.status] ?? (room.error ? inWords(room.error) : '');
    setText(byId('banner-text'), text);
    byId('banner').hidden = text === '';
    byId('banner-retry').hidden = room.status !== 'joined' && room.status !== 'absent';
    setText(byId('banner-retry'), room.status === 'absent' ? 'Create it again' : 'Try again');
  }

  /// Tells screen readers what people say; readings of devices would never let them finish.
  #announce(message) {
    if (message.author === this.user) return;
    const said = typeof message.textMessage === 'string' ? message.textMessage : message.image ? 'a picture' : null;
    if (said === null) return;
    setText(byId('announcer'), `${message.author}: ${shortValue(said)}`);
    if (document.hidden) {
      this.unread += 1;
      this.#title();
    }
  }

  #title() {
    document.title = `${this.unread > 0 ? `(${this.unread}) ` : ''}${this.name} · roombus`;
  }
}

function showRoom(user, name) {
  byId('entry').hidden = true;
  byId('room').hidden = false;
  setText(byId('room-name'), name);
  setText(byId('own-name'), user);
  document.title = `${name} · roombus`;
  sessionStorage.setItem('roombus.entered', JSON.stringify([user, name]));
  const url = new URL(location.href);
  url.searchParams.set('room', name);
  if (url.searchParams.has('user')) url.searchParams.set('user', user);
  history.replaceState(null, '', url);
}

/// Back to the form, with the reason if there is one.
function leaveRoom(reason = '') {
  visit?.close();
  visit = null;
  sessionStorage.removeItem('roombus.entered');
  byId('room').hidden = true;
  byId('entry').hidden = false;
  byId('entry-create').hidden = true;
  setText(byId('entry-status'), '');
  setText(byId('entry-error'), reason);
  document.title = 'roombus';
  (byId('user').value ? byId('room-input') : byId('user')).focus();
}

function enter(user, room) {
  visit?.close();
  setText(byId('entry-error'), '');
  byId('entry-create').hidden = true;
  remember(user, room);
  visit = new Visit(user, room);
}

// storage can be switched off in a browser; then nothing is remembered
function remember(user, room) {
  try {
    localStorage.setItem('roombus.user', user);
    localStorage.setItem('roombus.room', room);
  } catch {
    return;
  }
}

function remembered() {
  try {
    const entered = JSON.parse(sessionStorage.getItem('roombus.entered'));
    return { user: localStorage.getItem('roombus.user'), room: localStorage.getItem('roombus.room'), entered };
  } catch {
    return {};
  }
}

function setSideOpen(open) {
  byId('room').classList.toggle('side-open', open);
  byId('side-toggle').setAttribute('aria-expanded', String(open));
}

function start() {
  const asked = new URLSearchParams(location.search);
  const { user, room, entered } = remembered();
  byId('user').value = asked.get('user') ?? user ?? '';
  byId('room-input').value = asked.get('room') ?? room ?? '';

  byId('entry-form').addEventListener('submit', (event) => {
    event.preventDefault();
    enter(byId('user').value.trim(), byId('room-input').value.trim());
  });
  byId('create').addEventListener('click', () => {
    const { room: target } = visit;
    byId('create').disabled = true;
    target
      .create()
      .catch((error) => {
        const words = inWords(error);
        leaveRoom(error.code === 'notAllowed' ? 'This server does not let you create rooms.' : words);
      })
      .finally(() => {
        byId('create').disabled = false;
      });
  });
  byId('leave').addEventListener('click', async () => {
    const leaving = visit;
    byId('leave').disabled = true;
    await Promise.race([leaving?.leave(), new Promise((resolve) => setTimeout(resolve, 1000))]);
    byId('leave').disabled = false;
    leaveRoom();
  });
  byId('banner-retry').addEventListener('click', () => visit?.again());
  byId('side-toggle').addEventListener('click', () => setSideOpen(!byId('room').classList.contains('side-open')));
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !byId('room').classList.contains('side-open')) return;
    setSideOpen(false);
    byId('side-toggle').focus();
  });
  document.addEventListener('visibilitychange', () => !document.hidden && visit?.seen());

  if (asked.get('user') && asked.get('room')) enter(asked.get('user'), asked.get('room'));
  else if (entered && (asked.get('room') ?? entered[1]) === entered[1]) enter(...entered);
  else (byId('user').value ? byId('room-input') : byId('user')).focus();
}

start();
