// What stands in a run: the processes, and a relay on every wire between two of them.

import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Link } from '../../topology/link.mjs'
import { hasPlugin } from '../../topology/mosquitto.mjs'
import { Process } from '../../topology/process.mjs'
import { KEY, startTopology } from '../../topology/topology.mjs'
import { wireCluster } from './redis_wires.mjs'
import { roomsConfig } from './schedule.mjs'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
const binary = path.resolve(process.env.ROOMBUS_BIN ?? path.join(repository, 'build/debug/bin/roombus'))

/** Times that are shorter than the defaults, so that a run of seconds sees them pass. */
export const times = { heartbeatTimeout: 5000, offlineGrace: 1000, reconnectGrace: 6000 }

const config = `
[chat]
heartbeat_rate = 500
heartbeat_timeout = ${times.heartbeatTimeout}
bus_ack_timeout = 3000

[socketio]
ping_interval_ms = 4000
ping_timeout_ms = 12000
eio3_ping_timeout_ms = 12000

${roomsConfig}
`
const mqttTimes = { offline_grace: times.offlineGrace, reconnect_grace: times.reconnectGrace }
const env = { ROOMBUS_STORE__TIMEOUT: '2000' }

/** A size that holds a run and that a ballast of the same size fills. */
const DISK_BYTES = 24 << 20

export class Skipped extends Error {}

/** roombus alone: SQLite, and the broker that it starts itself. */
class Embedded extends Process {
  get url () { return `http://${this.http}` }

  async start () {
    await rm(this.readyFile, { force: true })
    await super.start()
    const { http, admin, mqtt } = JSON.parse(this.line)
    Object.assign(this, { http, admin, mqtt })
    this.args = [...this.firstArgs, '--http.listen', http, '--admin.listen', admin, '--mqtt.listen', mqtt]
    return this
  }

  /** The broker's process id now; undefined while there is none. */
  async brokerPid () {
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue
      const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
      if (stat.includes('(mosquitto)') && stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(this.pid)) return Number(entry)
    }
  }
}

function mountDisk (folder) {
  if (process.getuid() !== 0) throw new Skipped('a full disk needs root, to mount a small file system')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'roombus-chaos', folder], { stdio: 'pipe' })
  } catch (error) {
    throw new Skipped(`a full disk needs a small file system, which cannot be mounted here: ${error.stderr}`)
  }
}

async function startEmbedded ({ delivery, smallDisk }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-chaos-'))
  const disk = path.join(folder, 'disk')
  await mkdir(disk)
  const close = async () => {
    if (smallDisk) try { execFileSync('umount', ['-l', disk], { stdio: 'pipe' }) } catch {}
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    if (smallDisk) mountDisk(disk)
    const configFile = path.join(folder, 'roombus.toml')
    await writeFile(configFile, `${config}\n[store]\nkind = "sqlite"\npath = "${disk}/rooms.db"\n\n[admin]\nkey = "${KEY}"\n\n[instance]\nid = "node0"\n
[mqtt]\noffline_grace = ${times.offlineGrace}\nreconnect_grace = ${times.reconnectGrace}\n${delivery === 'inbox' ? 'delivery = "inbox"\nplugin = "none"\n' : 'plugin = "auto"\n'}`)
    const readyFile = path.join(folder, 'ready.json')
    const firstArgs = ['serve', '--dev', '--config', configFile, '--ready-file', readyFile]
    const instance = new Embedded({
      name: 'roombus-0',
      command: binary,
      args: [...firstArgs, '--http.listen', '127.0.0.1:0', '--admin.listen', '127.0.0.1:0', '--mqtt.listen', '127.0.0.1:0'],
      cwd: folder,
      readyMs: 30000,
      ready: async () => {
        instance.line = await readFile(readyFile, 'utf8').catch(() => '')
        return instance.line !== ''
      }
    })
    Object.assign(instance, { firstArgs, readyFile, key: KEY })
    await instance.start()
    return {
      instances: [instance], brokers: [], redis: [], disk: smallDisk ? { folder: disk, bytes: DISK_BYTES } : undefined, single: true,
      deviceOptions: () => ({}),
      close: async () => { await instance.kill(); await close() }
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Names and what they start. */
export const layouts = {
  sqlite: {},
  redis: { instances: 1, redis: 'single', broker: 'mosquitto' },
  cluster: { instances: 3, redis: 'single', broker: 'mosquitto' },
  'cluster-redis': { instances: 3, redis: 'cluster', broker: 'mosquitto' },
  topology: { instances: 3, redis: 'cluster', broker: 'ejabberd', brokerNodes: 3 }
}

/** Starts a layout. `delivery` is broker or inbox; `links` has the relays by what they join. */
export async function startLayout (name, { delivery, smallDisk = false }) {
  const shape = layouts[name]
  if (!shape) throw new Error(`layout ${name}? known: ${Object.keys(layouts).join(', ')}`)
  const chosen = shape.broker === 'ejabberd' || !hasPlugin ? 'inbox' : delivery
  const parts = name === 'sqlite'
    ? await startEmbedded({ delivery: chosen, smallDisk })
    : await startTopology({ ...shape, delivery: chosen, links: true, config, mqtt: mqttTimes, env })
  parts.single ??= shape.instances === 1
  await parts.devicesShared?.().catch(async error => { await parts.close(); throw error })
  const links = {
    'client-instance': [], 'device-broker': [],
    'instance-broker': parts.instances.map(i => i.brokerLink).filter(Boolean),
    'instance-redis': parts.instances.map(i => i.redisLink).filter(Boolean)
  }
  const nodeWires = shape.redis === 'cluster' ? await wireCluster(parts.redis, parts.redisStable) : []
  links['instance-redis'].push(...nodeWires)
  for (const instance of parts.instances) links['client-instance'].push(await Link.open(`browsers to ${instance.name}`, instance.http))
  const doors = [...new Set(parts.instances.map(instance => instance.mqtt))]
  for (const door of doors) links['device-broker'].push(await Link.open(`devices to ${door}`, door))
  return {
    ...parts,
    delivery: chosen,
    links,
    redisMasters: parts.redisMasters,
    redisStable: parts.redisStable,
    brokerStable: parts.brokerStable,
    browserEntrances: links['client-instance'].map(link => () => `http://${link.address}`),
    deviceEntrances: links['device-broker'].map(link => () => link.address),
    async close () {
      for (const link of [...links['client-instance'], ...links['device-broker']]) await link.close()
      await parts.close()
      for (const wire of nodeWires) await wire.close()
    }
  }
}
