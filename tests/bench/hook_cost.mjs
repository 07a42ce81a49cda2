// What a command costs without hooks, and with hooks over HTTP to a server on the same machine (node:http, which takes
// its own share of the CPU). Needs the packages of tests/e2e.
//
//   ROOMBUS_BIN=build/release/bin/roombus node tests/bench/hook_cost.mjs

import { readFile } from 'node:fs/promises'
import { Browser } from '../e2e/support/browser.mjs'
import { HookServer } from '../e2e/support/hook_server.mjs'
import { startRoombus } from '../e2e/support/roombus.mjs'

const [alone, users, inFlight, each] = [1000, 4, 8, 500]

/** CPU time of a process so far, ms. */
async function cpuTime (pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function measure (label, config) {
  const service = await startRoombus({ mqtt: false, config: `${config}\n[store]\nkind = "memory"\n[limits]\nrequests_per_second = 0\n` })
  const clients = await Promise.all(Array.from({ length: users }, (_, i) => Browser.connect(service, { user: `user${i}` })))
  for (const client of clients) await client.call('roomJoin', 'default')

  const times = []
  for (let i = 0; i < alone; ++i) {
    const begin = performance.now()
    await clients[0].call('roomGetOwner', 'default')
    times.push(performance.now() - begin)
  }
  times.sort((a, b) => a - b)

  const cpuBefore = await cpuTime(service.pid)
  const begin = performance.now()
  await Promise.all(clients.flatMap(client => Array.from({ length: inFlight }, async () => {
    for (let i = 0; i < each; ++i) await client.call('roomGetOwner', 'default')
  })))
  const took = performance.now() - begin
  const total = users * inFlight * each
  const cpu = (await cpuTime(service.pid) - cpuBefore) / total * 1000
  console.log(`${label.padEnd(28)} one at a time: median ${times[alone / 2].toFixed(2)} ms, p99 ${times[Math.floor(alone * 0.99)].toFixed(2)} ms; ` +
    `${users * inFlight} in flight: ${(total / took * 1000).toFixed(0)}/s, ${cpu.toFixed(0)} µs CPU of roombus each`)
  clients.forEach(client => client.close())
  await service.stop()
}

const server = await new HookServer().start()
const hooks = names => `[hooks.http]\nurl = "${server.url}"\nhooks = ${JSON.stringify(names)}\n`
await measure('no hook', '')
await measure('before over HTTP', hooks(['roomGetOwnerBefore']))
await measure('before and after over HTTP', hooks(['roomGetOwnerBefore', 'roomGetOwnerAfter']))
await server.kill()
