// examples/forwarding: what is too hot is forwarded to one more room, once.

import assert from 'node:assert/strict'
import { chatError } from '../../e2e/support/chat_error.mjs'
import { eventually } from '../../e2e/support/deadline.mjs'
import { Device } from '../../e2e/support/device.mjs'
import { startMosquitto } from '../../e2e/support/roombus.mjs'
import { withExample } from './support.mjs'

withExample('forwarding', 'hot readings of all machines come together in the room alarms', async world => {
  const machine = await world.browser({ version: 2, user: 'press' })
  const guard = await world.browser({ version: 4, user: 'guard' })
  await machine.call('roomJoin', 'machine-1')
  await machine.call('roomJoin', 'machine-2')
  await guard.call('roomJoin', 'alarms')

  assert.equal(await machine.call('roomMessage', 'machine-1', { temperature: 60 }), 1)
  assert.equal(await machine.call('roomMessage', 'machine-1', { temperature: 95, part: 'bearing' }), 2)
  assert.equal(await machine.call('roomMessage', 'machine-2', { temperature: 120 }), 1)

  const { timestamp, ...first } = await guard.message('alarms')
  assert.deepEqual(first, {
    temperature: 95, part: 'bearing', from: 'machine-1', originalId: 2, originalAuthor: 'press', author: 'watchman', id: 1
  })
  const second = await guard.message('alarms')
  assert.equal(second.from, 'machine-2')
  assert.equal(second.id, 2)
  // the machine's own room has what was sent to it, and nothing more
  assert.equal((await machine.call('roomHistoryInfo', 'machine-1')).lastMessageId, 2)
})

withExample('forwarding', 'a repeated message is forwarded once, a refused one not at all', async world => {
  const machine = await world.browser({ version: 4, user: 'press' })
  const guard = await world.browser({ version: 2, user: 'guard' })
  await machine.call('roomJoin', 'machine-1')
  await guard.call('roomJoin', 'alarms')
  const key = { idempotencyKey: 'reading 7' }
  assert.equal(await machine.call('roomMessage', 'machine-1', { temperature: 99 }, key), 1)
  assert.equal(await machine.call('roomMessage', 'machine-1', { temperature: 99 }, key), 1)
  await assert.rejects(machine.call('roomMessage', 'machine-2', { temperature: 99 }), chatError('notJoined', 'machine-2'))
  const history = await guard.call('roomRecentHistory', 'alarms')
  assert.deepEqual(history.map(message => message.originalId), [1])
})

withExample('forwarding', 'a hot message in the room alarms goes no further', async world => {
  const guard = await world.browser({ version: 4, user: 'guard' })
  await guard.call('roomJoin', 'alarms')
  assert.equal(await guard.call('roomMessage', 'alarms', { temperature: 1000 }), 1)
  assert.equal((await guard.call('roomHistoryInfo', 'alarms')).lastMessageId, 1)
  const intruder = world.open({ version: 4, user: 'watchman' })
  await intruder.notified('loginRejected')
})

let broker
withExample('forwarding', 'machines may be devices of a broker', async world => {
  const guard = await world.browser({ version: 2, user: 'guard' })
  await guard.call('roomJoin', 'alarms')
  const press = await Device.connect({ mqtt: broker.address }, { user: 'press', version: 5, style: 'id' })
  try {
    // the start does not wait for the broker; the gauge tells when the bridge has seen the device's birth
    await eventually(async () => {
      const answer = await fetch(`${world.service.url}/metrics`)
      return /^roombus_mqtt_connections 1$/m.test(await answer.text())
    }, 'birth of the device')
    await press.call('roomJoin', 'machine-2')
    assert.equal(await press.call('roomMessage', 'machine-2', { temperature: 130 }), 1)
    const { from, originalAuthor } = await guard.message('alarms')
    assert.deepEqual({ from, originalAuthor }, { from: 'machine-2', originalAuthor: 'press' })
  } finally {
    await press.close()
  }
}, async t => {
  broker = await startMosquitto()
  t.after(() => broker.stop())
  return ['0', `tcp://${broker.address}`]
})
