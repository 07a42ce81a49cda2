// The plugin in a real Mosquitto: who is present, who reads a room, and what attackers get.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import net from 'node:net'
import test from 'node:test'
import { apis, withKeys } from './support/api.mjs'
import { chatError } from './support/chat_error.mjs'
import { eventually, within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { ending } from './support/ending.mjs'
import { paced } from './support/pace.mjs'
import { account, plugin, startPluginBroker } from './support/plugin_broker.mjs'
import { delivery, startRoombus } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'

const mqtt = createRequire(import.meta.url)('mqtt')
const usable = plugin !== undefined && delivery === 'broker'

/** An MQTT 5 client with nothing around it; rejects when the broker refuses it. */
async function client (address, options) {
  const made = mqtt.connect(`mqtt://${address}`, { protocolVersion: 5, reconnectPeriod: 0, ...options })
  made.on('error', () => {})
  made.got = []
  made.on('message', (topic, payload) => made.got.push({ topic, text: payload.toString() }))
  await within(new Promise((resolve, reject) => {
    made.once('connect', resolve)
    made.once('error', reject)
    made.once('close', () => reject(new Error('closed')))
  }), 'connection')
  return made
}

const users = async (browser, room) => (await browser.call('roomGetAccessList', room, 'userlist')).sort()

if (!usable) {
  test('the plugin', { skip: 'no plugin in this build or run' }, () => {})
} else {
  scenario('presence needs nothing from the device', withKeys, async (world, t) => {
    const { service } = world
    const browser = await world.browser('web')
    await browser.call('roomCreate', 'den', false)
    await browser.call('roomJoin', 'den')
    const ways = {
      'a lost connection': device => device.drop(),
      'a farewell': device => device.mqtt.endAsync(),
      'a takeover': async device => {
        const again = await Device.connect(service, { user: device.user })
        world.atEnd(() => again.close())
        await within(device.closed, 'end of the one before')
        await again.notified('loginConfirmed')
        assert.deepEqual(await again.call('listOwnSockets'), { [again.id]: [] }, 'a new life has joined nothing')
      },
      'an operator': async device => {
        await apis(service).all.call('disconnectUserSockets', [device.user])
        await within(device.closed, 'closing by the broker')
      }
    }
    for (const [way, act] of Object.entries(ways)) {
      await t.test(way, async () => {
        const device = await world.device('bob', { birth: false, will: undefined })
        await device.call('roomJoin', 'den')
        await device.publish(`${device.base}/status`, 'offline') // says nothing any more
        assert.deepEqual(await users(browser, 'den'), ['bob', 'web'])
        await act(device)
        assert.deepEqual(await browser.notified('roomUserLeft'), ['den', 'bob'])
        assert.deepEqual(await users(browser, 'den'), ['web'])
      })
    }
    await t.test('silence for longer than the keep-alive', async () => {
      const [host, port] = service.mqtt.split(':')
      const socket = net.connect(Number(port), host)
      world.atEnd(() => socket.destroy())
      const text = s => Buffer.concat([Buffer.from([0, s.length]), Buffer.from(s)])
      const body = Buffer.concat([text('MQTT'), Buffer.from([4, 0x82, 0, 1]), text('mute1'), text('mute')]) // 1 s
      socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]))
      await within(new Promise(resolve => socket.once('data', resolve)), 'CONNACK')
      const helper = await world.device('mute', { client: 'mute2' })
      await helper.publish('roombus/u/mute/mute1/call/roomJoin/1', '["den"]')
      await eventually(async () => (await users(browser, 'den')).includes('mute'), 'the join')
      assert.deepEqual(await browser.notified('roomUserLeft'), ['den', 'mute'])
    })
  })

  scenario('a request for a connection that is not there is refused', {}, async world => {
    const device = await world.device('alice')
    await device.publish('roombus/u/alice/ghost/call/listOwnSockets/1', '[]')
    await device.subscribe(['roombus/u/alice/ghost/reply/#'])
    await device.publish('roombus/u/alice/ghost/call/listOwnSockets/2', '[]')
    const item = await device.received.take(i => i.topic?.endsWith('/reply/2'), 'the refusal')
    assert.equal(JSON.parse(item.payload.toString()).error.code, 'invalidSocket')
  })

  test('attacks on rooms and on other users', { timeout: 60000 }, t => ending(async ends => {
    const broker = ends(await startPluginBroker(), broker => broker.stop())
    const service = ends(await startRoombus({ mqtt: null, config: broker.config }), service => service.stop())
    service.mqtt = broker.address
    const alice = ends(await Device.connect(service, { user: 'alice', version: 5 }), alice => alice.close())
    await alice.call('roomCreate', 'den', false)
    await alice.call('roomJoin', 'den')
    const eve = ends(await client(broker.address, { username: 'eve', clientId: 'eve1' }), eve => eve.endAsync(true))
    await eve.subscribeAsync(['roombus/r/+/json/#', 'roombus/r/den/+/+', 'roombus/u/eve/#'], { qos: 1 })

    for (const filter of ['#', '+/#', '+/+/+/+/+', 'roombus/#', 'roombus/+/alice/#', 'roombus/u/#', 'roombus/u/+/+/reply/#', 'roombus/u/alice/#',
      'roombus/u/alice/alice-1/event/#', 'roombus/bus/#', 'roombus/admin/#', 'roombus/hook/call/#', '$SYS/#', '$CONTROL/#',
      '$share/g/roombus/r/+/json/#', '$share/g/#', '$share/g/roombus/u/alice/#']) {
      await t.test(`subscribing ${filter}`, () => assert.rejects(eve.subscribeAsync(filter, { qos: 1 }), /Not authorized/))
    }
    for (const [topic, options] of [['roombus/r/den/json/roomMessage'], ['roombus/u/alice/alice-1/send/den'], ['roombus/u/alice/alice-1/call/roomLeave/1'],
      ['roombus/u/alice/alice-1/status', { retain: true }], ['roombus/u/alice/alice-1/reply/1'], ['roombus/u/alice/alice-1/event/roomMessage'],
      ['roombus/u/alic%65/alice-1/send/den'], ['roombus/u/eve/../alice/alice-1/send/den'], ['roombus/bus/plugin/events'], ['roombus/admin/reply/alice/alice-1/1'],
      ['roombus/admin/call/eve/eve1/addRoom/1'], ['roombus/hook/reply/x/1'], ['$CONTROL/roombus/v1'], ['$SYS/broker/uptime'],
      ['roombus/u/eve/eve1/send/den', { retain: true }], ['roombus/u/eve/eve1/call/roomJoin/1', { retain: true }]]) {
      await t.test(`publishing ${topic} ${JSON.stringify(options ?? {})}`, () => assert.rejects(
        eve.publishAsync(topic, '{"forged":true}', { qos: 1, properties: { userProperties: { user: 'alice', client: 'alice-1' } }, ...options }),
        /Not authorized/))
    }
    await t.test('logins', async () => {
      for (const login of [{ username: 'roombus' }, { username: 'roombus', password: 'guess' }, {}, { username: 'a/b' }, { username: '+' }, { username: 'a%2Fb' },
        { username: 'eve', clientId: 'alice-1' }, { username: 'eve', clientId: 'a/b' }]) {
        await assert.rejects(client(broker.address, { clientId: 'x1', ...login }), /./, JSON.stringify(login))
      }
      assert.ok(alice.mqtt.connected)
    })
    await t.test('a will', async () => {
      const dying = await client(broker.address, {
        username: 'eve', clientId: 'eve2', will: { topic: 'roombus/r/den/json/roomMessage', payload: Buffer.from('{"forged":true}'), qos: 1, retain: true }
      }).catch(() => undefined)
      dying?.stream.destroy()
    })
    await t.test('user properties say nothing about who it is', async () => {
      await eve.publishAsync('roombus/u/eve/eve1/call/listOwnSockets/9', '[]', { qos: 1, properties: { userProperties: { user: 'alice' } } })
      const reply = await eventually(() => eve.got.find(m => m.topic === 'roombus/u/eve/eve1/reply/9'), 'the reply')
      // eve2, whose will was refused, may not be gone yet
      const own = Object.keys(JSON.parse(reply.text).result).filter(id => id !== 'mqtt#eve/eve2')
      assert.deepEqual(own, ['mqtt#eve/eve1'])
    })
    await alice.send('den', { secret: 1 })
    assert.equal((await alice.message('den')).secret, 1, 'the forged ones did not come')
    await eve.publishAsync('roombus/u/eve/eve1/call/listOwnSockets/10', '[]', { qos: 1 })
    await eventually(() => eve.got.some(m => m.topic.endsWith('/reply/10')), 'a reply behind the message')
    assert.deepEqual(eve.got.filter(m => m.topic.startsWith('roombus/r/')), [])
    const late = ends(await Device.connect(service, { user: 'bob', version: 5 }), late => late.close())
    await late.call('listOwnSockets')
    assert.deepEqual(late.received.peek(i => i.room), [], 'nothing was kept by the broker')
  }))

  scenario('nothing of a room comes after its removal was acknowledged', {}, async world => {
    const owner = await world.browser('owner')
    const guest = await world.device('guest', { version: 5 })
    await owner.call('roomCreate', 'den', false)
    await owner.call('roomJoin', 'den')
    for (let round = 1; round <= 20; ++round) {
      await guest.call('roomJoin', 'den')
      const flood = Array.from({ length: 50 }, (_, n) => owner.call('roomMessage', 'den', { round, n }))
      await owner.call('roomAddToList', 'den', 'blacklist', ['guest'])
      flood.push(...Array.from({ length: 50 }, (_, n) => owner.call('roomMessage', 'den', { round, after: n })))
      await Promise.all(flood)
      await owner.call('roomRemoveFromList', 'den', 'blacklist', ['guest'])
      await guest.call('listOwnSockets')
      const seen = guest.received.peek(i => i.name === 'roomMessage' && i.payload.round === round)
      assert.deepEqual(seen.filter(i => i.payload.after !== undefined), [], `round ${round}`)
      await assert.rejects(guest.call('roomMessage', 'den', {}), chatError('notJoined', 'den'))
    }
  })

  test('restarts and silence of the bridge', { timeout: 60000 }, t => ending(async ends => {
    const broker = ends(await startPluginBroker(), broker => broker.stop())
    const times = '[chat]\nheartbeat_rate = 400\nheartbeat_timeout = 2000\n'
    const start = async () => ends(await startRoombus({ mqtt: null, config: broker.config + times }), service => service.stop())
    const service = await start()
    const other = ends(await client(broker.address, { username: 'other', password: 'secret', clientId: 'other1' }), other => other.endAsync(true))
    const bob = ends(await Device.connect({ mqtt: broker.address }, { user: 'bob', birth: false }), bob => bob.close())
    await bob.call('roomCreate', 'den', false)
    await bob.call('roomJoin', 'den')
    const say = async text => {
      await other.publishAsync('roombus/r/den/json/roomMessage', JSON.stringify({ text }), { qos: 1 })
      // what follows on another topic of the device shows that the message was decided on
      await other.publishAsync(`${bob.base}/event/mark`, JSON.stringify({ text }), { qos: 1 })
      await bob.notified('mark', p => p.text === text)
      return bob.received.peek(i => i.name === 'roomMessage' && i.payload.text === text).length
    }
    assert.equal(await say('granted'), 1)

    await t.test('a bridge that is silent lets nobody read, and devices begin anew', async () => {
      process.kill(service.pid, 'SIGSTOP')
      let n = 0
      await eventually(async () => await say(`stopped ${++n}`) === 0, 'the end of the grant', paced(6000))
      process.kill(service.pid, 'SIGCONT')
      await eventually(async () => (await bob.call('listOwnSockets'))[bob.id].length === 0, 'a new life')
      assert.equal(await say('awake'), 0, 'joined to nothing')
      await bob.call('roomJoin', 'den')
      assert.equal(await say('joined'), 1)
    })
    await t.test('a crashed bridge', async () => {
      await service.crash()
      let n = 0
      await eventually(async () => await say(`crashed ${++n}`) === 0, 'the end of the grant', paced(6000))
      while (bob.waiting('loginConfirmed').length) await bob.notified('loginConfirmed')
      await start()
      await bob.notified('loginConfirmed')
      assert.equal(await say('back'), 0, 'joined to nothing yet')
      await bob.call('roomCreate', 'den', false)
      await bob.call('roomJoin', 'den')
      assert.equal(await say('joined again'), 1)
    })
  }))

  test('accounts of a password file', { timeout: 60000 }, () => ending(async ends => {
    const broker = ends(await startPluginBroker({ devices: account('alice', 'wonder') + account('bob', 'builder') }), broker => broker.stop())
    const alice = ends(await client(broker.address, { username: 'alice', password: 'wonder', clientId: 'c1' }), alice => alice.endAsync(true))
    await assert.rejects(client(broker.address, { username: 'alice', password: 'wrong', clientId: 'c2' }))
    await assert.rejects(client(broker.address, { username: 'alice', clientId: 'c2' }))
    await assert.rejects(client(broker.address, { username: 'eve', password: 'wonder', clientId: 'c2' }))
    await assert.rejects(client(broker.address, { username: 'bob', password: 'builder', clientId: 'c1' }), /./, 'the client id of another user')
    // the client level is its own here, too
    await assert.rejects(alice.publishAsync('roombus/u/alice/c2/send/den', '{}', { qos: 1 }), /Not authorized/)
    await assert.rejects(alice.subscribeAsync('roombus/u/alice/+/event/#', { qos: 1 }), /Not authorized/)
    await alice.publishAsync('roombus/u/alice/c1/send/den', '{}', { qos: 1 })
  }))
}
