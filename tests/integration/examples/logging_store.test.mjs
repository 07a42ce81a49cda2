// examples/logging_store: a store of one's own, and a call from another thread. It ends by itself.

import assert from 'node:assert/strict'
import test from 'node:test'
import { within } from '../../e2e/support/deadline.mjs'
import { run } from './support.mjs'

test('logging_store: tells what it stores, and ends by itself', { timeout: 60000 }, async () => {
  const program = run('logging_store')
  assert.deepEqual(await within(program.exited, 'end of the example'), { code: 0, signal: null }, program.output)
  assert.equal(program.output, 'stored: room readings id 1\naccepted as 1\n')
})
