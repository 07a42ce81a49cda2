// One run of the checker: node run.mjs --seed 1 --fault kill-instance --layout sqlite --seconds 20
// Prints one line of JSON; ends with 1 when a rule was broken, 2 when the run itself failed, 0 otherwise (also when skipped).

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { check } from './check/check.mjs'
import { Skipped } from './support/layouts.mjs'
import { runOnce } from './support/run_once.mjs'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    fault: { type: 'string', default: 'none' },
    layout: { type: 'string', default: 'sqlite' },
    seconds: { type: 'string', default: '20' },
    delivery: { type: 'string' },
    rate: { type: 'string', default: '30' },
    'stop-ms': { type: 'string', default: '20000' },
    records: { type: 'string', default: path.join(tmpdir(), 'roombus-chaos-records') },
    keep: { type: 'boolean', default: false }
  }
})
const options = {
  seed: Number(values.seed), fault: values.fault, layout: values.layout, seconds: Number(values.seconds),
  delivery: values.delivery, rate: Number(values.rate), stopMs: Number(values['stop-ms'])
}
const { seed, fault, layout } = options
await mkdir(values.records, { recursive: true })
const file = path.join(values.records, `${layout}-${fault}-${seed}-${process.pid}.jsonl`)
const outputs = async texts => {
  for (const { name, output } of texts) await writeFile(file.replace('.jsonl', `-${name}.log`), output)
}

try {
  const run = await runOnce(options)
  await run.recorder.save(file)
  await outputs(run.outputs)
  const { counts, violations, notes } = check(run.recorder.entries)
  const bad = violations.length > 0
  if (!bad && !values.keep) {
    await rm(file)
    for (const { name } of run.outputs) await rm(file.replace('.jsonl', `-${name}.log`))
  }
  console.log(JSON.stringify({
    seed, fault, layout, delivery: run.recorder.entries[0].delivery, seconds: options.seconds, faults: run.faults,
    ...counts, notes, violations: violations.slice(0, 20), violationCount: violations.length, ...(bad || values.keep ? { record: file } : {})
  }))
  process.exit(bad ? 1 : 0)
} catch (error) {
  if (error instanceof Skipped) {
    console.log(JSON.stringify({ seed, fault, layout, skipped: error.message }))
    process.exit(0)
  }
  if (error.recorder) await error.recorder.save(file)
  if (error.outputs) await outputs(error.outputs)
  console.log(JSON.stringify({ seed, fault, layout, failed: String(error.stack), record: file }))
  process.exit(2)
}
