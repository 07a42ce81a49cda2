// How long a removal from a room takes to be acknowledged while messages flow, with two instances over one Redis and one
// Mosquitto; prints JSON. node removal.mjs [rounds] [messages per second] [delivery]; ROOMBUS_BIN names the program.
// Takes the packages of tests/e2e.

import { once } from 'node:events'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'

const here = path.dirname(fileURLToPath(import.meta.url))
process.env.ROOMBUS_BIN ??= path.resolve(here, '../../build/bench/bin/roombus')

/** Rounds that do not count, until everything has run once. */
const WARM_UP = 5

/** The owner is a thread of its own: what the load costs this program is not counted as the service's time. */
async function ownerElsewhere (instance, user) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { url: instance.url, user } })
  const told = async () => (await once(worker, 'message'))[0]
  await told()
  return {
    async edit (command) {
      const answer = told()
      worker.postMessage(command)
      const { error, ...done } = await answer
      if (error) throw new Error(`${command}: ${error}`)
      return done
    },
    close: () => worker.terminate()
  }
}

if (!isMainThread) {
  const { ownerHere } = await import('../e2e/support/removal_run.mjs')
  const owner = await ownerHere({ url: workerData.url }, workerData.user)
  parentPort.on('message', async command => parentPort.postMessage(await owner.edit(command).catch(error => ({ error: error.message }))))
  parentPort.postMessage('ready')
} else {
  const { startTopology } = await import('../topology/topology.mjs')
  const { removals } = await import('../e2e/support/removal_run.mjs')
  const [rounds = '100', rate = '2000', only] = process.argv.slice(2)
  const figures = []
  for (const delivery of only ? [only] : ['broker', 'inbox']) {
    const t = await startTopology({ instances: 2, delivery })
    try {
      await t.devicesShared()
      const run = await removals(t, { rate: Number(rate), rounds: WARM_UP + Number(rounds), victims: 1, deviceSenders: 0, owner: ownerElsewhere })
      if (process.env.RAW) console.error(delivery, run.rounds.map(round => round.ms.toFixed(0)).join(' '))
      const times = run.rounds.slice(WARM_UP).map(round => round.ms).sort((a, b) => a - b)
      const at = part => Number(times[Math.min(times.length - 1, Math.ceil(part * times.length) - 1)].toFixed(1))
      const heard = kind => run.rounds.flatMap(({ boundary, clients }) => clients.filter(client => client.kind === kind)
        .flatMap(({ got }) => got.filter(item => item.name === 'roomMessage').map(item => ({ ...item, beyond: item.id > boundary }))))
      const all = [...heard('browser'), ...heard('device')]
      figures.push({
        delivery,
        removals: times.length,
        messages_per_second: Math.round(run.rate),
        ack_ms: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) },
        heard: all.length,
        accepted_after_removal: all.filter(item => item.beyond).length,
        browsers_after_ack: heard('browser').filter(item => item.afterAck).length,
        devices_after_ack: heard('device').filter(item => item.afterAck).length
      })
    } finally {
      await t.close()
    }
  }
  console.log(JSON.stringify(figures, null, 2))
}
