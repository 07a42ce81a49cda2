// The program's own commands, as an operator types them.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Inbox, within } from './deadline.mjs'
import { watchedChild } from './leftovers.mjs'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
export const binary = path.resolve(process.env.ROOMBUS_BIN ?? path.join(repository, 'build/debug/bin/roombus'))

/** Starts `roombus args…` against a service; its output lines are in `lines`. */
export function start (service, args, { key = 'key-for-all', input, env = {} } = {}) {
  const child = watchedChild(spawn(binary, args, {
    env: { PATH: process.env.PATH, ROOMBUS_URL: `http://${service.admin}`, ...(key ? { ROOMBUS_KEY: key } : {}), ...env }
  }))
  const run = { child, out: '', err: '', lines: new Inbox() }
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    run.out += text
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    lines.forEach(line => run.lines.push(line))
  })
  child.stderr.setEncoding('utf8').on('data', text => { run.err += text })
  run.line = (fits = () => true) => run.lines.take(fits, `line of roombus ${args.join(' ')}`)
  run.exited = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve(code))
  })
  child.stdin.end(input)
  return run
}

/** Runs a command to its end: {code, out, err}. */
export async function cli (service, args, options) {
  const run = start(service, args, options)
  const code = await within(run.exited, `end of roombus ${args.join(' ')}`).catch(error => {
    run.child.kill('SIGKILL')
    throw error
  })
  return { code, out: run.out, err: run.err }
}

/** The output of a command that must succeed. */
export async function done (service, args, options) {
  const { code, out, err } = await cli(service, args, options)
  assert.equal(code, 0, `roombus ${args.join(' ')}: ${err}`)
  return out
}
