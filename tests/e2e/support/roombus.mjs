// Starts the program under test on free ports, and stops it.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { composeDelivery, onCompose, startOnCompose } from './compose_service.mjs'
import { eventually, within } from './deadline.mjs'
import { HttpSide } from './http_side.mjs'
import { watchedChild } from './leftovers.mjs'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
const binary = path.resolve(process.env.ROOMBUS_BIN ?? path.join(repository, 'build/debug/bin/roombus'))

const START_MS = 30000

function spawnTracked (program, args, options) {
  // a plugin with a sanitizer needs its library in every broker (scripts/sanitize-plugin)
  const { ROOMBUS_PRELOAD: preload } = process.env
  const env = { ...(options.env ?? process.env), ...(preload ? { LD_PRELOAD: preload } : {}) }
  return watchedChild(spawn(program, args, { ...options, env }))
}

/** How room messages reach devices in this run: broker (our plugin decides who reads) or inbox. */
export const delivery = onCompose ? composeDelivery : process.env.ROOMBUS_DELIVERY ?? 'broker'

/** One running roombus. `http`, `admin` and `mqtt` are "host:port" (mqtt null without a broker). */
export class Roombus extends HttpSide {
  constructor (child, folder) {
    super()
    this.child = child
    this.folder = folder
    this.output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', text => { this.output += text })
    }
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal }))
    })
    this.exited.catch(() => {})
  }

  get pid () { return this.child.pid }

  /** Children of the service now, as [{pid, name}]. */
  async children () {
    const found = []
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue
      // comm may hold blanks and brackets: the fields start behind the last one
      const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
      const close = stat.lastIndexOf(')')
      if (close < 0) continue
      const [state, parent] = stat.slice(close + 2).split(' ')
      if (Number(parent) !== this.pid || state === 'Z') continue
      found.push({ pid: Number(entry), name: stat.slice(stat.indexOf('(') + 1, close) })
    }
    return found
  }

  /** Resident memory of the service in bytes. */
  async residentBytes () {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024
  }

  /** SIGKILL, as a crash; its folder goes, too. */
  async crash () {
    this.child.kill('SIGKILL')
    await this.exited
    await rm(this.folder, { recursive: true, force: true })
  }

  /** SIGTERM; answers {code, signal}. SIGKILL, and an error, if that does not end it in time. */
  async stop () {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM')
    try {
      return await within(this.exited, 'end of roombus after SIGTERM', 20000)
    } catch (error) {
      this.child.kill('SIGKILL')
      await this.exited
      throw error
    } finally {
      await rm(this.folder, { recursive: true, force: true })
    }
  }
}

/**
 * Runs `roombus serve` until it is ready. `config` is the text of a configuration file, `dev: false` leaves out --dev,
 * `mqtt: false` runs without a broker, `mqtt: null` leaves the broker to `config`. Port options are added; `args` and `env` go to the process as they are.
 * `through` is a command that runs the program in its place (`nsenter …`). Over the compose file: see compose_service.mjs.
 */
export async function startRoombus (options = {}) {
  if (onCompose) return startOnCompose(options)
  const { config = '', args = [], env = {}, dev = true, mqtt = true, http = '127.0.0.1:0', admin = '127.0.0.1:0', through = [] } = options
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-e2e-'))
  const ready = path.join(folder, 'ready.json')
  const all = ['serve', '--ready-file', ready, '--http.listen', http, '--admin.listen', admin]
  if (dev) all.push('--dev')
  if (mqtt === true) {
    all.push('--mqtt.listen', '127.0.0.1:0')
    // --dev alone runs without our plugin
    if (delivery === 'inbox') all.push('--mqtt.delivery', 'inbox', '--mqtt.plugin', 'none')
    else all.push('--mqtt.plugin', process.env.ROOMBUS_PLUGIN ?? 'auto')
  }
  if (mqtt === false) all.push('--mqtt.broker', 'none')
  if (config) {
    await writeFile(path.join(folder, 'roombus.toml'), config)
    all.push('--config', path.join(folder, 'roombus.toml'))
  }
  const [program, ...before] = [...through, binary]
  const child = spawnTracked(program, [...before, ...all, ...args], { cwd: folder, env: { ...process.env, ...env } })
  const service = new Roombus(child, folder)
  const given = new AbortController()
  const readFileLine = eventually(() => readFile(ready, 'utf8').catch(() => ''), 'the ready file', START_MS, given.signal)
  const ended = service.exited.then(({ code, signal }) => {
    throw new Error(`roombus ended before it was ready (${signal ?? code})`)
  })
  ended.catch(() => {})
  try {
    const line = JSON.parse(await Promise.race([readFileLine, ended]))
    assert.equal(line.pid, child.pid, 'pid in the ready file')
    const { http, admin, mqtt, instance } = line
    Object.assign(service, { http, admin, mqtt, instance })
    return service
  } catch (error) {
    readFileLine.catch(() => {})
    given.abort()
    child.kill('SIGKILL')
    await service.exited.catch(() => {})
    await rm(folder, { recursive: true, force: true })
    error.message += `\n--- roombus ${all.join(' ')}\n${service.output}`
    throw error
  }
}

/** A broker that is not roombus's own, on a free port: {address, pid, stop}. */
export async function startMosquitto (config = '') {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-broker-'))
  const removed = () => rm(folder, { recursive: true, force: true })
  const program = ['/usr/sbin/mosquitto', 'mosquitto'].find(name => {
    try { execFileSync(name, ['-h'], { stdio: 'ignore' }); return true } catch (error) { return error.code !== 'ENOENT' }
  })
  let log = ''
  for (let attempt = 0; attempt < 5; ++attempt) {
    const port = await freePort()
    const file = path.join(folder, 'mosquitto.conf')
    await writeFile(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n${config}\n`)
    const child = spawnTracked(program, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    const exited = new Promise(resolve => child.once('exit', resolve).once('error', resolve))
    log = ''
    const running = new Promise(resolve => {
      child.stderr.on('data', text => {
        log += text
        if (/running/.test(log)) resolve('running')
      })
    })
    const outcome = await within(Promise.race([running, exited]), 'start of mosquitto', START_MS).catch(error => error)
    if (outcome !== 'running') {
      child.kill('SIGKILL')
      await exited
      if (outcome instanceof Error) break
      continue
    }
    return {
      address: `127.0.0.1:${port}`,
      pid: child.pid,
      async stop () {
        child.kill('SIGTERM')
        await within(exited, 'end of mosquitto').catch(async error => {
          child.kill('SIGKILL')
          await exited
          throw error
        }).finally(removed)
      }
    }
  }
  await removed()
  throw new Error(`mosquitto does not start\n${log}`)
}

export async function freePort () {
  const { createServer } = await import('node:net')
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
