// Instances of roombus over given brokers and a given store.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEADLINE_MS } from '../e2e/support/deadline.mjs'
import { Process } from './process.mjs'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
const binary = path.resolve(process.env.ROOMBUS_BIN ?? path.join(repository, 'build/debug/bin/roombus'))

/** One roombus, with what Browser.connect, Device.connect and Api of tests/e2e/support need. It keeps its id and its addresses when it is started again. */
export class Instance extends Process {
  get url () { return `http://${this.http}` }
  get address () { return this.http }

  async start () {
    await rm(this.readyFile, { force: true })
    await super.start()
    const { http, admin, instance } = JSON.parse(this.line)
    Object.assign(this, { http, admin, instance })
    // the same ports in its next lives
    this.args = this.firstArgs.map(arg => arg === 'HTTP' ? http : arg === 'ADMIN' ? admin : arg)
    return this
  }

  /** Text of /metrics. */
  async metrics () {
    return (await fetch(`${this.url}/metrics`, { signal: AbortSignal.timeout(DEADLINE_MS) })).text()
  }

  /** Sum of a metric's series, 0 when it is not there. */
  async metric (name) {
    const lines = (await this.metrics()).split('\n').filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** 200 when it can serve. */
  async readiness () {
    return (await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(DEADLINE_MS) })).status
  }
}

const toml = object => Object.entries(object).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join('')

/** Prepares instance `n`; `mqtt` and `store` are configuration, `config` is text behind it. Not started yet. */
export async function makeInstance (folder, n, { broker, mqtt, store, config = '', env = {}, key }) {
  const name = `roombus-${n}`
  const home = path.join(folder, name)
  await mkdir(home)
  const readyFile = path.join(home, 'ready.json')
  const configFile = path.join(home, 'roombus.toml')
  await writeFile(configFile, `[instance]\nid = "node${n}"\n\n[mqtt]\nbroker = "tcp://${broker.bridge}"\n${toml(mqtt)}\n[admin]\nkey = "${key}"\n\n${store}\n${config}`)
  const firstArgs = ['serve', '--dev', '--config', configFile, '--ready-file', readyFile, '--http.listen', 'HTTP', '--admin.listen', 'ADMIN']
  const instance = new Instance({
    name,
    command: binary,
    args: firstArgs.map(arg => arg === 'HTTP' || arg === 'ADMIN' ? '127.0.0.1:0' : arg),
    cwd: home,
    env: { ...process.env, ...env },
    readyMs: 60000,
    ready: async () => {
      instance.line = await readFile(readyFile, 'utf8').catch(() => '')
      return instance.line !== ''
    }
  })
  return Object.assign(instance, { kind: 'instance', firstArgs, readyFile, mqtt: broker.devices, id: `node${n}`, configFile, folder: home, key })
}
