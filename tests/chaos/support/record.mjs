// What happened in a run, in the order in which this one process saw it. The rules (check/) read nothing else.

import { writeFile } from 'node:fs/promises'

export class Recorder {
  constructor () {
    this.entries = []
    this.started = performance.now()
    this.requests = 0
  }

  /** ms since the start of the run. */
  now () { return Math.round((performance.now() - this.started) * 10) / 10 }

  /** Adds one entry of kind `e`; README.md lists the kinds. */
  add (e, fields) { this.entries.push({ e, t: this.now(), ...fields }) }

  /** A number for one request. */
  request () { return ++this.requests }

  async save (file) {
    await writeFile(file, this.entries.map(entry => JSON.stringify(entry)).join('\n') + '\n')
  }
}
