// The scrolling log: rows of the timeline and the outbox, following the newest message or keeping the reader's place.

import { inWords } from '../errors.js';
import { byId, el, reconcile, setText } from './dom.js';
import { messageRow } from './message_view.js';

const NEAR_END = 48; // pixels from the end that still count as being there
const NEAR_START = 500; // pixels from the start at which the page before is read
const SAME_BREATH = 5 * 60_000; // messages of one author within this stand under one name
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

const days = new Map();

const GAPS = {
  lost: 'Some messages are missing here: the room no longer keeps them.',
  renewed: 'The room was made anew here. What was said before is gone.',
};

export class LogView {
  constructor(room, user) {
    this.room = room;
    this.user = user;
    this.scroller = byId('log');
    this.list = byId('messages');
    this.jump = byId('latest');
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true, signal });
    this.jump.addEventListener('click', () => this.toLatest(), { signal });
    this.resizing = new ResizeObserver(() => this.#stayAtEnd());
    this.resizing.observe(this.list);
    this.resizing.observe(this.scroller);
  }

  close() {
    this.listening.abort();
    this.resizing.disconnect();
    reconcile(this.list, []);
  }

  toLatest() {
    this.room.latest();
    this.render();
    this.scroller.focus({ preventScroll: true });
  }

  render() {
    const { room, scroller } = this;
    const place = room.following ? null : this.#place();
    reconcile(this.list, this.#rows());
    if (place?.node.isConnected) scroller.scrollTop += place.node.getBoundingClientRect().top - place.top;
    else this.#stayAtEnd();
    setText(byId('history-start'), this.#startText());
    this.jump.hidden = room.following;
    this.#readMore();
  }

  #rows() {
    const { timeline, outbox } = this.room;
    const rows = [];
    let before = null;
    for (const message of timeline.messages) {
      const gap = timeline.gaps.get(message.id);
      if (gap) rows.push(divider(`gap ${timeline.lives} ${message.id}`, 'gap', GAPS[gap]));
      const date = dayOf(message.timestamp);
      if (date !== dayOf(before?.timestamp)) rows.push(divider(`day ${timeline.lives} ${message.id}`, 'day', date));
      rows.push(this.#messageRow(message, !gap && before ? before : null));
      before = message;
    }
    const gap = timeline.gaps.get(timeline.to + 1);
    if (gap) rows.push(divider(`gap ${timeline.lives} ${timeline.to + 1}`, 'gap', GAPS[gap]));
    for (const item of outbox.items) if (!item.echoed) rows.push(this.#outboxRow(item));
    return rows;
  }

  #messageRow(message, before) {
    const own = message.author === this.user;
    const follows =
      before !== null && before.author === message.author && Math.abs(message.timestamp - before.timestamp) < SAME_BREATH;
    return {
      key: `message ${this.room.timeline.lives} ${message.id}`,
      build: () => {
        const row = messageRow(message, own);
        if (own) row.dataset.state = 'sent';
        return row;
      },
      update: (row) => {
        row.classList.toggle('follows', follows);
        row.classList.toggle('same-minute', follows && minuteOf(before) === minuteOf(message));
      },
    };
  }

  #outboxRow(item) {
    return {
      key: `own ${item.key}`,
      build: () => {
        const row = messageRow({ ...item.message, author: this.user, timestamp: item.created }, true);
        const state = el('span', { class: 'state-text' });
        const retry = el('button', { type: 'button', class: 'quiet retry', text: 'Try again' });
        const discard = el('button', { type: 'button', class: 'quiet discard', text: 'Discard' });
        retry.addEventListener('click', () => this.room.outbox.retry(item.key));
        discard.addEventListener('click', () => this.room.outbox.discard(item.key));
        row.querySelector('.main').append(el('div', { class: 'state', role: 'status' }, state, retry, discard));
        return row;
      },
      update: (row) => {
        row.dataset.state = item.state;
        const failed = item.state === 'failed';
        setText(row.querySelector('.state-text'), failed ? `Not sent. ${inWords(item.error)}` : this.#pendingText(item));
        for (const button of row.querySelectorAll('button.retry, button.discard')) button.hidden = !failed;
      },
    };
  }

  #pendingText(item) {
    if (item.state === 'sent') return 'Sent';
    return this.room.status === 'joined' ? 'Sending…' : 'Waiting for the connection…';
  }

  #startText() {
    const { timeline, status } = this.room;
    if (timeline.epoch === null) return status === 'joining' ? 'Loading…' : '';
    if (!timeline.atStart) return 'Loading earlier messages…';
    if (timeline.messages.length === 0) return 'Nothing has been said here yet.';
    return timeline.first > 1 ? 'Earlier messages are no longer kept.' : 'The room begins here.';
  }

  /// The first message in sight and where it is, to be put back there after rows came or went.
  #place() {
    const top = this.scroller.getBoundingClientRect().top;
    const rows = this.list.children;
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].getBoundingClientRect().bottom <= top) low = middle + 1;
      else high = middle;
    }
    // dividers come and go with their neighbours
    while (rows[low] && !rows[low].classList.contains('message')) low += 1;
    return rows[low] ? { node: rows[low], top: rows[low].getBoundingClientRect().top } : null;
  }

  #stayAtEnd() {
    if (this.room.following) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.top = this.scroller.scrollTop;
  }

  #scrolled() {
    const { scroller, room } = this;
    const fromEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    const upwards = scroller.scrollTop < (this.top ?? 0);
    this.top = scroller.scrollTop;
    // away from the end without a move upwards: something grew, and following it is on its way
    const following = (fromEnd < NEAR_END || (room.following && !upwards)) && room.timeline.atEnd;
    if (following !== room.following) {
      room.following = following;
      this.jump.hidden = following;
    }
    this.#readMore();
  }

  #readMore() {
    const { scroller, room } = this;
    if (room.status !== 'joined' || room.reading || room.error) return;
    const fromEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    if (fromEnd < NEAR_START && !room.timeline.atEnd) room.newer();
    else if (scroller.scrollTop < NEAR_START && !room.timeline.atStart) room.older();
  }
}

function divider(key, kind, text) {
  return { key, build: () => el('li', { class: `divider ${kind}` }, el('span', { text })) };
}

function minuteOf({ timestamp }) {
  return Math.floor(timestamp / 60_000);
}

/// The day in words. Asked for every row of every drawing, so it is remembered by the quarter of an hour, at which every
/// time zone's days begin.
function dayOf(timestamp) {
  const quarter = Math.floor(timestamp / 900_000);
  let known = days.get(quarter);
  if (known === undefined) {
    const date = new Date(timestamp);
    known = Number.isNaN(date.getTime()) ? '' : day.format(date);
    if (days.size > 5000) days.clear();
    days.set(quarter, known);
  }
  return known;
}
