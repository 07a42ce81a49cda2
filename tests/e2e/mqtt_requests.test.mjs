// How devices ask: both call styles, both encodings, every QoS, and what is refused or ignored.

import assert from 'node:assert/strict'
import test from 'node:test'
import { chatError } from './support/chat_error.mjs'
import { eventually } from './support/deadline.mjs'
import { Device, buffer, roomLevel } from './support/device.mjs'
import { delivery, startMosquitto } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'

scenario('every style, encoding and QoS', {}, async (world, t) => {
  const setup = await world.browser('setup')
  await setup.call('roomCreate', 'den', false)
  for (const [version, style] of [[4, 'id'], [5, 'id'], [5, 'response']]) {
    for (const encoding of ['json', 'cbor']) {
      for (const qos of [0, 1, 2]) {
        const name = `v${version}-${style}-${encoding}-q${qos}`
        await t.test(name, async () => {
          const device = await world.device(name, { version, style, encoding, qos })
          assert.equal(await device.call('roomJoin', 'den'), 1)
          assert.ok(await device.callNamed('roomMessage', { room: 'den', message: { n: qos } }) > 0)
          const [messages, about] = await device.results('roomHistoryGet', 'den', 0, 1, {})
          assert.equal(messages.length, 1)
          assert.equal(about.gap, false)
          assert.equal(device.lastReply.packet.qos, Math.min(qos, 1), 'QoS of the reply')
          assert.ok(!device.lastReply.packet.retain)
          assert.equal((await device.callNamed('roomHistoryGet', { room: 'den', id: 0, limit: 1, options: {} })).length, 1)
          await device.send('den', { sent: name }, { qos })
          assert.equal((await device.message('den', m => m.sent)).sent, name)
          await assert.rejects(device.call('roomJoin', 'nowhere'), chatError('noRoom', 'nowhere'))
          assert.ok(!device.otherEncoding, `answered in ${encoding}`)
          await device.leave()
        })
      }
    }
  }
})

scenario('a bad payload is answered, and the next request is served', {}, async (world, t) => {
  const deep = Buffer.concat([Buffer.alloc(500, 0x81), Buffer.from([0x80])])
  const payloads = {
    'broken JSON': '{"room":', 'a number': '17', text: 'hello', 'two JSON values': '[1][2]', 'invalid UTF-8': Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]),
    'deep JSON': '['.repeat(500) + ']'.repeat(500), 'deep CBOR': deep, 'duplicate keys': '{"room":"a","room":"b"}',
    'truncated CBOR': Buffer.from([0x82, 0x01]), 'CBOR with a number as key': Buffer.from([0xa1, 0x01, 0x02]),
    'a CBOR bignum': Buffer.from([0x81, 0xc2, 0x41, 0x01]), 'a lone surrogate': '["\\ud800"]', null: 'null'
  }
  for (const version of [4, 5]) {
    const device = await world.device('sensor', { version, client: `sensor-v${version}` })
    for (const [name, payload] of Object.entries(payloads)) {
      await t.test(`${name} (MQTT ${version})`, async () => {
        device.otherEncoding = false
        const { error, result } = await device.request('roomJoin', payload)
        assert.equal(result, undefined)
        assert.equal(typeof error.code, 'string')
        assert.ok(Array.isArray(error.args))
        assert.ok(error.text.length > 0)
        assert.deepEqual(Object.keys(await device.call('listOwnSockets')).length > 0, true)
      })
    }
    const unknown = await device.request('roomJoin', JSON.stringify({ room: 'a', colour: 'red' }))
    assert.equal(unknown.error.code, 'badArgument')
    assert.deepEqual((await device.request('listOwnSockets', '')).error, undefined, 'an empty payload is []')
    assert.deepEqual((await device.request('roomJoin', '')).error.args, [1, 0])
    await assert.rejects(device.call('noSuchThing'), chatError('noCommand', 'noSuchThing'))
  }
})

scenario('a response topic outside the own replies is refused', {}, async (world, t) => {
  const victim = await world.device('bob', { version: 5 })
  const alice = await world.device('alice', { version: 5 })
  await alice.call('listOwnSockets')
  const { base } = alice
  const topics = [`${victim.base}/reply/x`, `${victim.base}/event/systemMessage`, `${base}/call/roomCreate/1`, `${base}/status`,
    `${base}/reply`, `${base}/replyx/1`, `${base}/event/x`, `${base}/reply/${'x'.repeat(600)}`, 'roombus/u/alice/other/reply/1']
  for (const responseTopic of topics) {
    await alice.publish(`${base}/call/roomCreate`, '["made",false]',
      { properties: { responseTopic, correlationData: Buffer.from('c') } })
  }
  // requests of one connection run in order: when this one is answered the others are through
  await alice.call('listOwnSockets')
  await victim.call('listOwnSockets')
  assert.deepEqual(victim.strayReplies, [])
  assert.deepEqual(victim.received.peek(i => i.name === 'systemMessage'), [])
  assert.deepEqual(alice.strayReplies, [])
  assert.equal(await world.service.metric('roombus_mqtt_ignored_total', 'response_topic'), topics.length, 'all are counted')

  await t.test('a deeper own reply topic is fine', async () => {
    const reply = await alice.request('listOwnSockets', '[]', { properties: { responseTopic: `${base}/reply/a/b` } })
    assert.ok(alice.id in reply.result)
  })
})

