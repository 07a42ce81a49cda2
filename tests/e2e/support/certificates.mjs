// Certificates of a test's own, made by the openssl program.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** An authority in a folder of its own: `ca` is the file that clients trust, `caText` what is in it. */
export class Authority {
  #count = 0

  static async create () {
    const one = new Authority()
    one.folder = await mkdtemp(path.join(tmpdir(), 'roombus-e2e-ca-'))
    one.ca = path.join(one.folder, 'ca.crt')
    await one.#request('ca', ['-subj', '/CN=an authority of a test', '-addext', 'keyUsage=critical,keyCertSign'])
    one.caText = await readFile(one.ca)
    return one
  }

  /** A certificate for these names, as "DNS:localhost,IP:127.0.0.1": {cert, key} as node takes them, and their `files`. */
  async issue (names) {
    const name = String(++this.#count)
    const files = await this.#request(name, ['-subj', '/CN=a server of a test', '-addext', `subjectAltName=${names}`,
      '-addext', 'basicConstraints=critical,CA:FALSE', '-CA', this.ca, '-CAkey', path.join(this.folder, 'ca.key')])
    return { cert: await readFile(files.cert), key: await readFile(files.key), files }
  }

  async #request (name, more) {
    const files = { cert: path.join(this.folder, `${name}.crt`), key: path.join(this.folder, `${name}.key`) }
    await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-keyout', files.key, '-out', files.cert, ...more])
    return files
  }

  remove () { return rm(this.folder, { recursive: true, force: true }) }
}
