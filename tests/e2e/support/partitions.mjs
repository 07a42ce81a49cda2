// How several instances of one broker divide its devices: into 256 parts, whose turn each is follows from the names of
// those that live (bridge/cluster/partition_table.hpp). While a part changes hands, its requests may stay unanswered.

import { eventually } from './deadline.mjs'

const PARTS = 256n
const MASK = 0xffffffffffffffffn
const PATIENCE_MS = 60000

function fnv1a (text) {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK
  return hash
}

function spread (x) {
  x = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
  x = ((x ^ (x >> 27n)) * 0x94d049bb133111ebn) & MASK
  return x ^ (x >> 31n)
}

/** How many parts each of these instances has in the end. `names` are their ids or their incarnations (id~life). */
export function shares (names) {
  const hashes = names.map(name => fnv1a(name.includes('~') ? name.slice(0, name.lastIndexOf('~')) : name))
  const out = names.map(() => 0)
  for (let number = 1n; number <= PARTS; ++number) {
    const scores = hashes.map(hash => spread((hash + spread(number)) & MASK))
    ++out[scores.indexOf(scores.reduce((a, b) => a > b ? a : b))]
  }
  return out
}

/**
 * Waits until `instances`, and nobody else, serve all devices, each as many parts as it shall have: then nothing moves any
 * more. Each should get some, else a test that counts on it tests nothing.
 */
export async function divided (instances, ms = PATIENCE_MS) {
  const wanted = shares(instances.map(instance => instance.instance))
  if (wanted.some(count => count < 1)) throw new Error(`no fair shares: ${wanted}`)
  let found
  await eventually(async () => {
    found = await Promise.all(instances.map(instance => instance.metric('roombus_device_partitions').catch(error => error.message)))
    return String(found) === String(wanted)
  }, 'the division of the devices', ms).catch(error => {
    error.message += `: ${found} instead of ${wanted}`
    throw error
  })
}
