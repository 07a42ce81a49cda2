// The rules again over a kept record: node recheck.mjs FILE

import { readFile } from 'node:fs/promises'
import { check } from './check/check.mjs'

const [, , file] = process.argv
const entries = (await readFile(file, 'utf8')).trim().split('\n').map(line => JSON.parse(line))
const { counts, notes, violations } = check(entries)
console.log(JSON.stringify({ ...counts, notes }))
for (const violation of violations) console.log(JSON.stringify(violation))
process.exit(violations.length ? 1 : 0)
