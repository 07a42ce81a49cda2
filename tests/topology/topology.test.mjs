// The topologies themselves: everything starts, rooms work, parts die and come back.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../e2e/support/browser.mjs'
import { eventually } from '../e2e/support/deadline.mjs'
import { Device } from '../e2e/support/device.mjs'
import { startTopology } from './topology.mjs'

/** A browser and a device at `service` share a room. */
async function shareRoom (service, room, options = {}) {
  const browser = await Browser.connect(service, { user: 'web' })
  const device = await Device.connect(service, { user: 'alice', client: 'alice-1', ...options })
  try {
    await browser.call('roomCreate', room, false)
    await browser.call('roomJoin', room)
    await device.call('roomJoin', room)
    const id = await browser.call('roomMessage', room, { hello: 1 })
    assert.equal((await device.message(room)).id, id)
    assert.equal(await device.call('roomMessage', room, { hello: 2 }), id + 1)
    assert.equal((await browser.message(room, m => m.hello === 2)).id, id + 1)
  } finally {
    await device.close()
    browser.close()
  }
}

for (const redis of ['single', 'cluster']) {
  test(`one instance over Mosquitto and Redis (${redis})`, { timeout: 100000 }, async () => {
    const topology = await startTopology({ redis })
    try {
      const [service] = topology.instances
      await shareRoom(service, 'den', topology.deviceOptions('alice'))
      const { http, pid } = service
      await service.kill()
      await service.start()
      assert.equal(service.http, http)
      assert.notEqual(service.pid, pid)
      const browser = await Browser.connect(service, { user: 'web' })
      await browser.call('roomJoin', 'den')
      assert.equal((await browser.call('roomRecentHistory', 'den')).length, 2)
      browser.close()
      for (const master of await topology.redisMasters()) {
        await master.kill()
        await master.start()
      }
      await topology.redisStable()
      await eventually(() => shareRoom(service, 'den 2', topology.deviceOptions('alice')).then(() => true, error => {
        if (error.name === 'AssertionError') throw error
        return false
      }), 'rooms after the return of Redis', 30000)
    } finally {
      await topology.close()
    }
  })
}
