// What the contract says about the server API on all instances, with two of them over one Redis and one broker. Each
// title begins with the ids of the statements that it proves (tests/contract_statements). Contract §8.

import assert from 'node:assert/strict'
import test from 'node:test'
import { startTopology } from '../topology/topology.mjs'
import { Api } from './support/api.mjs'
import { Browser } from './support/browser.mjs'
import { eventually, within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'

/** A test with two instances and a key for each. */
function twice (body) {
  return async () => {
    const topology = await startTopology({ instances: 2 })
    try {
      await body(topology, topology.instances.map(one => new Api(one, topology.key)))
    } catch (error) {
      for (const one of topology.instances) console.error(`--- output of ${one.name}\n${one.output.slice(-10000)}---`)
      throw error
    } finally {
      await topology.close()
    }
  }
}

test('8.16 disconnectUserSockets closes the connections of a user on every instance', { timeout: 100000 }, twice(async (topology, [here, there]) => {
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
