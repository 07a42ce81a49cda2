// The server API on MQTT: P/admin/call, P/admin/reply, P/admin/events. Design §3.

import assert from 'node:assert/strict'
import { apis, withKeys } from './support/api.mjs'
import { mqttAdmin, onMqtt } from './support/mqtt_admin.mjs'
import { scenario } from './support/scenario.mjs'

scenario('calls are answered on both versions of MQTT and in both encodings', onMqtt, async world => {
  const { all } = apis(world.service)
  for (const [version, encoding] of [[4, 'json'], [5, 'cbor']]) {
    const root = await mqttAdmin(world, 'root', { client: `root-${version}`, version, encoding })
    const room = `room${version}`
    assert.deepEqual(await root.ask('addRoom', { room, state: { owner: 'alice' } }), { result: null })
    assert.deepEqual(await root.ask('hasRoom', [room]), { result: true })
    assert.deepEqual(await root.ask('getInstanceHeartbeat', ['none']), { result: null })
    const batch = await root.ask('batch', [[{ method: 'hasRoom', args: [room] }, { method: 'hasRoom', args: ['x'] }]])
    assert.deepEqual(batch, { result: [{ result: true }, { result: false }] })
    const many = await root.ask('execUserCommand', [{ bypassPermissions: true }, 'roomHistoryGet', room, 0, 1, {}])
    assert.equal(many.extra[0].gap, false)
    assert.equal(await all.call('hasRoom', [room]), true)
  }
})

scenario('a reply can go to a response topic of the caller', onMqtt, async world => {
  const root = await mqttAdmin(world, 'root', { version: 5 })
  const answer = await root.ask('hasRoom', ['default'], { properties: { responseTopic: `${root.reply}/here` } })
  assert.deepEqual(answer, { result: true })
  // a foreign response topic: the call runs, and nothing is published there
  await root.device.subscribe(['roombus/admin/reply/root/#'])
  await root.device.publish(`roombus/admin/call/root/${root.device.client}/addRoom`,
    JSON.stringify({ key: 'key-for-all', args: ['made'] }),
    { properties: { responseTopic: 'roombus/admin/reply/root/other/here', correlationData: Buffer.from('x') } })
  assert.deepEqual(await root.ask('hasRoom', ['made']), { result: true })
  assert.equal(root.device.received.peek(item => item.topic?.endsWith('/other/here')).length, 0)
})

scenario('keys and their levels count on MQTT, too', onMqtt, async world => {
  const root = await mqttAdmin(world, 'root')
  const code = async (...request) => (await root.ask(...request)).error?.code
  assert.equal(await code('listRooms', [], { key: 'wrong' }), 'notAllowed')
  assert.equal(await code('listRooms', [], { payload: '{"args":[]}' }), 'notAllowed')
  assert.equal(await code('listRooms', [], { payload: '[]' }), 'notAllowed')
  assert.equal(await code('listRooms', [], { payload: '{"key":' }), 'badArgument')
  assert.equal(await code('listRooms', [], { payload: '{"key":"key-for-all","arg":[]}' }), 'badArgument')
  assert.equal(await code('addRoom', ['x'], { key: 'key-for-reading' }), 'notAllowed')
  assert.equal(await code('batch', [[{ method: 'addRoom', args: ['x'] }]], { key: 'key-for-reading' }), 'notAllowed')
  assert.deepEqual(await root.ask('hasRoom', ['x'], { key: 'key-for-reading' }), { result: false })
  const { error } = await root.ask('deleteRoom', ['none'])
  assert.deepEqual(error, { code: 'noRoom', args: ['none'], text: 'No such room none' })
  assert.equal(await code('paintRoom', []), 'noCommand')
})

scenario('operator events are published', onMqtt, async world => {
  const { all } = apis(world.service)
  const root = await mqttAdmin(world, 'root')
  await all.call('clusterBusEmit', ['lunch', ['soup']])
  assert.deepEqual(await root.event('clusterBus'), { event: 'lunch', args: ['soup'] })
})

scenario('only mqtt.admins get through the embedded broker, as themselves', onMqtt, async world => {
  const { all } = apis(world.service)
  const root = await mqttAdmin(world, 'root')
  const alice = await world.device('alice', { birth: false })
  const call = room => JSON.stringify({ key: 'key-for-all', args: [room] })
  await alice.publish(`roombus/admin/call/alice/${alice.client}/addRoom/1`, call('by-alice'))
  await alice.publish(`roombus/admin/call/root/${root.device.client}/addRoom/1`, call('as-root'))
  const boss = await world.device('boss', { birth: false })
  await boss.publish(`roombus/admin/call/root/${root.device.client}/addRoom/1`, call('boss-as-root'))
  await boss.publish(`roombus/admin/call/boss/${boss.client}/addRoom/1`, call('by-boss'))
  await alice.subscribe(['roombus/admin/events/#', 'roombus/admin/reply/#']).catch(() => {})
  assert.deepEqual(await root.ask('hasRoom', ['default']), { result: true })
  // what alice and boss sent before was handled (or dropped) before her own connection's next message is answered
  await alice.call('listOwnSockets')
  await boss.call('listOwnSockets')
  const rooms = await all.call('listRooms', [])
  assert.deepEqual(rooms, ['by-boss', 'default'])
  await all.call('clusterBusEmit', ['secret', []])
  await root.event('clusterBus')
  await alice.call('listOwnSockets')
  assert.deepEqual(alice.received.peek(item => item.name === 'other'), [])
})

scenario('without mqtt.admin nobody is answered', withKeys, async world => {
  const { all } = apis(world.service)
  const root = await world.device('root')
  await root.publish(`roombus/admin/call/root/${root.client}/addRoom/1`, JSON.stringify({ key: 'key-for-all', args: ['x'] }))
  await root.call('listOwnSockets')
  assert.equal(await all.call('hasRoom', ['x']), false)
})
