// Runs one of the programs in examples/ on a free port, with a clean end.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { Browser } from '../../e2e/support/browser.mjs'
import { within } from '../../e2e/support/deadline.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const folder = process.env.EXAMPLES_BIN ?? path.resolve(here, '../../../build/debug/bin')

const running = new Set()
process.on('exit', () => running.forEach(child => child.kill('SIGKILL')))

/** A started example: its output, and `exited`, which becomes {code, signal}. */
export function run (name, args = []) {
  const child = spawn(path.join(folder, `example_${name}`), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const program = { child, output: '' }
  program.exited = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal })
    })
  })
  program.exited.catch(() => {})
  program.url = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', text => {
        program.output += text
        const found = /^listening on (\S+)$/m.exec(program.output)
        if (found) resolve(found[1])
      })
    }
    program.exited.then(({ code, signal }) => reject(new Error(`the example ended (${signal ?? code})`)), reject)
  })
  program.url.catch(() => {})
  return program
}

/**
 * A test with a running example; clients made with `world` are closed at the end, and the program must exit with 0.
 * `args` are the program's arguments, or a function of the test's context that answers them.
 */
export function withExample (example, name, body, args = []) {
  test(`${example}: ${name}`, { timeout: 60000 }, async t => {
    const program = run(example, typeof args === 'function' ? await args(t) : args)
    const clients = []
    const keep = client => { clients.push(client); return client }
    try {
      const service = { url: await within(program.url, 'address of the example') }
      const world = {
        service,
        /** A logged-in client. */
        browser: async options => keep(await Browser.connect(service, options)),
        /** A client that is not waited for. */
        open: options => keep(new Browser(service, options))
      }
      await body(world, t)
      clients.forEach(client => client.close())
      program.child.kill('SIGTERM')
      assert.deepEqual(await within(program.exited, 'end of the example'), { code: 0, signal: null })
    } catch (error) {
      console.error(`--- output of example_${example}\n${program.output}---`)
      throw error
    } finally {
      clients.forEach(client => client.close())
      program.child.kill('SIGKILL')
    }
  })
}
