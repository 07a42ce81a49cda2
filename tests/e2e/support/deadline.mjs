// Every wait of these tests has a deadline; nothing here sleeps for a fixed time and hopes.

/** How long a test waits for one thing to happen, in ms. A sanitizer build may need more. */
export const DEADLINE_MS = Number(process.env.E2E_DEADLINE_MS ?? 10000)

/** `promise`, or an error that says what was waited for. */
export function within (promise, what, ms = DEADLINE_MS) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Asks `probe` again and again until it answers something true, and answers that. For what sends no event (files, /proc). `signal` gives up. */
export async function eventually (probe, what, ms = DEADLINE_MS, signal = undefined) {
  const end = Date.now() + ms
  for (;;) {
    signal?.throwIfAborted()
    const found = await probe()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what} did not happen within ${ms} ms`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** Things that arrived and were not taken yet, in order of arrival. */
export class Inbox {
  #items = []
  #waiters = new Set()

  push (item) {
    for (const waiter of this.#waiters) {
      if (!waiter.matches(item)) continue
      this.#waiters.delete(waiter)
      waiter.resolve(item)
      return
    }
    this.#items.push(item)
  }

  /** Takes the first item that fits, waiting for it if need be. */
  take (matches, what, ms = DEADLINE_MS) {
    const index = this.#items.findIndex(matches)
    if (index >= 0) return Promise.resolve(this.#items.splice(index, 1)[0])
    let waiter
    const arrival = new Promise(resolve => { waiter = { matches, resolve } })
    this.#waiters.add(waiter)
    return within(arrival, what, ms).catch(error => {
      this.#waiters.delete(waiter)
      error.message += `; waiting there: ${preview(this.#items)}`
      throw error
    })
  }

  /** What lies here and fits. To claim that something did not come, first wait for something sent after it. */
  peek (matches = () => true) {
    return this.#items.filter(matches)
  }
}

function preview (items) {
  const text = JSON.stringify(items)
  return text.length > 1500 ? `${text.slice(0, 1500)}…` : text
}
