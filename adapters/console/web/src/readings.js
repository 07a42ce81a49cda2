// The last values of every number that somebody's messages carry: what the live lines are drawn from.

export const MAX_VALUES = 60;
export const MAX_SERIES = 100;
const OWNED = new Set(['author', 'timestamp', 'id']);

/// The number fields of a message, those of objects inside it as `outer.inner`.
export function numberFields(message, depth = 3) {
  const found = [];
  const walk = (object, prefix, left) => {
    for (const [key, item] of Object.entries(object)) {
      if (prefix === '' && OWNED.has(key)) continue;
      if (typeof item === 'number' && Number.isFinite(item)) found.push([prefix + key, item]);
      else if (left > 1 && item !== null && typeof item === 'object' && Object.getPrototypeOf(item) === Object.prototype)
        walk(item, `${prefix}${key}.`, left - 1);
      if (found.length >= 20) return;
    }
  };
  walk(message, '', depth);
  return found;
}

export class Readings {
  constructor({ maxValues = MAX_VALUES, maxSeries = MAX_SERIES } = {}) {
    this.maxValues = maxValues;
    this.maxSeries = maxSeries;
    this.clear();
  }

  clear() {
    this.series = new Map(); // least recently changed first
  }

  /// Takes messages in ascending order; what is older than a line's last value is history and left out.
  add(messages) {
    for (const message of messages) {
      for (const [field, value] of numberFields(message)) {
        const key = JSON.stringify([message.author, field]);
        const series = this.series.get(key) ?? { key, author: message.author, field, values: [], id: 0, timestamp: 0 };
        if (message.id <= series.id) continue;
        series.values.push(value);
        if (series.values.length > this.maxValues) series.values.shift();
        series.id = message.id;
        series.timestamp = message.timestamp;
        this.series.delete(key);
        this.series.set(key, series);
        if (this.series.size > this.maxSeries) this.series.delete(this.series.keys().next().value);
      }
    }
  }

  /// Lines by author and field, in a stable order.
  list() {
    const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    return [...this.series.values()].sort((a, b) => order(a.author, b.author) || order(a.field, b.field));
  }
}

/// A value as people read it: at most six digits.
export function shortNumber(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  return String(Number(value.toPrecision(6)));
}

/// Points of a line in a box of `width` × `height`, as the attribute of an SVG polyline.
export function linePoints(values, width, height, margin = 2) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values
    .map((value, i) => {
      const y = span === 0 ? height / 2 : margin + (1 - (value - low) / span) * (height - 2 * margin);
      return `${(i * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}
