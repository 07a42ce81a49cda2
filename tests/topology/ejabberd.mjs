// ejabberd as a cluster of MQTT brokers, from Debian's package, with the rules of deploy/brokers.

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { eventually } from '../e2e/support/deadline.mjs'
import { Process, accepts, freePorts } from './process.mjs'

const run = promisify(execFile)
const rules = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../deploy/brokers/ejabberd.yml')
const PATIENCE_MS = 60000

/** The folder of Erlang libraries with ejabberd in it; undefined where it is not installed. */
export const ejabberd = ['/usr/lib', ...readdirSync('/usr/lib').filter(name => name.includes('-linux-')).map(name => `/usr/lib/${name}`)]
  .find(folder => existsSync('/usr/bin/erl') && existsSync(folder) && readdirSync(folder).some(name => name.startsWith('ejabberd-')))

/** The file of deploy/brokers with each [what, by] replaced; what is not there is an error. */
async function configured (replacements) {
  let text = await readFile(rules, 'utf8')
  for (const [what, by] of replacements) {
    if (!text.includes(what)) throw new Error(`${rules} has no ${what}`)
    text = text.replaceAll(what, by)
  }
  return text
}

/**
 * `brokerNodes` nodes, joined. Devices log in by name with any password (accounts of their own with `devices`: a list of
 * names, the password is the name and -pw); roombus has its account.
 */
export async function startEjabberd (folder, { brokerNodes = 3, devices, config = '', erlang: flags = [] } = {}) {
  if (!ejabberd) throw new Error('ejabberd is not installed: scripts/install-brokers')
  const cookie = randomBytes(12).toString('hex')
  const [epmdPort] = await freePorts(1)
  const epmd = await new Process({
    name: 'epmd', command: 'epmd', args: ['-port', String(epmdPort), '-address', '127.0.0.1'], ready: () => accepts(epmdPort)
  }).start()
  try {
    return await startNodes(folder, { brokerNodes, devices, config, flags, cookie, epmd, epmdPort })
  } catch (error) {
    await epmd.kill()
    throw error
  }
}

async function startNodes (folder, { brokerNodes, devices, config, flags, cookie, epmd, epmdPort }) {
  const erlang = home => ({
    PATH: process.env.PATH, HOME: home, ERL_LIBS: ejabberd, ERL_EPMD_PORT: String(epmdPort), ERL_EPMD_ADDRESS: '127.0.0.1', ERL_CRASH_DUMP_BYTES: '0'
  })
  const common = ['-setcookie', cookie, '-kernel', 'inet_dist_use_interface', '{127,0,0,1}', '-noinput']
  let controls = 0
  /** Runs a command of ejabberdctl at a node. */
  const control = async (node, ...words) => {
    const name = `ctl${++controls}-${process.pid}@localhost`
    const { stdout } = await run('erl', ['-sname', name, '-hidden', ...common, '-s', 'ejabberd_ctl', '-extra', node.erlangName, ...words],
      { env: erlang(node.folder), timeout: PATIENCE_MS })
    return stdout.trim()
  }
  const nodes = []
  for (let n = 0; n < brokerNodes; ++n) {
    const home = path.join(folder, `ejabberd-${n}`)
    await mkdir(path.join(home, 'spool'), { recursive: true })
    const [port] = await freePorts(1)
    const configFile = path.join(home, 'ejabberd.yml')
    const login = devices ? [] : [['auth_method: mnesia', 'auth_method: [mnesia, anonymous]\nanonymous_protocol: login_anon\nallow_multiple_connections: true']]
    await writeFile(configFile, await configured([['port: 1883', `port: ${port}`], ['ip: "::"', 'ip: "127.0.0.1"'], ...login]) + config)
    const erlangName = `roombus${n}-${port}@localhost`
    const node = new Process({
      name: `ejabberd-${n}`,
      command: 'erl',
      args: ['-sname', erlangName, ...common, '+K', 'true', '+P', '250000', ...flags, '-mnesia', 'dir', `"${path.join(home, 'spool')}"`, '-s', 'ejabberd'],
      cwd: home,
      env: { ...erlang(home), EJABBERD_CONFIG_PATH: configFile, EJABBERD_LOG_PATH: path.join(home, 'ejabberd.log'), ERL_MAX_PORTS: '200000', ERL_CRASH_DUMP: path.join(home, 'crash') },
      readyMs: PATIENCE_MS,
      ready: () => accepts(port)
    })
    nodes.push(Object.assign(node, { kind: 'broker', port, address: `127.0.0.1:${port}`, erlangName, folder: home, control: (...words) => control(node, ...words) }))
  }
  /** Waits until every running node sees all running ones. */
  const stable = async () => {
    const running = nodes.filter(node => node.running && !node.frozen)
    for (const node of running) {
      await eventually(async () => {
        const seen = await control(node, 'list_cluster').catch(() => '')
        return running.every(other => seen.includes(other.erlangName)) && await accepts(node.port)
      }, `${node.name} seeing the others`, PATIENCE_MS)
    }
  }
  try {
    await Promise.all(nodes.map(async node => {
      await node.start()
      // it listens before it is done
      await eventually(() => control(node, 'status').then(text => text.includes('is running'), () => false), `${node.name} running`, PATIENCE_MS)
    }))
    for (const [name, password] of [['roombus', 'secret'], ...(devices ?? []).map(name => [name, `${name}-pw`])]) {
      await control(nodes[0], 'register', name, 'localhost', password)
    }
    for (const node of nodes.slice(1)) await control(node, 'join_cluster', nodes[0].erlangName)
    await stable()
  } catch (error) {
    await Promise.allSettled(nodes.map(node => node.kill()))
    throw error
  }
  return {
    nodes,
    stable,
    config: { profile: 'ejabberd', identity: 'acl', username: 'roombus', password: 'secret', delivery: 'inbox' },
    deviceOptions: user => ({ password: `${user}-pw`, shared: false }),
    close: () => epmd.kill()
  }
}
