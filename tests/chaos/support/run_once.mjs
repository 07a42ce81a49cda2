// One run: starts a layout, lets the schedule and the faults run, comes to rest, and gives the record.

import { BrowserProgram } from './browser_program.mjs'
import { DeviceProgram } from './device_program.mjs'
import { faults } from './faults.mjs'
import { finish } from './finish.mjs'
import { startLayout, times } from './layouts.mjs'
import { delay } from './program.mjs'
import { Random } from './random.mjs'
import { Recorder } from './record.mjs'
import { makeClients, makeOperations } from './schedule.mjs'

async function inject (fault, layout, recorder, random, end, options) {
  const choose = random.part(`fault/${fault.name}`)
  const touches = typeof fault.touches === 'function' ? fault.touches(layout) : fault.touches
  let count = 0
  await delay(choose.integer(800, 2000))
  while (performance.now() < end) {
    const n = ++count
    recorder.add('fault', { name: fault.name, n, what: 'start', touches })
    await fault.run(layout, choose.part(String(n)), options)
    recorder.add('fault', { name: fault.name, n, what: 'end', touches })
    await delay(choose.integer(1000, 3500))
  }
  return fault.name === 'none' ? 0 : count
}

/** What the processes wrote, by name. */
function outputsOf (layout) {
  return [...layout.instances, ...layout.brokers, ...layout.redis].map(({ name, output }) => ({ name, output }))
}

/** Runs `seconds` of load under a fault. Answers {recorder, faults: how many, outputs}. */
export async function runOnce ({ seed, fault: faultName, layout: layoutName, seconds, delivery, rate = 30, stopMs }) {
  const fault = faults[faultName]
  if (!fault) throw new Error(`fault ${faultName}? known: ${Object.keys(faults).join(', ')}`)
  if (!fault.layouts.includes(layoutName)) throw new Error(`fault ${faultName} needs one of the layouts ${fault.layouts.join(', ')}`)
  const random = new Random(seed)
  const layout = await startLayout(layoutName, {
    delivery: delivery ?? (random.part('delivery').chance(0.5) ? 'broker' : 'inbox'),
    smallDisk: fault.smallDisk
  })
  layout.name = layoutName
  const recorder = new Recorder()
  recorder.add('run', { seed, fault: faultName, layout: layoutName, seconds, delivery: layout.delivery, single: layout.single, heartbeatTimeout: times.heartbeatTimeout })
  const programs = []
  try {
    for (const setup of makeClients(random, layout.delivery)) {
      programs.push(setup.kind === 'browser'
        ? new BrowserProgram(setup, recorder, random, layout.browserEntrances)
        : new DeviceProgram(setup, recorder, random, layout.deviceEntrances, layout.deviceOptions(setup.user)))
    }
    const byName = new Map(programs.map(program => [program.name, program]))
    const ends = programs.map(program => program.run())
    for (const start = performance.now(); performance.now() - start < 15000 && !programs.every(program => program.settled);) await delay(50)
    recorder.add('load', {})

    const begin = performance.now()
    const end = begin + seconds * 1000
    const injecting = inject({ ...fault, name: faultName }, layout, recorder, random, end, { stopMs })
    injecting.catch(() => {})
    const running = new Set()
    const bans = new Map()
    for (const operation of makeOperations(random, [...byName.values()], seconds * 1000, rate)) {
      const wait = begin + operation.at - performance.now()
      if (wait > 1) await delay(wait)
      const work = perform(byName.get(operation.client), operation, bans).catch(error => recorder.add('trouble', { text: String(error.stack) }))
      running.add(work)
      work.finally(() => running.delete(work))
    }
    const count = await injecting
    await Promise.race([Promise.all(running), delay(60000)])
    recorder.add('calm', {})
    for (const program of programs) { program.away = false; for (const room of program.rooms) program.wanted.add(room) }
    await finish(recorder, programs, layout, random)
    await Promise.all(programs.map(program => program.stop()))
    await Promise.race([Promise.all(ends), delay(3000)])
    return { recorder, faults: count, outputs: outputsOf(layout) }
  } catch (error) {
    error.recorder = recorder
    error.outputs = outputsOf(layout)
    throw error
  } finally {
    await Promise.race([Promise.all(programs.map(program => program.stop().catch(() => {}))), delay(5000)])
    await layout.close()
  }
}

/** Does one operation of the schedule. */
async function perform (program, operation, bans) {
  const { op, room } = operation
  if (op === 'send') return program.send(operation)
  if (op === 'leave') return void program.wanted.delete(room)
  if (op === 'join') return void program.wanted.add(room)
  if (op === 'drop') return program.cutOff()
  if (op === 'quit') return program.quit(operation.back)
  // one ban of a user in a room at a time
  const key = `${room}/${operation.user}`
  const before = bans.get(key) ?? Promise.resolve()
  const work = before.then(async () => {
    if (!await program.edit('roomAddToList', room, operation.user)) return
    await delay(operation.ms)
    await program.edit('roomRemoveFromList', room, operation.user)
  })
  bans.set(key, work.catch(() => {}))
  return work
}
