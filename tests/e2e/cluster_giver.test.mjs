// An instance that has lost its broker gives devices away when another instance comes, but not those of whom it does not
// know whether they are still there.

import assert from 'node:assert/strict'
import test from 'node:test'
import { startTopology } from '../topology/topology.mjs'
import { callAgain } from './support/again.mjs'
import { Api } from './support/api.mjs'
import { eventually } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { ending } from './support/ending.mjs'
import { telling } from './support/outputs.mjs'

const config = `
[chat]
heartbeat_rate = 400
heartbeat_timeout = 3000
lock_ttl = 2000
`
const mqtt = { reconnect_grace: 700, offline_grace: 300 }
const COUNT = 8

test('who went while the broker was dead is gone, whoever serves it afterwards', { timeout: 150000 }, () => ending(async ends => {
  const t = ends(await startTopology({ instances: 2, delivery: 'inbox', links: true, config, mqtt }), t => t.close())
  await telling(t.instances, async () => {
    const [first, second] = t.instances
    await second.kill()
    await t.devicesShared()
    const api = new Api(first, t.key)
    await api.call('addRoom', ['den', {}])
    const users = () => api.call('execUserCommand', [true, 'roomGetAccessList', 'den', 'userlist'])
    const devices = []
    for (let n = 0; n < COUNT; ++n) {
      devices.push(ends(await Device.connect(first, { user: `dev${n}`, ...t.deviceOptions(`dev${n}`) }), device => device.close()))
      await callAgain(devices[n], 'roomJoin', ['den'])
    }
    assert.equal((await users()).length, COUNT)

    // a broker that is killed publishes no wills, and has forgotten who was there
    first.brokerLink.cut()
    await t.brokers[0].kill()
    for (const device of devices) await device.close()
    await t.brokers[0].start()
    await second.start()
    // while the first has no broker: it keeps those of whom it does not know whether they are there
    await eventually(async () => await second.metric('roombus_device_partitions') > 100, 'most of the devices are given away', 20000)
    first.brokerLink.mend()
    await eventually(async () => await first.readiness() === 200, 'the link is back')
    let last
    await eventually(async () => (last = await users()).length === 0, 'an empty room', 20000)
      .catch(error => { error.message += `: ${last}`; throw error })
  })()
}))
