import assert from 'node:assert/strict'
import { startRoombus } from './roombus.mjs'

/** Starts a program that must not start: exit code 1, and a line `start_failed` with `text`. Answers what it wrote. */
export async function refusedStart (options, text) {
  let service
  try {
    service = await startRoombus(options)
  } catch (error) {
    assert.match(error.message, /ended before it was ready \(1\)/)
    const line = error.message.split('\n').find(one => one.includes(' start_failed '))
    assert.ok(line?.includes(text), `expected "${text}" in\n${error.message}`)
    return error.message
  }
  await service.stop()
  assert.fail(`it started; expected "${text}"`)
}
