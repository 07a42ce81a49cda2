// Brokers that are not Mosquitto, with accounts and rules that keep users apart, on free ports in folders of their own.

import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { accepts } from '../../topology/process.mjs'
import { eventually } from './deadline.mjs'
import { watchedChild } from './leftovers.mjs'
import { freePort } from './roombus.mjs'

/** The folder with rules for brokers. */
export const deploy = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../deploy/brokers')

function program (...names) {
  return names.find(name => {
    if (name.startsWith('/')) return existsSync(name)
    try { execFileSync(name, ['--version'], { stdio: 'ignore' }); return true } catch (error) { return error.code !== 'ENOENT' }
  })
}

export const nats = program('/usr/sbin/nats-server', '/usr/bin/nats-server', 'nats-server')
export const rabbitmq = program('/usr/lib/rabbitmq/bin/rabbitmq-server')

const killGroup = child => { try { process.kill(-child.pid, 'SIGKILL') } catch {} }

/** Starts a program in a process group of its own, and waits until `port` accepts. */
async function start (command, args, { folder, port, env = {}, ms = 20000 }) {
  const child = spawn(command, args, { cwd: folder, detached: true, env: { PATH: process.env.PATH, HOME: folder, ...env } })
  watchedChild(child, () => killGroup(child))
  const run = { child, output: '', ended: false }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => { run.output += text })
  run.exited = new Promise(resolve => {
    child.once('error', error => { run.output += error; resolve() })
    child.once('close', resolve)
  }).then(() => { run.ended = true })
  run.stop = async () => {
    killGroup(child)
    await run.exited
  }
  try {
    await eventually(() => {
      if (run.ended) throw new Error('it ended')
      return accepts(port)
    }, `${command} on port ${port}`, ms)
    return run
  } catch (error) {
    await run.stop()
    error.message += `\n${run.output.slice(-5000)}`
    throw error
  }
}

/** A file of deploy/brokers with each [what, by] replaced; what is not there is an error. */
async function template (name, replacements) {
  let text = await readFile(path.join(deploy, name), 'utf8')
  for (const [what, by] of replacements) {
    if (!text.includes(what)) throw new Error(`${name} has no ${what}`)
    text = text.replaceAll(what, by)
  }
  return text
}

/** nats-server with the rules of deploy/brokers: users alice and bob (password their name and -pw), bridge roombus. */
export async function startNats () {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-nats-'))
  const port = await freePort()
  const client = await freePort()
  const file = path.join(folder, 'nats.conf')
  await writeFile(file, await template('nats.conf', [
    ['listen: 127.0.0.1:4222', `listen: 127.0.0.1:${client}`], ['host: 0.0.0.0', 'host: 127.0.0.1'], ['port: 1883', `port: ${port}`],
    ['/var/lib/nats', folder], ['password of roombus', 'secret'], ['password of alice', 'alice-pw'], ['password of bob', 'bob-pw']]))
  const run = await start(nats, ['-c', file], { folder, port })
  return {
    address: `127.0.0.1:${port}`,
    output: () => run.output,
    async stop () {
      await run.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/**
 * RabbitMQ with the rules of deploy/brokers: the same users. `authUrl`: the endpoint of roombus that it asks instead
 * (then only the bridge is an account of its own).
 */
export async function startRabbitmq ({ authUrl } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-rabbitmq-'))
  const [port, dist, epmdPort] = [await freePort(), await freePort(), await freePort()]
  await mkdir(path.join(folder, 'mnesia'))
  await mkdir(path.join(folder, 'log'))
  const file = name => path.join(folder, name)
  await writeFile(file('definitions.json'), await template('rabbitmq-definitions.json', [
    ['password of roombus', 'secret'], ['password of alice', 'alice-pw'], ['password of bob', 'bob-pw']]))
  let config = await template('rabbitmq.conf', [['mqtt.listeners.tcp.default = 1883', `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`],
    ['/etc/rabbitmq/definitions.json', file('definitions.json')]])
  if (authUrl) {
    const definitions = JSON.parse(await readFile(file('definitions.json'), 'utf8'))
    for (const list of ['permissions', 'topic_permissions']) definitions[list] = definitions[list].filter(p => p.user === 'roombus')
    definitions.users = definitions.users.filter(user => user.name === 'roombus')
    await writeFile(file('definitions.json'), JSON.stringify(definitions))
    config += await template('rabbitmq-ask-roombus.conf', [['http://127.0.0.1:8001/broker/key/KEY', authUrl]])
  }
  await writeFile(file('rabbitmq.conf'), `${config}\ndistribution.listener.interface = 127.0.0.1\n`)
  await writeFile(file('enabled_plugins'), `[rabbitmq_mqtt${authUrl ? ',rabbitmq_auth_backend_http' : ''}].\n`)
  const epmd = await start('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], { folder, port: epmdPort })
  const env = {
    RABBITMQ_NODENAME: `roombus${port}@localhost`,
    RABBITMQ_CONFIG_FILE: file('rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins'),
    RABBITMQ_MNESIA_BASE: file('mnesia'),
    RABBITMQ_LOG_BASE: file('log'),
    RABBITMQ_DIST_PORT: String(dist),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1'
  }
  const stopAll = async () => {
    await epmd.stop()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  const run = await start(rabbitmq, [], { folder, port, env, ms: 60000 }).catch(async error => {
    await stopAll()
    throw error
  })
  return {
    address: `127.0.0.1:${port}`,
    output: () => run.output,
    async stop () {
      await run.stop()
      await stopAll()
    }
  }
}
