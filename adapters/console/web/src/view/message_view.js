// One message as a row of the log.

import { readPicture } from '../picture.js';
import { shortNumber } from '../readings.js';
import { avatar, el, onRelease } from './dom.js';

const LONG_TEXT = 4000;
const MAX_FIELDS = 24;
const LONG_VALUE = 160;
const MAX_WIDTH = 420; // of a picture in the log, pixels
const MAX_HEIGHT = 320;
const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const isBytes = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value);

/// A row for a message of the room, or (without `id`) for one that is on its way.
export function messageRow(message, own) {
  const urls = [];
  const author = String(message.author ?? '');
  const head = el(
    'div',
    { class: 'head' },
    el('bdi', { class: 'author', text: author }),
    Number.isFinite(message.timestamp) ? timeOf(message.timestamp) : null,
  );
  const body = el('div', { class: 'body' }, ...content(message, urls));
  const row = el('li', { class: own ? 'message own' : 'message' }, avatar(author), el('div', { class: 'main' }, head, body));
  row.dataset.author = author;
  if (message.id !== undefined) row.dataset.id = message.id;
  onRelease(row, () => urls.forEach((url) => URL.revokeObjectURL(url)));
  return row;
}

function timeOf(timestamp) {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return null;
  return el('time', { datetime: date.toISOString(), title: dayAndTime.format(date), text: timeOfDay.format(date) });
}

function content(message, urls) {
  const parts = [];
  const left = new Map(Object.entries(message));
  for (const owned of ['author', 'timestamp', 'id']) left.delete(owned);
  if (typeof message.textMessage === 'string') {
    left.delete('textMessage');
    if (message.textMessage !== '' || left.size === 0) parts.push(text(message.textMessage));
  }
  if (isBytes(message.image)) {
    const name = typeof message.name === 'string' ? message.name : 'picture';
    for (const used of ['image', 'type', 'name']) left.delete(used);
    parts.push(picture(message.image, name, urls));
  }
  for (const [key, value] of left) {
    if (!isBytes(value)) continue;
    left.delete(key);
    parts.push(readPicture(value) ? picture(value, key, urls) : download(value, key, urls));
  }
  if (left.size > 0) parts.push(fields(left));
  return parts;
}

function text(value) {
  const paragraph = el('p', { class: 'text', dir: 'auto', text: value.slice(0, LONG_TEXT) });
  if (value.length <= LONG_TEXT) return paragraph;
  const more = el('button', { type: 'button', class: 'quiet', text: `Show all ${value.length} characters` });
  more.addEventListener('click', () => {
    paragraph.textContent = value;
  });
  return el('div', {}, paragraph, more);
}

/// Bytes that are a picture by their own word, shown; others are only offered to be saved.
function picture(bytes, name, urls) {
  const found = readPicture(bytes);
  if (!found) return download(bytes, name, urls);
  const url = URL.createObjectURL(new Blob([bytes], { type: found.type }));
  urls.push(url);
  const scale = Math.min(1, MAX_WIDTH / found.width, MAX_HEIGHT / found.height);
  const [width, height] = [found.width, found.height].map((side) => String(Math.max(1, Math.round(side * scale))));
  const image = el('img', { src: url, alt: name, width, height, decoding: 'async' }); // keeps its place before it is decoded
  return el('a', { class: 'picture', href: url, download: fileName(name), title: `Save ${name}` }, image);
}

function download(bytes, name, urls) {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  urls.push(url);
  return el('a', { class: 'download', href: url, download: fileName(name), text: `Save “${name}” (${size(bytes.byteLength)})` });
}

function fileName(name) {
  return name.replace(/[^\p{L}\p{N} ._-]/gu, '_').slice(0, 80) || 'download';
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function fields(entries) {
  const list = el('dl', { class: 'fields' });
  for (const [key, value] of [...entries].slice(0, MAX_FIELDS))
    list.append(el('div', {}, el('dt', { text: short(key) }), el('dd', { text: shortValue(value), dir: 'auto' })));
  if (entries.size > MAX_FIELDS) list.append(el('div', {}, el('dt', { text: `and ${entries.size - MAX_FIELDS} more` })));
  return list;
}

export function shortValue(value) {
  if (typeof value === 'number') return shortNumber(value);
  if (typeof value === 'string') return short(value);
  const plain = JSON.stringify(value, (_, item) => (isBytes(item) ? `(${size(item.byteLength)})` : item));
  return short(plain ?? String(value));
}

function short(value) {
  return value.length > LONG_VALUE ? `${value.slice(0, LONG_VALUE)}…` : value;
}
