// A broker that dies is started again; devices that come back are served, those that do not are gone.

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { accepts } from '../topology/process.mjs'
import { callAgain } from './support/again.mjs'
import { Api } from './support/api.mjs'
import { Device } from './support/device.mjs'
import { eventually, within } from './support/deadline.mjs'
import { ending } from './support/ending.mjs'
import { telling } from './support/outputs.mjs'
import { paced } from './support/pace.mjs'
import { delivery, startRoombus } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'
import { SteadyBrowser, SteadyDevice } from './support/steady.mjs'

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
  const join = await callAgain(back, 'roomJoin', ['den'], { transient: ['unavailable', 'invalidSocket'] })
  assert.equal(join.result, 1)

  assert.deepEqual(await browser.notified('roomUserLeft', (room, user) => user === 'goes'), ['den', 'goes'])
  assert.deepEqual((await browser.call('roomGetAccessList', 'den', 'userlist')).sort(), ['stays', 'web'])
  const id = await browser.call('roomMessage', 'den', { broker: 'back' })
  assert.equal((await back.message('den', m => m.id === id)).broker, 'back')
  await back.send('den', { from: 'device' })
  assert.equal((await browser.message('den', m => m.from)).id, id + 1)
})

// the whole service with its own broker, and only the broker, killed; the database stays
test('two seconds after a kill those who may hear a room hear it again, and nobody else did', { timeout: 100000 }, context => ending(async ends => {
  const data = ends(await mkdtemp(path.join(tmpdir(), 'roombus-restart-')), data => rm(data, { recursive: true, force: true }))
  const start = async options => ends(await startRoombus(options), service => service.stop())
  const config = `[store]\nkind = "sqlite"\npath = "${path.join(data, 'rooms.db')}"\n[mqtt]\nreconnect_grace = 700\noffline_grace = 300\n[admin]\nkey = "k"\n`
  const before = await start({ config })
  const { http, admin, mqtt } = before
  // the same addresses in the next life
  const again = { config, http, admin, mqtt: null, args: ['--mqtt.listen', mqtt, ...(delivery === 'inbox' ? ['--mqtt.delivery', 'inbox', '--mqtt.plugin', 'none'] : ['--mqtt.plugin', process.env.ROOMBUS_PLUGIN ?? 'auto'])] }
  let service = before
  const add = client => ends(client.start(), client => client.stop())
  await new Api(before, 'k').call('addRoom', ['den', { owner: 'ann' }])
  const ann = add(new SteadyBrowser(before, 'ann', 'den'))
  const device = (user, more) => add(new SteadyDevice(before, user, 'den', more))
  const there = [ann, device('dan'), device('dee')]
  const stranger = device('mallory', { joins: false, silent: true, also: ['roombus/r/#', '#', 'roombus/u/#', 'roombus/r/den/+/roomMessage'] })
  let n = 0
  ends(setInterval(() => ann.client?.socket?.emit('roomMessage', 'den', { n: ++n }, () => {}), 25), clearInterval)
  const allHear = async (who, from, ms) => {
    for (const one of who) await eventually(() => one.got.some(number => number > from), `a message at ${one.user}`, ms)
  }
  await allHear(there, 0, 20000)
  const removed = []
  for (const what of ['the broker', 'the service']) {
    await context.test(what, telling([{ name: 'roombus', get output () { return service.output } }], async context => {
      const eve = device(`eve${removed.length}`)
      const gone = device(`gone${removed.length}`)
      await allHear([eve, gone], n, 20000)
      const broker = await brokerOf(service)
      if (what === 'the broker') {
        process.kill(broker.pid, 'SIGKILL')
      } else {
        await service.crash()
        await eventually(() => readFile(`/proc/${broker.pid}/stat`, 'utf8').then(stat => / Z /.test(stat), () => true), 'the end of its broker')
      }
      const leaving = gone.stop()
      const putOut = (async () => {
        while (!ann.stopped && await ann.ask('roomAddToList', 'den', 'blacklist', [eve.user]) !== null) await new Promise(resolve => setTimeout(resolve, 50))
        eve.mark = n
        removed.push(eve)
      })()
      await leaving
      if (what === 'the broker') {
        await eventually(async () => (await brokerOf(service))?.pid !== broker.pid && accepts(mqtt.split(':')[1]), 'a new broker')
      } else {
        service = await start(again)
      }
      const ready = performance.now()
      const since = () => Math.round(performance.now() - ready)
      // without the plugin nobody knows before the grace who is gone
      const most = paced(2000) + (delivery === 'inbox' ? 700 : 0)
      await allHear(there, n, most)
      const heard = since()
      await putOut
      const expected = there.map(one => one.user).sort()
      await eventually(async () => String((await ann.ask('roomGetAccessList', 'den', 'userlist'))?.sort()) === String(expected), 'presence', Math.max(most - since(), 1))
      context.diagnostic(`messages after ${heard} ms, presence after ${since()} ms (limit ${Math.round(most)} ms)`)
      await allHear(there, n, 10000)
      for (const one of removed) assert.deepEqual(one.got.filter(number => number > one.mark), [], one.user)
      assert.deepEqual(stranger.got, [], 'the stranger')
    }, 8000))
  }
  assert.equal(removed.length, 2)
}))
