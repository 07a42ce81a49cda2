// Whatever strangers send, they are refused or cut off, and everybody else is served.

import assert from 'node:assert/strict'
import { chatError } from './support/chat_error.mjs'
import { eventually, within } from './support/deadline.mjs'
import { arrived, closing, frame, rawConnection, rawWebSocket, status } from './support/raw.mjs'
import { scenario } from './support/scenario.mjs'

const MB = 1024 * 1024

/** The service still does its work: a new browser and a new device meet. */
async function stillServes (world) {
  const browser = await world.browser('witness', { version: 2 })
  const device = world.service.mqtt ? await world.device('witness') : null
  await browser.call('roomCreate', 'witness', false)
  await browser.call('roomJoin', 'witness')
  if (device) {
    await device.call('roomJoin', 'witness')
    await device.send('witness', { fine: true })
  } else {
    await browser.call('roomMessage', 'witness', { fine: true })
  }
  assert.equal((await browser.message('witness')).fine, true)
  await browser.call('roomDelete', 'witness')
  browser.close()
  if (device) await device.leave()
}

scenario('broken handshakes and requests get the protocol\'s refusal', { mqtt: false }, async (world, t) => {
  const { http } = world.service
  const get = path => `GET ${path} HTTP/1.1\nHost: ${http}\n\n`
  const upgrade = (path, more) => `GET ${path} HTTP/1.1\nHost: ${http}\nUpgrade: websocket\nConnection: Upgrade\n${more}\n\n`
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
  const cases = {
    'no EIO': [get('/socket.io/?transport=polling'), 400],
    'EIO 5': [get('/socket.io/?EIO=5&transport=polling'), 400],
    'EIO 2': [get('/socket.io/?EIO=2&transport=polling'), 400],
    'no transport': [get('/socket.io/?EIO=4'), 400],
    'unknown transport': [get('/socket.io/?EIO=4&transport=carrier-pigeon'), 400],
    'unknown sid': [get('/socket.io/?EIO=4&transport=polling&sid=nobody'), 400],
    'wrong method': [`PUT /socket.io/?EIO=4&transport=polling HTTP/1.1\nHost: ${http}\nContent-Length: 0\n\n`, 400],
    'handshake by POST': [`POST /socket.io/?EIO=4&transport=polling HTTP/1.1\nHost: ${http}\nContent-Length: 0\n\n`, 400],
    'websocket without an upgrade': [get('/socket.io/?EIO=4&transport=websocket'), 400],
    'upgrade without a key': [upgrade('/socket.io/?EIO=4&transport=websocket', 'Sec-WebSocket-Version: 13'), 400],
    'upgrade with an unknown sid': [upgrade('/socket.io/?EIO=4&transport=websocket&sid=nobody', `Sec-WebSocket-Version: 13\n${key}`), 400],
    'upgrade of version 8': [upgrade('/socket.io/?EIO=4&transport=websocket', `Sec-WebSocket-Version: 8\n${key}`), [400, 426]],
    'no HTTP at all': ['\u0000\u0001\u0002\u0003 what?\n\n', [0, 400]],
    'endless header': [`GET / HTTP/1.1\nHost: x\nX: ${'x'.repeat(100000)}\n\n`, [0, 400, 431]],
    'body over the limit': [`POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\nHost: x\nContent-Length: 50000000\n\n`, [0, 400, 413]],
    'negative length': [`POST /socket.io/?EIO=4&transport=polling HTTP/1.1\nHost: x\nContent-Length: -5\n\n`, [0, 400]],
    'path outside': [get('/../../etc/passwd'), [400, 404]],
    'encoded path outside': [get('/%2e%2e/%2e%2e/etc/passwd'), [400, 404]]
  }
  for (const [name, [head, wanted]] of Object.entries(cases)) {
    await t.test(name, async () => {
      const got = await status(http, head)
      assert.ok([wanted].flat().includes(got), `status ${got}, not ${wanted}`)
    })
  }
  const counted = await world.service.metric('roombus_socketio_bad_input_total')
  assert.ok(counted >= 5, `${counted} bad handshakes counted`)
  await stillServes(world)
})

