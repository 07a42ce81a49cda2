// Many runs one after the other, each in a process of its own, and a table of what came out.
//   node campaign.mjs --layouts sqlite,redis --faults kill-instance,full-disk --seeds 1-10 --seconds 8 [--minutes 20] [--jobs 2] [--report FILE]
// Without --faults: all that a layout can have. --rotate: each seed of a fault in one of the layouts, by turns, instead of in all. Ends with 1 when a rule was broken or a run failed.

import { spawn } from 'node:child_process'
import { appendFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { faults } from './support/faults.mjs'
import { table } from './support/table.mjs'

const { values } = parseArgs({
  options: {
    layouts: { type: 'string', default: 'sqlite,redis' },
    faults: { type: 'string' },
    seeds: { type: 'string', default: '1-3' },
    seconds: { type: 'string', default: '8' },
    minutes: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    rotate: { type: 'boolean', default: false },
    'stop-ms': { type: 'string' },
    delivery: { type: 'string' },
    records: { type: 'string' },
    report: { type: 'string' }
  }
})
const run = path.join(path.dirname(fileURLToPath(import.meta.url)), 'run.mjs')
const [from, to] = values.seeds.split('-').map(Number)
const seeds = Array.from({ length: (to ?? from) - from + 1 }, (_, n) => from + n)
const layouts = values.layouts.split(',')
const wanted = values.faults?.split(',') ?? Object.keys(faults)
for (const name of wanted) if (!faults[name]) throw new Error(`fault ${name}? known: ${Object.keys(faults).join(', ')}`)
const pairs = layouts.flatMap(layout => wanted.filter(name => faults[name].layouts.includes(layout)).map(name => [layout, name]))
/** What a seed runs. */
function plan (seed) {
  if (!values.rotate) return pairs
  return wanted.map(name => [layouts.filter(layout => faults[name].layouts.includes(layout)), name])
    .filter(([where]) => where.length).map(([where, name]) => [where[seed % where.length], name])
}
if (pairs.length === 0) throw new Error('no such run')
if (values.report) await writeFile(values.report, '')

function one (seed, layout, fault) {
  const args = ['--seed', seed, '--layout', layout, '--fault', fault, '--seconds', values.seconds]
  for (const key of ['stop-ms', 'delivery', 'records']) if (values[key] !== undefined) args.push(`--${key}`, values[key])
  const child = spawn(process.execPath, [run, ...args.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let wrong = ''
  child.stdout.on('data', text => { out += text })
  child.stderr.on('data', text => { wrong = (wrong + text).slice(-5000) })
  return new Promise(resolve => child.once('close', code => {
    const line = out.trim().split('\n').at(-1)
    try { resolve(JSON.parse(line)) } catch { resolve({ seed, layout, fault, failed: `no result (${code}): ${wrong}` }) }
  }))
}

// each seed goes over all faults, so that a campaign that is cut short has seen them all
const results = []
const end = values.minutes ? Date.now() + Number(values.minutes) * 60000 : Infinity
const jobs = seeds.flatMap(seed => plan(seed).map(([layout, fault]) => [seed, layout, fault]))
async function worker () {
  for (let job; (job = jobs.shift()) && Date.now() <= end;) {
    const [seed, layout, fault] = job
    const result = await one(seed, layout, fault)
    results.push(result)
    if (values.report) await appendFile(values.report, JSON.stringify(result) + '\n')
    const word = result.failed ? `FAILED ${result.failed.split('\n').slice(0, 3).join(' ')}` : result.skipped ? `skipped: ${result.skipped}`
      : result.violationCount ? `${result.violationCount} VIOLATIONS ${JSON.stringify(result.violations.slice(0, 3))} ${result.record}` : 'ok'
    console.log(`${layout} ${fault} seed ${seed} ${result.delivery ?? ''}: ${word}`)
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, worker))
results.sort((a, b) => `${a.fault} ${a.layout}`.localeCompare(`${b.fault} ${b.layout}`))
console.log(`\n${table(results)}`)
process.exit(results.some(result => result.failed || result.violationCount) ? 1 : 0)
