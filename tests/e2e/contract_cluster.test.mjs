// What the contract says about the server API and several instances, with two of them over one Redis and one broker. Each
// title begins with the ids of the statements that it proves (tests/contract_statements). Contract §8.

import assert from 'node:assert/strict'
import test from 'node:test'
import { startTopology } from '../topology/topology.mjs'
import { Api, refused } from './support/api.mjs'
import { Browser } from './support/browser.mjs'
import { eventually, within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { telling } from './support/outputs.mjs'

/** A test with two instances and a key for each. */
function twice (body, config = '') {
  return async () => {
    const topology = await startTopology({ instances: 2, config })
    await telling(topology.instances, body, 10000)(topology, topology.instances.map(one => new Api(one, topology.key)))
      .finally(() => topology.close())
  }
}

test('8.16 disconnectUserSockets closes the connections of a user on every instance', { timeout: 100000 }, twice(async (topology, [here, there]) => {
  await topology.devicesShared()
  const clients = []
  for (const service of topology.instances) {
    clients.push(await Browser.connect(service, { user: 'alice' }))
    clients.push(await Device.connect(service, { user: 'alice', client: `alice-${clients.length}`, ...topology.deviceOptions('alice') }))
  }
  const bob = await Browser.connect(topology.instances[1], { user: 'bob' })
  assert.equal(Object.keys(await bob.call('listOwnSockets')).length, 1)
  await eventually(async () => Object.keys(await here.call('execUserCommand', ['alice', 'listOwnSockets'])).length === 4, 'four connections of alice')
  assert.equal(await here.call('disconnectUserSockets', ['alice']), null)
  for (const one of clients) await within(one.closed, `the end of ${one.id}`)
  await eventually(async () => Object.keys(await there.call('execUserCommand', ['alice', 'listOwnSockets'])).length === 0, 'nobody left')
  assert.deepEqual(Object.keys(await bob.call('listOwnSockets')), [bob.id])
  bob.close()
}))

test('8.31 clusterBusEmit reaches the operators of every instance', { timeout: 100000 }, twice(async (topology, apis) => {
  const streams = await Promise.all(apis.map(api => api.stream('events')))
  for (const [n, api] of apis.entries()) {
    await api.call('clusterBusEmit', [`lunch${n}`, ['soup', { price: n }]])
    for (const stream of streams) assert.deepEqual((await stream.next('clusterBus')).data, { event: `lunch${n}`, args: ['soup', { price: n }] })
  }
  for (const stream of streams) stream.close()
}))

test('8.2 a command as a connection runs on the instance that serves it', { timeout: 100000 }, twice(async (topology, [here]) => {
  const alice = await Browser.connect(topology.instances[1], { user: 'alice' })
  await here.call('addRoom', ['r'])
  assert.equal(await here.call('execUserCommand', [{ userName: 'alice', id: alice.id }, 'roomJoin', 'r']), 1)
  assert.deepEqual(await alice.notified('roomJoinedEcho'), ['r', alice.id, 1])
  assert.equal(await here.call('execUserCommand', [true, 'roomMessage', 'r', { n: 1 }]), 1)
  assert.equal((await alice.message('r')).n, 1)
  assert.deepEqual(await refused(here, 'execUserCommand', [{ userName: 'alice', id: alice.id }, 'roomJoin', 'none']), ['noRoom', 'none'])
  assert.equal(await here.call('execUserCommand', [{ userName: 'alice', id: alice.id }, 'roomLeave', 'r']), 0)
  assert.deepEqual(await here.call('execUserCommand', ['alice', 'listOwnSockets']), { [alice.id]: [] })
  alice.close()
}))

test('8.37 8.38 8.39 heartbeats and connections of every instance are there to be read, and a dead one is recovered without being asked', {
  timeout: 100000
}, twice(async (topology, [here, there]) => {
  const alice = await Browser.connect(topology.instances[0], { user: 'alice' })
  const bob = await Browser.connect(topology.instances[1], { user: 'bob' })
  await here.call('addRoom', ['r', { enableUserlistUpdates: true }])
  for (const one of [alice, bob]) await one.call('roomJoin', 'r')
  const [first, second] = topology.instances.map(one => one.instance)
  for (const api of [here, there]) {
    assert.deepEqual(await api.call('getInstanceSockets', [first]), { [alice.id]: 'alice' })
    assert.deepEqual(await api.call('getInstanceSockets', [second]), { [bob.id]: 'bob' })
    for (const name of [first, second]) assert.ok(Math.abs(await api.call('getInstanceHeartbeat', [name]) - Date.now()) < 60000)
  }
  assert.deepEqual(await there.call('getInstanceSockets', []), { [bob.id]: 'bob' })
  assert.deepEqual(await refused(here, 'instanceRecovery', [first]), ['notAllowed'])
  await topology.instances[1].kill()
  assert.deepEqual(await alice.notified('roomUserLeft'), ['r', 'bob'])
  assert.deepEqual(await alice.call('roomGetAccessList', 'r', 'userlist'), ['alice'])
  assert.equal(await eventually(async () => await here.call('getInstanceHeartbeat', [second]) === null, 'the dead forgotten'), true)
  assert.deepEqual(await here.call('getInstanceSockets', [second]), {})
  alice.close()
}, '[chat]\nheartbeat_rate = 400\nheartbeat_timeout = 3000\n'))
