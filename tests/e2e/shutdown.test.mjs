// SIGTERM: clients are told, the exit is clean, nothing is left running.

import assert from 'node:assert/strict'
import { access } from 'node:fs/promises'
import test from 'node:test'
import { Browser, versions } from './support/browser.mjs'
import { within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { ending } from './support/ending.mjs'
import { startRoombus } from './support/roombus.mjs'

for (const mqtt of [true, false]) {
  test(`a stop ends clients and children, ${mqtt ? 'with the embedded broker' : 'without MQTT'}`, { timeout: 60000 }, () => ending(async ends => {
    const service = ends(await startRoombus({ mqtt }), service => service.stop())
    const browsers = []
    for (const version of versions) {
      for (const transports of [['websocket'], ['polling']]) {
        browsers.push(ends(await Browser.connect(service, { user: 'alice', version, transports }), browser => browser.close()))
      }
    }
    const device = mqtt ? ends(await Device.connect(service, { user: 'sensor' }), device => device.close()) : null
    if (device) {
      await device.call('roomCreate', 'den', false)
      await device.call('roomJoin', 'den')
    }
    const children = await service.children()
    assert.equal(children.length, mqtt ? 1 : 0)
    assert.equal((await service.get('/healthz')).status, 200)
    assert.equal((await service.get('/readyz')).status, 200)

    const ended = service.stop()
    ended.catch(() => {})
    await within(Promise.all(browsers.map(browser => browser.closed)), 'disconnect of the browsers')
    if (device) await within(device.closed, 'disconnect of the device')
    assert.deepEqual(await ended, { code: 0, signal: null })
    for (const { pid } of children) await assert.rejects(access(`/proc/${pid}`), 'no child is left')
    await assert.rejects(fetch(`${service.url}/healthz`), 'the port is free')
  }))
}

test('a wrong configuration ends at once and says where', { timeout: 60000 }, async () => {
  await assert.rejects(startRoombus({ config: '[chat]\nenable_everything = true\n' }), error => {
    assert.match(error.message, /ended before it was ready \([1-9]/)
    assert.match(error.message, /roombus\.toml/)
    assert.match(error.message, /enable_everything/)
    assert.match(error.message, /2/)
    return true
  })
})
