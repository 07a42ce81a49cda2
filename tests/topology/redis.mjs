// Redis with the settings that deploy/redis ships: alone, or a cluster of three masters with a replica each.

import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '../e2e/support/deadline.mjs'
import { Process, freePorts } from './process.mjs'

const run = promisify(execFile)
const PATIENCE_MS = 30000
const SLOTS = 16384

class RedisNode extends Process {
  /** Runs a command; its answer as redis-cli prints it, '' when nobody answers. */
  async ask (...words) {
    const answer = await run('redis-cli', ['-h', '127.0.0.1', '-p', String(this.port), ...words.map(String)],
      { timeout: 5000, maxBuffer: 16 << 20 }).catch(() => ({ stdout: '' }))
    return answer.stdout.trim()
  }

  /** Closes the connections of all clients (not those of replicas). */
  cutClients () { return this.ask('CLIENT', 'KILL', 'TYPE', 'normal') }
}

async function redisNode (folder, name, options = []) {
  const home = path.join(folder, name)
  await mkdir(home)
  const [port, bus] = await freePorts(2)
  const node = new RedisNode({
    name,
    command: 'redis-server',
    args: ['--port', port, '--bind', '127.0.0.1', '--dir', home, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '',
      ...options, ...(options.includes('--cluster-enabled') ? ['--cluster-port', bus] : [])].map(String),
    ready: async () => await node.ask('PING') === 'PONG'
  })
  return Object.assign(node, { kind: 'redis', port, bus, address: `127.0.0.1:${port}`, folder: home })
}

/** One Redis. */
export async function startRedis (folder) {
  const node = await (await redisNode(folder, 'redis')).start()
  return {
    nodes: [node],
    config: `[store]\nkind = "redis"\nredis = "redis://${node.address}/0"\n`,
    masters: async () => [node],
    stable: async () => {}
  }
}

/**
 * A cluster of `masters` masters with one replica each; a write needs a replica. As each master has just one, a part of
 * the cluster refuses writes from the death of one of its two nodes until that node is back.
 */
export async function startRedisCluster (folder, { masters = 3, nodeTimeoutMs = 2000 } = {}) {
  const nodes = []
  for (let n = 0; n < masters * 2; ++n) {
    nodes.push(await redisNode(folder, `redis-${n}`, ['--cluster-enabled', 'yes', '--cluster-node-timeout', nodeTimeoutMs,
      '--min-replicas-to-write', 1, '--min-replicas-max-lag', 10, '--repl-ping-replica-period', 1,
      '--repl-diskless-sync-delay', 0, '--cluster-allow-replica-migration', 'no']))
  }
  try {
    return await formCluster(nodes, masters)
  } catch (error) {
    await Promise.allSettled(nodes.map(node => node.kill()))
    throw error
  }
}

async function formCluster (nodes, masters) {
  await Promise.all(nodes.map(node => node.start()))
  const share = Math.floor(SLOTS / masters)
  await Promise.all(nodes.map(async (node, n) => {
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', n + 1)
    if (n < masters) await node.ask('CLUSTER', 'ADDSLOTSRANGE', n * share, n + 1 === masters ? SLOTS - 1 : (n + 1) * share - 1)
  }))
  for (const node of nodes.slice(1)) await nodes[0].ask('CLUSTER', 'MEET', '127.0.0.1', node.port, node.bus)
  const known = async node => new RegExp(`cluster_known_nodes:${nodes.length}\\b`).test(await node.ask('CLUSTER', 'INFO'))
  for (const node of nodes) await eventually(() => known(node), `${node.name} knowing all`, PATIENCE_MS)
  for (let n = masters; n < nodes.length; ++n) {
    const master = await nodes[n - masters].ask('CLUSTER', 'MYID')
    await eventually(async () => await nodes[n].ask('CLUSTER', 'REPLICATE', master) === 'OK', `${nodes[n].name} being a replica`, PATIENCE_MS)
  }
  const role = async node => (await node.ask('ROLE')).split('\n')
  const cluster = {
    nodes,
    config: `[store]\nkind = "redis"\nredis = "${nodes.map(node => `redis://${node.address}/0`).join(', ')}"\ncluster = true\nreplicas = true\n`,
    /** The running nodes that are masters now. */
    async masters () {
      const roles = await Promise.all(nodes.map(node => node.running && !node.frozen ? role(node) : ['']))
      return nodes.filter((node, n) => roles[n][0] === 'master')
    },
    /** Waits until all nodes run, agree, and each master has its replica: then any one may die. */
    async stable () {
      for (const node of nodes) {
        await eventually(async () => {
          const [info, all, [kind, ...rest]] = [await node.ask('CLUSTER', 'INFO'), await node.ask('CLUSTER', 'NODES'), await role(node)]
          return /cluster_state:ok/.test(info) && !/fail|handshake/.test(all.replace(/fail_ok/g, '')) &&
            all.split('\n').filter(line => line.includes('slave ')).length === masters &&
            (kind === 'master' ? rest.length > 1 && rest[1] !== '' : rest.includes('connected'))
        }, `${node.name} in a whole cluster`, PATIENCE_MS)
      }
    }
  }
  await cluster.stable()
  return cluster
}
