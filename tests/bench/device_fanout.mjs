// Deliveries per second from one sender to many devices of a room, in broker and in inbox delivery: in turns, in one
// run, with the embedded broker; prints JSON. node device_fanout.mjs [devices] [turns] [seconds]; ROOMBUS_BIN and
// ROOMBUS_LOAD name other programs.

import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const [devices = '1000', turns = '3', seconds = '3'] = process.argv.slice(2)
const built = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../build/bench/bin')
const roombus = path.resolve(process.env.ROOMBUS_BIN ?? path.join(built, 'roombus'))
const load = path.resolve(process.env.ROOMBUS_LOAD ?? path.join(built, 'roombus_load'))
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** The broker that a roombus has started. */
async function childOf (pid) {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) return Number(entry)
  }
  throw new Error('no broker')
}

async function measure (delivery, turn) {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-fanout-'))
  const ready = path.join(folder, 'ready.json')
  await writeFile(path.join(folder, 'roombus.toml'), '[chat]\nmessage_format = "text"\nenable_rooms_management = true\n' +
    '[store]\nkind = "memory"\n[limits]\nrequests_per_second = 0\n')
  const child = spawn(roombus, ['serve', '--dev', '--config', 'roombus.toml', '--ready-file', ready, '--http.listen', '127.0.0.1:0',
    '--admin.listen', '127.0.0.1:0', '--mqtt.listen', '127.0.0.1:0', '--mqtt.delivery', delivery,
    '--mqtt.plugin', delivery === 'broker' ? 'auto' : 'none'], { cwd: folder, stdio: 'ignore' })
  const ended = new Promise(resolve => child.once('exit', resolve))
  try {
    while (!existsSync(ready)) {
      if (child.exitCode !== null) throw new Error('roombus ended')
      await pause(20)
    }
    const { mqtt } = JSON.parse(await readFile(ready, 'utf8'))
    return JSON.parse(execFileSync(load, ['--to', mqtt, '--protocol', 'mqtt', '--scenario', 'fanout', '--count', devices,
      '--pid', `${child.pid},${await childOf(child.pid)}`, '--seconds', seconds, '--warmup', '1', '--tag', `${delivery}${turn}`],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 120000 }))
  } finally {
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
}

const figures = { broker: [], inbox: [] }
for (let turn = 0; turn < Number(turns); ++turn) {
  for (const delivery of Object.keys(figures)) figures[delivery].push(await measure(delivery, turn))
}
const median = list => [...list].sort((a, b) => a - b)[list.length >> 1]
if (process.env.RAW) console.log(JSON.stringify(figures))
console.log(JSON.stringify(Object.fromEntries(Object.entries(figures).map(([delivery, runs]) => [delivery, {
  devices: Number(devices),
  deliveries_per_second: Math.round(median(runs.map(run => run.delivered_per_second))),
  of_turns: runs.map(run => Math.round(run.delivered_per_second)),
  cpu_us_per_delivery: Number((median(runs.map(run => run.cpu_us_per_delivery)) ?? NaN).toFixed(2))
}])), null, 2))
