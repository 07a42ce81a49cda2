// What a service tells on its HTTP listener.

import assert from 'node:assert/strict'
import { DEADLINE_MS } from './deadline.mjs'

/** Something with an HTTP listener at `http`, "host:port". */
export class HttpSide {
  get url () { return `http://${this.http}` }

  /** GET on the HTTP listener: {status, body}. */
  async get (where) {
    const answer = await fetch(this.url + where, { signal: AbortSignal.timeout(DEADLINE_MS) })
    return { status: answer.status, body: await answer.text() }
  }

  /** Sum of a metric's series; `labels` is a part of what stands in their braces. */
  async metric (name, labels = '') {
    const { body } = await this.get('/metrics')
    const lines = body.split('\n').filter(line => new RegExp(`^${name}[{ ]`).test(line) && line.includes(labels))
    assert.ok(lines.length > 0, `metric ${name} ${labels}`)
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }
}
