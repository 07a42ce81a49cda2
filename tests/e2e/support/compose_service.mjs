// The services of docker-compose.yml in place of a program that the test starts: ROOMBUS_ON=compose, and MQTT_IDENTITY=acl
// or plugin as the compose file has it. Two instances, their Mosquitto and their Redis are one service to the tests: each
// browser meets another instance than the one before it, devices meet whichever serves them. They run as a project of
// their own, so no room of a developer is touched; but it has the same network and ports, so nothing else may use them.

import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { HttpSide } from './http_side.mjs'
import { divided } from './partitions.mjs'

/** True when this run of the tests is over the compose file. */
export const onCompose = process.env.ROOMBUS_ON === 'compose'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
const { HTTP_PORT = '8000', HTTP_PORT_2 = '8002', MQTT_PORT = '1883', MQTT_IDENTITY = 'acl' } = process.env
const BRIDGES = ['bridge', 'bridge2']
const UP_S = 120
const COMMAND_MS = 180000
const CONFIG = '/run/e2e/roombus.toml'

/** How room messages reach devices there, see roombus.mjs. */
export const composeDelivery = MQTT_IDENTITY === 'plugin' ? 'broker' : 'inbox'

/** What a scenario wants and the compose file has not: `unfit` is the reason to skip it. */
class Unfit extends Error {
  constructor (unfit) { super(unfit); this.unfit = unfit }
}

const run = promisify(execFile)
const words = (folder, ...command) =>
  ['compose', '-p', 'roombus-e2e', '-f', 'docker-compose.yml', '-f', path.join(folder, 'override.json'), ...command]

/** Runs `docker …`; what it wrote. */
async function docker (...args) {
  try {
    return (await run('docker', args, { cwd: repository, timeout: COMMAND_MS, maxBuffer: 1e8 })).stdout
  } catch (error) {
    error.message = `docker ${args.join(' ')}: ${error.stderr || error.message}`
    throw error
  }
}

/** What the tests change in the compose file; a health check that comes sooner, so that each start takes less time. */
function override (folder) {
  const healthcheck = { interval: '500ms' }
  const bridge = {
    command: ['serve', '--config', CONFIG],
    volumes: [{ type: 'bind', source: path.join(folder, 'roombus.toml'), target: CONFIG, read_only: true }],
    restart: 'no', // a crash shall be seen
    healthcheck
  }
  return {
    services: { redis: { healthcheck }, mosquitto: { healthcheck }, ...Object.fromEntries(BRIDGES.map(name => [name, bridge])) }
  }
}

/** Lines of README.md for mosquitto_pub and mosquitto_sub: with a broker that is not its own, `serve --dev` prints none. */
function readmeLines () {
  const readme = readFileSync(path.join(repository, 'README.md'), 'utf8')
  const block = readme.split('```').find(text => text.startsWith('\nmosquitto_sub'))
  return block.replaceAll(/\\\n */g, '').replaceAll(' &\n', '\n').replaceAll('-p 1883', `-p ${MQTT_PORT}`)
    // as the text below it says
    .replace("/room/#'", composeDelivery === 'broker' ? "/room/#' -t 'roombus/r/+/json/#'" : "/room/#'")
}

let folder
let used = false

if (onCompose) {
  // other programs use these helpers, too, and importing node:test would make tests of them
  const { after } = await import('node:test')
  after(async () => {
    if (!folder) return
    await docker(...words(folder, 'down', '-v', '-t', '5'))
    await rm(folder, { recursive: true, force: true })
  })
}

/** One of the two instances. */
class Bridge extends HttpSide {
  constructor (instance, port) { super(); Object.assign(this, { instance, http: `127.0.0.1:${port}` }) }
}

/** Both instances as one service, with the face of a Roombus. */
class ComposeService extends HttpSide {
  #bridges = BRIDGES.map((name, n) => new Bridge(name, [HTTP_PORT, HTTP_PORT_2][n]))
  #turn = 0
  #since = new Date().toISOString()

  mqtt = `127.0.0.1:${MQTT_PORT}`
  /** The access list refuses the topics that all share. */
  sharedTopics = composeDelivery === 'broker'

  /** Of the instance whose turn it is. */
  get http () { return this.#bridges[this.#turn++ % this.#bridges.length].http }

  /** What README.md says, and what both wrote. */
  get output () {
    const logs = execFileSync('docker', words(folder, 'logs', '--no-color', '--since', this.#since), {
      cwd: repository, encoding: 'utf8', maxBuffer: 1e8, stdio: ['ignore', 'pipe', 'ignore']
    })
    return readmeLines() + logs
  }

  /** As of one service; the metrics of both, one below the other. */
  async get (where) {
    if (where !== '/metrics') return super.get(where)
    const answers = await Promise.all(this.#bridges.map(bridge => bridge.get(where)))
    return { status: Math.max(...answers.map(answer => answer.status)), body: answers.map(answer => answer.body).join('\n') }
  }

  /** Waits until each instance has its share of the devices: while a share moves, a request may stay unanswered. */
  async shared () { await divided(this.#bridges) }

  /** Ends both; the code is that of the one that did not end well. */
  async stop () {
    await docker(...words(folder, 'stop', ...BRIDGES))
    const ids = (await docker(...words(folder, 'ps', '-aq', ...BRIDGES))).trim().split('\n')
    const codes = (await docker('inspect', '--format', '{{.State.ExitCode}}', ...ids)).trim().split('\n').map(Number)
    return { code: codes.length === BRIDGES.length ? codes.find(code => code !== 0) ?? 0 : null, signal: null }
  }
}

/** Rooms, sessions and retained messages of the scenario before this one go. */
async function clear () {
  await Promise.all([
    docker(...words(folder, 'exec', '-T', 'redis', 'redis-cli', 'flushall')),
    docker(...words(folder, 'restart', '-t', '5', 'mosquitto'))
  ])
}

/**
 * Starts the services with this configuration, as startRoombus does with a program. `mqtt: false` changes nothing here;
 * what else it may ask for is only possible with a program of its own: then the error's `unfit` says so.
 */
export async function startOnCompose ({ config = '', mqtt = true, ...more } = {}) {
  if (mqtt === null) throw new Unfit('it has a broker of its own')
  if (Object.keys(more).length) throw new Unfit(`it starts the program with ${Object.keys(more)}`)
  if (!folder) {
    folder = await mkdtemp(path.join(tmpdir(), 'roombus-compose-'))
    await writeFile(path.join(folder, 'override.json'), JSON.stringify(override(folder)))
  }
  const file = path.join(folder, 'roombus.toml')
  await writeFile(file, config)
  await chmod(file, 0o644) // the program in the container is another user
  if (used) await clear()
  used = true
  const service = new ComposeService()
  try {
    await docker(...words(folder, 'up', '-d', '--wait', '--wait-timeout', String(UP_S)))
    await service.shared()
    return service
  } catch (error) {
    try {
      error.message += `\n--- output of the services\n${service.output.slice(-20000)}`
      await service.stop()
    } catch (other) {
      error.message += `\nand at the end: ${other.message}`
    }
    throw error
  }
}
