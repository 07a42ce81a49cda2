#!/usr/bin/env node
// What durability costs: acked messages per second and CPU per message with each store, taking turns in one run.
// See docs/benchmarks.md. Needs the packages of tests/e2e, redis-server and mosquitto.
//
//   tests/bench/durability.mjs [--rounds 3] [--seconds 2] [--only memory,redis] [--roombus PROGRAM] [--load PROGRAM]

import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
const { values: options } = parseArgs({
  options: {
    roombus: { type: 'string', default: path.join(repository, 'build/release/bin/roombus') },
    load: { type: 'string', default: path.join(repository, 'build/bench/bin/roombus_load') },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' }
  }
})
for (const file of [options.roombus, options.load]) {
  if (!existsSync(file)) {
    console.error(`${file} is not built`)
    process.exit(2)
  }
}
process.env.ROOMBUS_BIN = path.resolve(options.roombus) // what the topologies start
const { startRoombus } = await import('../e2e/support/roombus.mjs')
const { startTopology } = await import('../topology/topology.mjs')
const { startRedis, startRedisCluster } = await import('../topology/redis.mjs')

const limits = '\n[chat]\nmessage_format = "text"\n[limits]\nrequests_per_second = 0\n'

/** A server with a store; `close` ends all of it, `pids` are the processes whose CPU counts. */
async function alone (store) {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-durability-'))
  const { config, nodes = [] } = await store(folder)
  const service = await startRoombus({ mqtt: false, config: config + limits })
  return {
    address: service.http,
    pids: [service.pid, ...nodes.map(node => node.pid)],
    async close () {
      await service.stop()
      await Promise.all(nodes.map(node => node.kill()))
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

const sqlite = sync => async folder => ({ config: `[store]\nkind = "sqlite"\npath = "${folder}/rooms.db"\nsync = "${sync}"\n` })
const redis = (...settings) => async folder => {
  const started = await startRedis(folder)
  for (const setting of settings) await started.nodes[0].ask('CONFIG', 'SET', ...setting)
  return started
}

async function clustered (kind) {
  const t = await startTopology({ instances: 2, redis: kind, delivery: 'inbox', config: limits })
  return {
    address: t.instances[0].http,
    pids: [...t.instances, ...t.redis, ...t.brokers].map(process => process.pid),
    close: () => t.close()
  }
}

const contenders = [
  ['memory', 'memory: nothing is kept', () => alone(async () => ({ config: '[store]\nkind = "memory"\n' }))],
  ['sqlite-normal', 'SQLite, `sync = "normal"`', () => alone(sqlite('normal'))],
  ['sqlite-full', 'SQLite, `sync = "full"`', () => alone(sqlite('full'))],
  ['redis-none', 'Redis without append-only file', () => alone(redis(['appendonly', 'no']))],
  ['redis-everysec', 'Redis, `appendfsync everysec`', () => alone(redis(['appendfsync', 'everysec']))],
  ['redis', 'Redis, `appendfsync always`', () => alone(redis())],
  ['redis-cluster', 'Redis Cluster, always, a replica has it (`WAIT 1`)', () => alone(folder => startRedisCluster(folder))],
  ['two-instances', 'two instances, Mosquitto, Redis always: room logs', () => clustered('single')],
  ['two-instances-cluster', 'two instances, Mosquitto, Redis Cluster with replicas', () => clustered('cluster')]
].filter(([name]) => !options.only || options.only.split(',').includes(name))

const measured = new Map(contenders.map(([name]) => [name, []]))
let run = 0
for (let round = 1; round <= Number(options.rounds); ++round) {
  for (const [name, , start] of contenders) {
    const server = await start()
    try {
      const { stdout } = await promisify(execFile)(options.load, ['--to', server.address, '--protocol', 'eio4', '--scenario', 'rooms',
        '--pid', server.pids.join(','), '--seconds', options.seconds, '--warmup', '1', '--tag', `d${++run}`], { timeout: 120000 })
      const figures = JSON.parse(stdout)
      measured.get(name).push(figures)
      console.error(`${round} ${name}: ${JSON.stringify(figures)}`)
    } finally {
      await server.close()
    }
  }
}

const median = numbers => numbers.sort((a, b) => a - b)[numbers.length >> 1]
const of = (name, figure) => median(measured.get(name).map(figures => figures[figure]).filter(Number.isFinite))
const first = contenders[0][0]
const compiler = execFileSync('g++', ['--version'], { encoding: 'utf8' }).split('\n')[0]
const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
console.log(`${cpu}, ${readdirSync('/sys/devices/system/cpu').filter(n => /^cpu\d+$/.test(n)).length} cores, ${compiler}, ${options.rounds} rounds of ${options.seconds} s, medians\n`)
console.log(`| store | acked messages per second | of ${first} | CPU per acked message, all processes | of it roombus |\n|---|---|---|---|---|`)
for (const [name, text] of contenders) {
  const rate = of(name, 'acked_per_second')
  const parts = of(name, 'cpu_us_per_message_process0')
  const own = Number.isFinite(parts) ? parts : of(name, 'cpu_us_per_message') // it is the only process
  console.log(`| ${text} | ${Math.round(rate)} | ${(rate / of(first, 'acked_per_second')).toFixed(2)} | ${of(name, 'cpu_us_per_message').toFixed(1)} µs | ${own.toFixed(1)} µs |`)
}
