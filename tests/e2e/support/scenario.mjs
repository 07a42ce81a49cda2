// The frame of every test: one service of its own, clients that are closed at the end, a clean exit.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from './browser.mjs'
import { Device } from './device.mjs'
import { startRoombus } from './roombus.mjs'

/** What a scenario works with. */
class World {
  #cleanups = []

  constructor (service) { this.service = service }

  /** Runs `action` at the end of the scenario, before what was there earlier. */
  atEnd (action) { this.#cleanups.push(action) }

  /** A logged-in socket.io client; see Browser.connect. */
  async browser (user, options = {}) {
    const browser = await Browser.connect(this.service, { user, ...options })
    this.atEnd(() => browser.close())
    return browser
  }

  /** A connected MQTT client; see Device.connect. */
  async device (user, options = {}) {
    const device = await Device.connect(this.service, { user, ...options })
    this.atEnd(() => device.close())
    return device
  }

  async cleanUp () {
    for (const action of this.#cleanups.reverse()) await action()
  }
}

/**
 * A test with a service of its own. `options` are those of startRoombus, or a function of the test that answers them
 * when it runs. After `body` the clients are closed and the service is stopped, which must exit with 0; its output is
 * printed when anything failed.
 */
export function scenario (name, options, body) {
  test(name, { timeout: 100000 }, async t => {
    const service = await startRoombus(typeof options === 'function' ? await options(t) : options)
    const world = new World(service)
    try {
      try {
        await body(world, t)
      } finally {
        await world.cleanUp()
        const { code, signal } = await service.stop()
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, 'exit of roombus')
      }
    } catch (error) {
      console.error(`--- output of roombus in "${name}"\n${service.output.slice(-20000)}---`)
      throw error
    }
  })
}