scenario('odd topics are ignored and hurt nobody', {}, async world => {
  const device = await world.device('alice', { version: 5 })
  const { base } = device
  const odd = [`${base}/call`, `${base}/call/`, `${base}/call/roomCreate/1/2`, `${base}/call//1`, `${base}/send/den/more`, `${base}/send/`,
    `${base}/send/d%65n`, `${base}/send/%2f`, `${base}/send/%`, `${base}/nothing`, `${base}/nothing/here`, `${base}/status/x`, `${base}/`,
    'roombus/u/alice', 'roombus/u/alice/', 'roombus/u/alice//call/roomCreate/1', `roombus/u/alice/a b/call/roomCreate/1`,
    `roombus/u/alice/${'x'.repeat(129)}/call/roomCreate/1`, `${base}/call/${'x'.repeat(3000)}/1`]
  for (const topic of odd) {
    const connected = await device.publish(topic, '["odd",false]', { qos: 0 }).then(() => device.mqtt.connected)
    assert.ok(connected, topic)
  }
  const ignored = async () => world.service.metric('roombus_mqtt_ignored_total')
  // with our plugin the broker refuses some of them
  const least = delivery === 'broker' ? 8 : 10
  await eventually(async () => await ignored() >= least, 'counting of what was ignored')
  await device.publish(`${base}/status`, 'what?', { retain: false })
  await device.publish(`${base}/status`, Buffer.from([0xff, 0x00]), { retain: false })
  await device.call('roomCreate', 'den', false)
  await device.call('roomJoin', 'den')
  await assert.rejects(device.call('roomJoin', 'odd'), chatError('noRoom', 'odd'))
  await device.send('den', { after: 'all' })
  assert.equal((await device.message('den')).id, 1)
})

scenario('rooms of any name have one topic level', {}, async (world, t) => {
  const browser = await world.browser('web')
  const device = await world.device('sensor')
  for (const room of ['a/b', '+', '#', '$SYS', 'Küche 1.2', '%41', 'ünï\u0085\ufffe', '~-_', 'room*']) {
    await t.test(JSON.stringify(room), async () => {
      await browser.call('roomCreate', room, false)
      await browser.call('roomJoin', room)
      await device.call('roomJoin', room)
      await device.send(room, { to: room })
      assert.equal((await browser.message(room)).to, room)
      const item = await device.received.take(i => i.name === 'roomMessage' && i.payload.to === room, 'message')
      const level = roomLevel(room)
      assert.equal(item.topic,
        delivery === 'broker' ? `roombus/r/${level}/json/roomMessage` : `${device.base}/room/${level}/roomMessage`)
    })
  }
})

scenario('what send makes of a payload', {}, async world => {
  // a room comes in the encoding that the device used last
  const device = await world.device('sensor', { version: 5, rooms: '+' })
  await device.call('roomCreate', 'den', false)
  await device.call('roomJoin', 'den')
  const cases = [
    ['{"temp":21.5}', { temp: 21.5 }], ['plain text', { textMessage: 'plain text' }], ['42', { textMessage: '42' }],
    ['Größe', { textMessage: 'Größe' }], [Buffer.from([0xa1, 0x61, 0x61, 0x01]), { a: 1 }],
    [Buffer.from([0xa1, 0x61, 0x61]), { data: { type: 'Buffer', data: 'oWFh' } }],
    [Buffer.from([0xff, 0xfe]), { data: { type: 'Buffer', data: '//4=' } }],
    [' \n{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
    ['{"big":18446744073709551615,"exact":0.1}', null]
  ]
  for (const [payload, wanted] of cases) {
    await device.send('den', payload)
    const { id, author, timestamp, ...rest } = await device.message('den')
    // answers come in the encoding that the device used last
    if (rest.data instanceof Uint8Array) rest.data = buffer(rest.data)
    if (wanted) assert.deepEqual(rest, wanted)
    else assert.deepEqual(rest.exact, 0.1)
  }
  const last = device.received.peek().length
  assert.equal(last, device.received.peek(i => i.name !== 'roomMessage').length)
  await device.send('den', '{broken')
  await device.send('nowhere', '{"a":1}')
  await device.send('den', '{"a":"after"}')
  assert.equal((await device.message('den')).a, 'after', 'a broken object and an unknown room are dropped')
  assert.equal(await world.service.metric('roombus_mqtt_failed_sends_total'), 2, 'and counted')
})

scenario('exact numbers survive from device to device', {}, async world => {
  const device = await world.device('sensor')
  await device.call('roomCreate', 'den', false)
  await device.call('roomJoin', 'den')
  const numbers = '"max":18446744073709551615,"min":-9223372036854775808,"third":0.3333333333333333,"half":21.5,"small":5e-324,"one":1'
  await device.send('den', `{${numbers.replace('"one":1', '"one":1.0')}}`)
  const { raw } = await device.received.take(i => i.name === 'roomMessage', 'message')
  assert.ok(raw.toString().startsWith(`{${numbers},`) || raw.toString().includes(numbers), raw.toString())
})

// The retained request must be there before the service is: broker and device come first.
const broker = await startMosquitto()
const waiting = await Device.connect({ mqtt: broker.address }, { user: 'alice', birth: false })
await waiting.publish(`${waiting.base}/call/roomCreate/1`, '["retained",false]', { retain: true })
await waiting.publish(`${waiting.base}/send/den`, '{"retained":true}', { retain: true })

scenario('a retained request on a broker of one\'s own is not run', {
  mqtt: null, config: `[mqtt]\nbroker = "tcp://${broker.address}"\nidentity = "acl"\nprofile = "mosquitto"\n`
}, async world => {
  const device = await world.device('bob', { address: broker.address })
  await assert.rejects(device.call('roomJoin', 'retained'), chatError('noRoom', 'retained'))
  await device.call('roomCreate', 'den', false)
  assert.equal(await device.call('roomJoin', 'den'), 1)
  assert.deepEqual(await device.call('roomRecentHistory', 'den'), [])
  assert.equal(await waiting.call('roomJoin', 'den'), 1, 'the same client\'s live requests are')
})

test.after(async () => {
  await waiting.close()
  await broker.stop()
})
