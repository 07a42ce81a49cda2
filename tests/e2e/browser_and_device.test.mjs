// The main job: a browser and a device in one room see the same messages and each other's coming and going.

import assert from 'node:assert/strict'
import { versions } from './support/browser.mjs'
import { scenario } from './support/scenario.mjs'

// how long a device that went offline may take to come back; every test that waits for roomUserLeft waits so long
const shortGrace = { config: '[mqtt]\noffline_grace = 200\n' }

scenario('a browser and a device share a room', shortGrace, async (world, t) => {
  for (const version of versions) {
    for (const [protocol, encoding] of [[4, 'json'], [5, 'json'], [5, 'cbor']]) {
      const name = `socket.io ${version} and MQTT ${protocol === 4 ? '3.1.1' : '5'} ${encoding}`
      await t.test(name, () => shareRoom(world, `room/${version} ${protocol}.${encoding}`, version, protocol, encoding))
    }
  }
})

async function shareRoom (world, room, version, protocol, encoding) {
  const web = `web-${version}-${protocol}-${encoding}`
  const sensor = `sensor-${version}-${protocol}-${encoding}`
  const browser = await world.browser(web, { version })
  const device = await world.device(sensor, { version: protocol, encoding })

  await browser.call('roomCreate', room, false)
  assert.equal(await browser.call('roomJoin', room), 1)
  assert.deepEqual(await browser.notified('roomUserJoined'), [room, web], 'the joining connection is told too')
  assert.equal(await device.call('roomJoin', room), 1)
  assert.deepEqual(await browser.notified('roomUserJoined'), [room, sensor])
  assert.deepEqual(await device.notified('roomUserJoined'), { room, user: sensor })
  assert.deepEqual((await browser.call('roomGetAccessList', room, 'userlist')).sort(), [sensor, web])

  const id = await browser.call('roomMessage', room, { text: 'Grüß Gott', list: [1, 2.5, null] })
  const atBrowser = await browser.message(room)
  assert.deepEqual(await device.message(room), atBrowser)
  assert.deepEqual(atBrowser, { text: 'Grüß Gott', list: [1, 2.5, null], author: web, id, timestamp: atBrowser.timestamp })
  assert.ok(Math.abs(Date.now() - atBrowser.timestamp) < 60000)

  const replied = await device.call('roomMessage', room, { temp: 21.5, id: 99, author: 'somebody' })
  assert.equal(replied, id + 1)
  assert.deepEqual(await browser.message(room), await device.message(room))
  await device.send(room, { temp: 22 })
  const sent = await browser.message(room)
  assert.equal(sent.id, id + 2)
  assert.equal(sent.author, sensor)
  assert.equal(sent.temp, 22)
  assert.deepEqual(await device.message(room), sent)
  assert.ok(!device.otherEncoding, `everything came as ${encoding}`)

  // leaving and going offline in good order
  assert.equal(await browser.call('roomLeave', room), 0)
  assert.deepEqual(await device.notified('roomUserLeft'), { room, user: web })
  assert.equal(await browser.call('roomJoin', room), 1)
  assert.deepEqual(await device.notified('roomUserJoined', n => n.user === web), { room, user: web })
  await device.leave()
  assert.deepEqual(await browser.notified('roomUserLeft', (r, user) => user === sensor), [room, sensor])
  const seen = await browser.call('roomUserSeen', room, sensor)
  assert.equal(seen.joined, false)
  assert.ok(Number.isInteger(seen.timestamp))
  browser.close()
}

scenario('the will of a device that is lost makes roomUserLeft appear in the browser', shortGrace, async (world, t) => {
  for (const version of [4, 5]) {
    await t.test(`MQTT ${version}`, async () => {
      const room = `wills${version}`
      const browser = await world.browser('web')
      const device = await world.device(`sensor${version}`, { version })
      await browser.call('roomCreate', room, false)
      await browser.call('roomJoin', room)
      await device.call('roomJoin', room)
      await browser.notified('roomUserJoined', (r, user) => user === device.user)
      device.drop()
      assert.deepEqual(await browser.notified('roomUserLeft'), [room, device.user])
      assert.equal((await browser.call('roomUserSeen', room, device.user)).joined, false)
      assert.deepEqual(await browser.call('roomGetAccessList', room, 'userlist'), ['web'])
    })
  }
})

scenario('a browser that is lost or closes leaves its rooms for the devices', {}, async world => {
  const device = await world.device('sensor')
  await device.call('roomCreate', 'den', false)
  await device.call('roomJoin', 'den')
  for (const version of versions) {
    for (const end of ['close', 'drop']) {
      for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
        const browser = await world.browser(`web${version}`, { version, transports })
        await browser.call('roomJoin', 'den')
        await device.notified('roomUserJoined', n => n.user === browser.user)
        browser[end]()
        assert.deepEqual(await device.notified('roomUserLeft'), { room: 'den', user: browser.user })
      }
    }
  }
})

scenario('a user is joined until the last of its connections has left', shortGrace, async world => {
  const watcher = await world.browser('watcher')
  await watcher.call('roomCreate', 'den', false)
  await watcher.call('roomJoin', 'den')
  await watcher.notified('roomUserJoined')
  const browser = await world.browser('alice', { version: 2 })
  const device = await world.device('alice')
  await device.call('listOwnSockets')
  assert.deepEqual(await browser.notified('socketConnectEcho'), [device.id, 2])

  assert.equal(await browser.call('roomJoin', 'den'), 1)
  assert.deepEqual(await device.notified('roomJoinedEcho'), { room: 'den', id: browser.id, njoined: 1 })
  assert.equal(await device.call('roomJoin', 'den'), 2)
  assert.deepEqual(await browser.notified('roomJoinedEcho'), ['den', device.id, 2])
  assert.equal(await device.call('roomJoin', 'den'), 2, 'joining twice is a success')
  assert.deepEqual(await browser.call('listOwnSockets'), { [browser.id]: ['den'], [device.id]: ['den'] })
  assert.equal(await browser.call('roomLeave', 'den'), 1)
  assert.deepEqual(await device.notified('roomLeftEcho'), { room: 'den', id: browser.id, njoined: 1 })
  await watcher.call('listOwnSockets')
  assert.deepEqual(watcher.waiting('roomUserLeft'), [])

  await device.leave()
  assert.deepEqual(await browser.notified('socketDisconnectEcho'), [device.id, 1])
  assert.deepEqual(await watcher.notified('roomUserLeft'), ['den', 'alice'])
  assert.deepEqual(watcher.waiting('roomUserJoined'), [['den', 'alice']], 'joined once')
})
