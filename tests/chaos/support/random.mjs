// Choices that a seed decides. Each part of a run draws from a stream of its own, so that one part's draws do not move another's.

function hash (text) {
  let h = 0x811c9dc5
  for (const char of text) h = Math.imul(h ^ char.charCodeAt(0), 0x01000193)
  return h >>> 0
}

export class Random {
  #state

  constructor (seed, stream = '') {
    Object.assign(this, { seed, stream })
    this.#state = hash(`${seed}/${stream}`)
    for (let i = 0; i < 8; ++i) this.next()
  }

  /** The stream of a part. */
  part (name) { return new Random(this.seed, `${this.stream}/${name}`) }

  /** In [0, 1): mulberry32. */
  next () {
    let z = this.#state = (this.#state + 0x6d2b79f5) >>> 0
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296
  }

  /** Whole numbers from `from` to `to`, both included. */
  integer (from, to) { return from + Math.floor(this.next() * (to - from + 1)) }

  chance (probability) { return this.next() < probability }

  pick (list) { return list[this.integer(0, list.length - 1)] }

  shuffled (list) {
    const out = [...list]
    for (let i = out.length - 1; i > 0; --i) {
      const j = this.integer(0, i);
      [out[i], out[j]] = [out[j], out[i]]
    }
    return out
  }
}
