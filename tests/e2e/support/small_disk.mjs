// A disk of a few MB that can be filled, and made read-only: a tmpfs in a mount namespace of its own, which goes with us.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { within } from './deadline.mjs'
import { watchedChild } from './leftovers.mjs'

// in a chroot the root is no mount point whose propagation could change; it need not where nothing is shared
const nothingShared = !readFileSync('/proc/self/mountinfo', 'utf8').includes(' shared:')
const mounting = ['--mount', '--propagation', nothingShared ? 'unchanged' : 'private', 'sh', '-c']

/** Why there can be none here; undefined when there can. */
export const cannotMount = (() => {
  if (process.getuid() !== 0) return 'only root can mount a small disk'
  const tried = spawnSync('unshare', [...mounting, 'mount -t tmpfs -o size=1m tmpfs /tmp'], { encoding: 'utf8' })
  if (tried.error || tried.status !== 0) return `no small disk can be mounted here: ${tried.error?.message ?? tried.stderr.trim()}`
})()

/** A disk of `megabytes`, mounted at `folder` for programs that are started through `through`. */
export async function smallDisk (megabytes) {
  const folder = mkdtempSync(path.join(tmpdir(), 'roombus-disk-'))
  // cat ends when we end, however we end; the mount goes with it
  const holder = watchedChild(spawn('unshare', [...mounting, `mount -t tmpfs -o size=${megabytes}m tmpfs "$0" && echo mounted && exec cat`, folder]))
  const ended = once(holder, 'exit')
  await within(Promise.race([once(holder.stdout, 'data'), ended.then(() => { throw new Error('not mounted') })]), 'mount').catch(error => {
    holder.kill('SIGKILL')
    throw error
  })
  const inside = ['--target', `${holder.pid}`, '--mount', '--root']
  const there = `/proc/${holder.pid}/root${folder}`
  const remount = how => {
    const { status, stderr } = spawnSync('nsenter', [...inside, 'mount', '-o', `remount,${how}`, folder], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`remount: ${stderr}`)
  }
  return {
    folder,
    through: ['nsenter', ...inside, '--'],
    /** The path of a file on it for us, who have not mounted it. */
    file: name => path.join(there, name),
    /** Writes a file until no byte fits any more. */
    fill () {
      const file = openSync(path.join(there, 'filler'), 'w')
      try {
        for (let bytes = 65536; bytes >= 1;) {
          try {
            writeSync(file, Buffer.alloc(bytes))
          } catch (error) {
            if (error.code !== 'ENOSPC') throw error
            bytes = Math.floor(bytes / 2)
          }
        }
      } finally {
        closeSync(file)
      }
    },
    makeRoom: () => rmSync(path.join(there, 'filler')),
    readOnly: () => remount('ro'),
    writable: () => remount('rw'),
    async remove () {
      holder.stdin.end()
      await ended
      rmdirSync(folder)
    }
  }
}
