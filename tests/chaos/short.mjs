// The short runs of one layout, with fixed seeds: node short.mjs sqlite|redis|cluster

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const plan = {
  sqlite: [['kill-instance', 1, 'broker'], ['full-disk', 2, 'inbox']],
  redis: [['kill-redis', 1, 'inbox']],
  cluster: [['kill-instance', 1, 'broker'], ['cut-redis', 2, 'inbox']]
}
const layout = process.argv[2]
if (!plan[layout]) throw new Error(`expected one of ${Object.keys(plan).join(', ')}`)
const here = path.dirname(fileURLToPath(import.meta.url))
let worst = 0
for (const [fault, seed, delivery] of plan[layout]) {
  const { status } = spawnSync(process.execPath, [path.join(here, 'run.mjs'), '--layout', layout, '--fault', fault,
    '--seed', String(seed), '--delivery', delivery, '--seconds', '6'], { stdio: 'inherit' })
  worst = Math.max(worst, status ?? 2)
}
process.exit(worst)
