// Where a message is written: text, and a picture from a file, the clipboard or dropped on the room.

import { preparePicture } from '../picture.js';
import { byId, setText } from './dom.js';

const MAX_TEXT = 50_000; // characters; with a picture still below what the service takes at once

export class Composer {
  /// `send(message)` answers false when the message could not be taken.
  constructor(send) {
    this.send = send;
    this.text = byId('text');
    this.file = byId('picture-file');
    this.picture = null;
    this.turn = 0;
    this.listening = new AbortController();
    const { signal } = this.listening;
    const on = (node, event, listener) => node.addEventListener(event, listener, { signal });
    on(byId('composer'), 'submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    on(this.text, 'keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    on(this.text, 'input', () => this.#grow());
    on(byId('picture-choose'), 'click', () => this.file.click());
    on(this.file, 'change', () => this.#take(this.file.files));
    on(byId('picture-drop'), 'click', () => {
      this.#setPicture(null);
      this.text.focus();
    });
    on(this.text, 'paste', (event) => {
      if (this.#take(event.clipboardData?.files)) event.preventDefault();
    });
    const room = byId('room');
    on(room, 'dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      room.classList.add('dropping');
    });
    on(room, 'dragleave', (event) => {
      if (!room.contains(event.relatedTarget)) room.classList.remove('dropping');
    });
    on(room, 'drop', (event) => {
      room.classList.remove('dropping');
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      this.#take(event.dataTransfer.files);
    });
    this.#setPicture(null);
    this.tell('');
  }

  close() {
    this.listening.abort();
    this.#setPicture(null);
  }

  setEnabled(enabled) {
    for (const id of ['text', 'send', 'picture-choose']) byId(id).disabled = !enabled;
  }

  tell(text) {
    setText(byId('composer-note'), text);
  }

  #submit() {
    const text = this.text.value.trim();
    if ((text === '' && !this.picture) || this.text.disabled) return;
    if (text.length > MAX_TEXT) return this.tell('That is too long for one message.');
    const message = this.picture ? { ...this.picture } : {};
    if (text !== '') message.textMessage = text;
    if (!this.send(message)) return this.tell('Too many messages are waiting already. Send this one later.');
    this.tell('');
    this.text.value = '';
    this.#grow();
    this.#setPicture(null);
    this.text.focus();
  }

  /// Takes the first of the files as the picture to send; whether there was one.
  #take(files) {
    const file = files?.[0];
    if (!file || this.text.disabled) return false;
    this.#prepare(file);
    return true;
  }

  async #prepare(file) {
    const turn = ++this.turn;
    this.tell('Preparing the picture…');
    try {
      const picture = await preparePicture(file);
      if (turn !== this.turn) return;
      this.#setPicture(picture);
      this.tell('');
      this.text.focus();
    } catch (error) {
      if (turn === this.turn) this.tell(error.message);
    }
  }

  #setPicture(picture) {
    this.turn += 1;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = picture ? URL.createObjectURL(new Blob([picture.image], { type: picture.type })) : null;
    this.picture = picture;
    this.file.value = '';
    byId('preview').hidden = !picture;
    if (!picture) return byId('preview-image').removeAttribute('src');
    byId('preview-image').src = this.url;
    setText(byId('preview-name'), picture.name);
  }

  #grow() {
    this.text.style.height = 'auto';
    this.text.style.height = `${Math.min(this.text.scrollHeight, 160)}px`;
  }
}
