// The frame of every test: one service of its own, clients that are closed at the end, a clean exit.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from './browser.mjs'
import { onCompose } from './compose_service.mjs'
import { Device } from './device.mjs'
import { ending } from './ending.mjs'
import { startRoombus } from './roombus.mjs'

// containers take longer to start and to stop
const SCENARIO_MS = onCompose ? 300000 : 100000

/** What a scenario works with. */
class World {
  constructor (service, ends) { Object.assign(this, { service, ends }) }

  /** Runs `action` at the end of the scenario, before what was there earlier. */
  atEnd (action) { this.ends(undefined, action) }

  /** A logged-in socket.io client; see Browser.connect. */
  async browser (user, options = {}) {
    return this.ends(await Browser.connect(this.service, { user, ...options }), browser => browser.close())
  }

  /** A connected MQTT client; see Device.connect. */
  async device (user, options = {}) {
    return this.ends(await Device.connect(this.service, { user, ...options }), device => device.close())
  }
}

/**
 * A test with a service of its own. `options` are those of startRoombus, or a function of the test that answers them
 * when it runs. After `body` the clients are closed and the service is stopped, which must exit with 0; its output is
 * printed when anything failed. What asks for more than the compose file has is skipped over it.
 */
export function scenario (name, options, body) {
  test(name, { timeout: SCENARIO_MS }, async t => {
    const service = await startRoombus(typeof options === 'function' ? await options(t) : options).catch(error => {
      if (!error.unfit) throw error
      t.skip(error.unfit)
    })
    if (!service) return
    try {
      await ending(async ends => {
        ends(service, async service => {
          const { code, signal } = await service.stop()
          assert.deepEqual({ code, signal }, { code: 0, signal: null }, 'exit of roombus')
        })
        await body(new World(service, ends), t)
      })
    } catch (error) {
      console.error(`--- output of roombus in "${name}"\n${service.output.slice(-20000)}---`)
      throw error
    }
  })
}
