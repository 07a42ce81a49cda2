// Somebody is put out of a room and let in again before everybody has been told of the first: whoever publishes the room
// stands still, and another instance goes on for it. What is told late, or twice, must not count against the second join.

import assert from 'node:assert/strict'
import test from 'node:test'
import { hasPlugin } from '../topology/mosquitto.mjs'
import { startTopology } from '../topology/topology.mjs'
import { callAgain } from './support/again.mjs'
import { Api } from './support/api.mjs'
import { Browser } from './support/browser.mjs'
import { eventually } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { telling } from './support/outputs.mjs'

const config = `
[chat]
enable_userlist_updates = true
bus_ack_timeout = 4000
`
const ROOM = 'den'

/** Fields of the room's log in Redis: s is its last number, oa the first that was not published. */
async function log (t, ...fields) {
  const [key] = (await t.redis[0].ask('KEYS', `*:r:${ROOM}}`)).split('\n')
  return (await t.redis[0].ask('HMGET', key, ...fields)).split('\n').map(Number)
}

for (const delivery of hasPlugin ? ['broker', 'inbox'] : ['inbox']) {
  test(`whoever was let in again stays, ${delivery} delivery`, { timeout: 120000 }, async () => {
    const t = await startTopology({ instances: 2, links: true, delivery, config })
    await telling(t.instances, async () => {
      await t.devicesShared()
      const [stalled, other] = t.instances
      const there = new Api(stalled, t.key)
      const here = new Api(other, t.key)
      await here.call('addRoom', [ROOM, { owner: 'bob' }])
      for (const user of ['svc', 'bob']) await here.call('addUser', [user, {}])
      const as = (api, user, ...command) =>
        api.call('execUserCommand', [{ userName: user, bypassPermissions: user === 'svc' }, ...command])
      const say = n => as(here, 'svc', 'roomMessage', ROOM, { n })

      const clients = []
      let device
      for (let n = 0; !device && n < 50; n++) {
        const one = await Device.connect(other, { user: `dev${n}` })
        clients.push(one)
        await callAgain(one, 'listOwnSockets')
        const mine = await here.call('getInstanceSockets', ['node1'])
        if (mine[one.id]) device = one
      }
      const browser = await Browser.connect(other, { user: device.user })
      assert.equal(await device.call('roomJoin', ROOM), 1)
      assert.equal(await browser.call('roomJoin', ROOM), 2)
      const hears = async n => {
        await say(n)
        for (const one of [device, browser]) await one.message(ROOM, message => message.n === n)
      }
      await hears(1)
      await eventually(async () => { const [s, oa] = await log(t, 's', 'oa'); return oa === s + 1 }, 'all published')

      stalled.brokerLink.stall()
      const [before] = await log(t, 's')
      const edit = as(there, 'bob', 'roomAddToList', ROOM, 'blacklist', [device.user]).then(() => 'ok', error => error.message)
      await eventually(async () => (await log(t, 's'))[0] > before, 'the removal')
      await as(here, 'bob', 'roomRemoveFromList', ROOM, 'blacklist', [device.user])
      await device.call('roomJoin', ROOM)
      await eventually(async () => { const [s, oa] = await log(t, 's', 'oa'); return oa === s + 1 }, 'taken over and published')
      await say(2)
      await device.message(ROOM, message => message.n === 2)
      assert.match(await edit, /timeout/, 'the first to publish it could not see what became of it')
      stalled.brokerLink.mend()
      await eventually(async () => await stalled.readiness() === 200, 'the stalled one is back')
      for (let n = 3; n < 8; n++) {
        await say(n)
        await device.message(ROOM, message => message.n === n)
      }
      browser.close()
      for (const client of clients) await client.close()
    })().finally(() => t.close())
  })
}
