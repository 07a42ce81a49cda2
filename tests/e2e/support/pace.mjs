// Limits of time on machines that are busy with other things, or slow.

import { pbkdf2Sync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import os from 'node:os'

const SAMPLE_MS = 250
/** So much a new sample counts. */
const WEIGHT = 0.2
/** A fast machine needs this long for `work`. */
const WORK_MS = 12
const work = () => pbkdf2Sync('password', 'salt', 60000, 32, 'sha256')

const runnable = () => { try { return Number(/ (\d+)\//.exec(readFileSync('/proc/loadavg', 'utf8'))[1]) } catch { return 0 } }

/** How much slower than a fast one this machine is when it has nothing else to do. */
const slowness = (() => {
  const begin = process.cpuUsage()
  work()
  return process.cpuUsage(begin).user / 1000 / WORK_MS
})()
let waiting = runnable()
setInterval(() => { waiting += (runnable() - waiting) * WEIGHT }, SAMPLE_MS).unref()

/** `ms` of a fast machine that does nothing else: as much more as this one is slower, or has others to serve now. */
export function paced (ms) {
  return ms * Math.max(1, slowness) * Math.max(1, os.loadavg()[0] / os.cpus().length, waiting / os.cpus().length)
}
