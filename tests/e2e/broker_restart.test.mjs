// A broker that dies is started again; devices that come back are served, those that do not are gone.

import assert from 'node:assert/strict'
import { Device } from './support/device.mjs'
import { eventually, within } from './support/deadline.mjs'
import { scenario } from './support/scenario.mjs'

const brokerOf = async service => (await service.children()).find(child => child.name === 'mosquitto')

scenario('a killed broker comes back and presence is right again', {
  config: '[mqtt]\nreconnect_grace = 1500\n'
}, async world => {
  const { service } = world
  const browser = await world.browser('web')
  const stays = await world.device('stays')
  const goes = await world.device('goes')
  await browser.call('roomCreate', 'den', false)
  for (const client of [browser, stays, goes]) await client.call('roomJoin', 'den')
  const first = await brokerOf(service)
  assert.ok(first, 'the broker is a child of the service')

  process.kill(first.pid, 'SIGKILL')
  await within(Promise.all([stays.closed, goes.closed]), 'loss of the devices')
  assert.equal(await browser.call('roomMessage', 'den', { broker: 'away' }), 1, 'browsers are served meanwhile')
  const second = await eventually(() => brokerOf(service).then(b => b && b.pid !== first.pid && b), 'a new broker')
  assert.notEqual(second.pid, first.pid)

  const back = await eventually(() => Device.connect(service, { user: 'stays' }).catch(() => null), 'a connection to the new broker')
  world.atEnd(() => back.close())
  // requests sent while the service itself is not connected yet are lost: ask until one is answered
  const join = await eventually(() => Promise.race([
    back.call('roomJoin', 'den').catch(() => null), new Promise(resolve => setTimeout(resolve, 500))
  ]), 'answer to a join over the new broker')
  assert.equal(join, 1)

  assert.deepEqual(await browser.notified('roomUserLeft', (room, user) => user === 'goes'), ['den', 'goes'])
  assert.deepEqual((await browser.call('roomGetAccessList', 'den', 'userlist')).sort(), ['stays', 'web'])
  const id = await browser.call('roomMessage', 'den', { broker: 'back' })
  assert.equal((await back.message('den', m => m.id === id)).broker, 'back')
  await back.send('den', { from: 'device' })
  assert.equal((await browser.message('den', m => m.from)).id, id + 1)
})
