// For brokers whose SUBACK does not mean that messages come from now on.

import assert from 'node:assert/strict'
import { Device } from './device.mjs'

const PATIENCE_MS = 500

async function soon (promise) {
  return promise.then(() => true, error => {
    if (/within/.test(error.message)) return false
    throw error
  })
}

/**
 * Connects a 3.1.1 device and repeats its birth and a request until both were answered: then replies and events come.
 * `service` has the broker's address in `mqtt`.
 */
export async function connectProbing (service, options) {
  const device = await Device.connect(service, { version: 4, birth: false, shared: false, ...options })
  try {
    for (let attempt = 0; ; ++attempt) {
      assert.ok(attempt < 20, `no answer for ${device.id}`)
      await device.publish(`${device.base}/status`, 'online', { retain: true })
      if (await soon(device.received.take(i => i.name === 'loginConfirmed', 'loginConfirmed', PATIENCE_MS))) break
    }
    for (let attempt = 0; ; ++attempt) {
      assert.ok(attempt < 20, `no reply for ${device.id}`)
      await device.publish(`${device.base}/call/listOwnSockets/probe${attempt}`, '[]')
      if (await soon(device.replies.take(i => i.key === `probe${attempt}`, 'reply', PATIENCE_MS))) return device
    }
  } catch (error) {
    await device.close()
    throw error
  }
}

/** Joins until the device sees its own roomUserJoined: then the room's messages come. */
export async function joinProbing (device, room) {
  for (let attempt = 0; ; ++attempt) {
    assert.ok(attempt < 20, `${device.id} hears nothing of ${room}`)
    await device.call('roomJoin', room)
    if (await soon(device.received.take(
      i => i.name === 'roomUserJoined' && i.room === room && i.payload.user === device.user, 'roomUserJoined', PATIENCE_MS))) return
    await device.call('roomLeave', room)
  }
}