scenario('bad packets close their own connection only', { mqtt: false }, async (world, t) => {
  const { http } = world.service
  const deep = `42/chat-service,1["systemMessage",${'['.repeat(5000)}${']'.repeat(5000)}]`
  const texts = {
    'unknown engine packet': '9', 'unknown socket packet': '49', 'event that is no array': '42/chat-service,{"a":1}',
    'empty event': '42/chat-service,[]', 'event name that is a number': '42/chat-service,[7]', 'broken JSON': '42/chat-service,["x"',
    'reserved event': '42/chat-service,["disconnect"]', 'deep nesting': deep, 'missing attachment count': '45/chat-service,["x"]',
    'huge attachment count': '45999999999-/chat-service,["x"]', 'negative count': '45-1-/chat-service,["x"]',
    'ack with a huge id': '43/chat-service,99999999999999999999999[]', 'connect with broken auth': '40/chat-service,{', empty: ''
  }
  const tolerable = ['deep nesting', 'event name that is a number', 'ack with a huge id', 'connect with broken auth', 'empty']
  for (const eio of [3, 4]) {
    const connect = eio === 4 ? '40/chat-service,{"user":"mallory"}' : '40/chat-service?user=mallory'
    const open = async () => {
      const socket = await rawWebSocket(http, `EIO=${eio}&transport=websocket&user=mallory`)
      socket.write(frame(1, connect))
      await arrived(socket, /loginConfirmed/)
      return socket
    }
    for (const [name, text] of Object.entries(texts)) {
      await t.test(`${name} (EIO ${eio})`, async () => {
        const socket = await open()
        socket.write(frame(1, text))
        if (tolerable.includes(name)) {
          // a peer may live with these; then it goes on answering
          socket.write(frame(1, '42/chat-service,2["listOwnSockets"]'))
          await Promise.race([closing(socket), arrived(socket, /43\/chat-service,2\[/).catch(() => closing(socket))])
        } else {
          await closing(socket)
        }
        socket.destroy()
      })
    }
    const frames = {
      'unmasked frame': frame(1, 'x', { masked: false }),
      'invalid UTF-8': frame(1, Buffer.concat([Buffer.from('42/chat-service,["x","'), Buffer.from([0xff, 0xfe]), Buffer.from('"]')])),
      'reserved opcode': frame(3, 'x'),
      'binary frame unasked': frame(2, Buffer.from([4, 1, 2, 3])),
      'text instead of an attachment': Buffer.concat([frame(1, '451-/chat-service,["systemMessage",{"_placeholder":true,"num":0}]'), frame(1, '42/chat-service,["x"]')]),
      'placeholder out of range': Buffer.concat([frame(1, '451-/chat-service,["systemMessage",{"_placeholder":true,"num":5}]'), frame(2, Buffer.from([4, 1]))]),
      'more attachments than allowed': frame(1, `45${1000}-/chat-service,["systemMessage",{"_placeholder":true,"num":0}]`),
      'payload over the limit': frame(1, `42/chat-service,["systemMessage","${'x'.repeat(2 * MB)}"]`)
    }
    for (const [name, bytes] of Object.entries(frames)) {
      await t.test(`${name} (EIO ${eio})`, async () => {
        const socket = await open()
        socket.write(bytes)
        await closing(socket)
        socket.destroy()
      })
    }
  }
  const refused = 2 * (Object.keys(texts).length - tolerable.length)
  const counted = await world.service.metric('roombus_socketio_bad_input_total')
  assert.ok(counted >= refused, `${counted} of ${refused} bad packets counted`)
  await stillServes(world)
})

scenario('thousands of half handshakes cost bounded memory', {
  mqtt: false, config: '[http]\nrequest_timeout_ms = 4000\nmax_connections_per_address = 0\n'
}, async (world, t) => {
  const { service } = world
  await stillServes(world)
  const before = await service.residentBytes()
  const sockets = []
  world.atEnd(() => sockets.forEach(socket => socket.destroy()))
  const beginnings = ['', 'G', 'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n',
    'POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n4']
  for (let round = 0; round < 20; ++round) {
    const opened = await Promise.all(Array.from({ length: 100 }, () => rawConnection(service.http)))
    opened.forEach((socket, i) => socket.write(beginnings[i % beginnings.length]))
    sockets.push(...opened)
  }
  // sessions that are opened and never used, and WebSockets that never join a namespace
  for (let i = 0; i < 500; ++i) await service.get(`/socket.io/?EIO=${3 + i % 2}&transport=polling`)
  for (let i = 0; i < 200; ++i) sockets.push(await rawWebSocket(service.http, `EIO=${3 + i % 2}&transport=websocket`))
  await stillServes(world)
  const grown = (await service.residentBytes()) - before
  assert.ok(grown < 100 * MB, `grew by ${(grown / MB).toFixed(1)} MB`)
  await t.test('a half request ends within its time limit', async () => {
    await Promise.all(sockets.slice(0, 4).map(socket => within(socket.ended, 'end of a half request', 20000)))
  })
})

scenario('who never reads is cut off and holds nobody up', { mqtt: false }, async world => {
  const { service } = world
  const talker = await world.browser('talker')
  await talker.call('roomCreate', 'den', false)
  await talker.call('roomJoin', 'den')
  const deaf = await rawWebSocket(service.http, 'EIO=4&transport=websocket')
  deaf.write(frame(1, '40/chat-service,{"user":"deaf"}'))
  await arrived(deaf, /loginConfirmed/)
  deaf.write(frame(1, '42/chat-service,1["roomJoin","den"]'))
  await arrived(deaf, /43\/chat-service,1\[null,1\]/)
  deaf.pause()
  const before = await service.residentBytes()
  const text = 'x'.repeat(200000)
  for (let i = 0; i < 300; ++i) await talker.call('roomMessage', 'den', { text, i })
  const info = await talker.call('roomHistoryInfo', 'den')
  assert.equal(info.lastMessageId, 300)
  // the history itself holds 300 x 200 kB; the deaf connection may hold some MB beside it
  const grown = (await service.residentBytes()) - before
  assert.ok(grown < 250 * MB, `grew by ${(grown / MB).toFixed(1)} MB`)
  await eventually(async () => (await talker.call('roomGetAccessList', 'den', 'userlist')).length === 1, 'the end of the deaf connection')
  deaf.destroy()
  const slow = await service.metric('roombus_socketio_slow_clients_total') + await service.metric('roombus_http_slow_consumers_total')
  assert.ok(slow >= 1, 'the slow client is counted')
})

scenario('bad MQTT payloads and packets hurt nobody', {}, async world => {
  const device = await world.device('alice', { version: 5 })
  await device.call('roomCreate', 'den', false)
  await device.call('roomJoin', 'den')
  for (const payload of ['['.repeat(100000), Buffer.alloc(100000, 0x9f), Buffer.alloc(900000, 0x81), '{"a":'.repeat(20000)]) {
    await device.publish(`${device.base}/call/systemMessage/x`, payload, { qos: 0 })
    await device.publish(`${device.base}/send/den`, payload, { qos: 0 })
  }
  await assert.rejects(device.call('roomJoin', 'nowhere'), chatError('noRoom', 'nowhere'))

  // over every limit: the broker may end the sender's connection
  const mallory = await world.device('mallory')
  const huge = Buffer.alloc(3 * MB, 0x20)
  mallory.mqtt.publish(`${mallory.base}/call/systemMessage/x`, huge, { qos: 0 })
  mallory.mqtt.publish(`${mallory.base}/send/den`, huge, { qos: 1 })
  await Promise.race([mallory.closed, mallory.call('listOwnSockets').catch(error => assert.match(error.message, /no PUBACK/))])

  const raw = await rawConnection(world.service.mqtt)
  raw.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 2]))
  await within(raw.ended, 'close by the broker')
  raw.destroy()
  await stillServes(world)
  const { body, status: code } = await world.service.get('/metrics')
  assert.equal(code, 200)
  assert.match(body, /^# HELP /m)
})
