// Beside the log: who is present, who is blocked, and the live lines of what devices measure.

import { inWords } from '../errors.js';
import { linePoints, shortNumber } from '../readings.js';
import { avatar, byId, el, hue, reconcile, setText, svg } from './dom.js';

const MAX_SHOWN = 200;
const WIDTH = 120;
const HEIGHT = 30;

export class SideView {
  constructor(room, user) {
    this.room = room;
    this.user = user;
    this.users = [];
  }

  close() {
    for (const id of ['people', 'blocked', 'readings']) reconcile(byId(id), []);
    setText(byId('side-error'), '');
  }

  render() {
    const { room } = this;
    if (this.version !== room.usersVersion) {
      this.version = room.usersVersion;
      this.users = [...room.users].sort(new Intl.Collator().compare).slice(0, MAX_SHOWN);
      setText(byId('people-count'), String(room.users.size));
      setText(byId('people-more'), room.users.size > MAX_SHOWN ? `and ${room.users.size - MAX_SHOWN} more` : '');
    }
    reconcile(byId('people'), this.users.map((user) => this.#person(user)));
    byId('blocked-part').hidden = room.blocked.length === 0;
    reconcile(byId('blocked'), room.blocked.slice(0, MAX_SHOWN).map((user) => this.#blocked(user)));
    const lines = room.readings.list();
    byId('readings-empty').hidden = lines.length > 0;
    reconcile(byId('readings'), lines.map((line) => this.#line(line)));
    const here = `${room.users.size} here`;
    setText(byId('side-toggle'), lines.length > 0 ? `${here}, ${lines.length} live` : here);
  }

  #person(user) {
    return {
      key: user,
      build: () => {
        const block = el('button', { type: 'button', class: 'quiet block', text: 'Block', 'aria-label': `Block ${user}` });
        block.addEventListener('click', () => this.#setBlocked(block, user, true));
        const item = el('li', {}, avatar(user), el('bdi', { class: 'name', text: user }), el('span', { class: 'role' }), block);
        item.dataset.user = user;
        return item;
      },
      update: (item) => {
        const { room } = this;
        const roles = [];
        if (user === this.user) roles.push('you');
        if (user === room.owner) roles.push('owner');
        else if (room.admins.has(user)) roles.push('admin');
        setText(item.querySelector('.role'), roles.join(', '));
        item.querySelector('.block').hidden =
          !room.isAdmin || room.status !== 'joined' || user === this.user || user === room.owner || room.admins.has(user);
      },
    };
  }

  #blocked(user) {
    return {
      key: user,
      build: () => {
        const free = el('button', { type: 'button', class: 'quiet unblock', text: 'Unblock', 'aria-label': `Unblock ${user}` });
        free.addEventListener('click', () => this.#setBlocked(free, user, false));
        const item = el('li', {}, avatar(user), el('bdi', { class: 'name', text: user }), free);
        item.dataset.user = user;
        return item;
      },
    };
  }

  async #setBlocked(button, user, blocked) {
    button.disabled = true;
    setText(byId('side-error'), '');
    try {
      await this.room.setBlocked(user, blocked);
    } catch (error) {
      setText(byId('side-error'), inWords(error));
    } finally {
      button.disabled = false;
    }
  }

  #line(line) {
    return {
      key: line.key,
      build: () => {
        const drawing = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
        drawing.append(svg('polyline', { points: '', 'vector-effect': 'non-scaling-stroke' }));
        const names = el('span', { class: 'names' }, el('bdi', { class: 'name', text: line.author }), ' ', el('bdi', { class: 'field', text: line.field }));
        const item = el('li', { class: hue(line.author) }, names, el('output', { class: 'value' }), drawing);
        item.querySelector('output').setAttribute('aria-live', 'off'); // readings would never stop talking
        item.dataset.author = line.author;
        item.dataset.field = line.field;
        return item;
      },
      update: (item) => {
        if (item.dataset.last === String(line.id)) return;
        item.dataset.last = line.id;
        const now = shortNumber(line.values.at(-1));
        setText(item.querySelector('.value'), now);
        item.querySelector('polyline').setAttribute('points', linePoints(line.values, WIDTH, HEIGHT));
        const low = shortNumber(Math.min(...line.values));
        const high = shortNumber(Math.max(...line.values));
        const told = `${line.field} of ${line.author}: ${now}, between ${low} and ${high} in the last ${line.values.length}`;
        item.querySelector('svg').setAttribute('aria-label', told);
      },
    };
  }
}
