// ejabberd of Debian with the rules of deploy/brokers/ejabberd.yml: the main job, attacks, and what docs/brokers.md says of its nodes.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { eventually } from '../e2e/support/deadline.mjs'
import { attacks, mainJob, rawClient, tries } from '../e2e/support/foreign_broker.mjs'
import { startRoombus } from '../e2e/support/roombus.mjs'
import { ejabberd, startEjabberd } from './ejabberd.mjs'

const skip = ejabberd ? false : 'ejabberd is not installed (scripts/install-brokers)'

test('rooms over ejabberd', { skip, timeout: 150000 }, async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-ejabberd-'))
  const broker = await startEjabberd(folder, { brokerNodes: 2, devices: ['alice', 'bob'] })
  const [node, other] = broker.nodes
  let service
  try {
    service = await startRoombus({
      mqtt: null,
      config: `[mqtt]\nbroker = "tcp://${node.address}"\nprofile = "ejabberd"\nidentity = "acl"\nusername = "roombus"\npassword = "secret"\noffline_grace = 200\n`
    })
    // devices at the other node than roombus
    service.mqtt = other.address
    await t.test('the main job', t => mainJob(service, t))
    await t.test('attacks', t => attacks(service, t, {
      // a client of 3.1.1 is told 0x8F, which is no answer there
      login: { username: 'bob', password: 'bob-pw', clientId: 'bob', protocolVersion: 5 },
      eavesdrops: ['#', 'roombus/#', 'roombus/u/#', 'roombus/u/+/+/room/#', 'roombus/u/alice/#', 'roombus/u/ALICE/alice/#', 'roombus/u/alice/alice/#', 'roombus/bus/#', '+/u/alice/#',
        '$SYS/#', '$share/g/roombus/u/alice/#', '$share/g/#'],
      forgeries: [['roombus/u/alice/alice/send/vault'], ['roombus/u/alice/alice/call/roomLeave/1'], ['roombus/u/alice/alice/status', { retain: true }],
        ['roombus/u/alice/alice/room/vault/roomMessage'], ['roombus/u/alice/alice/reply/1'], ['roombus/u/alice/alice/event/roomMessage'],
        ['roombus/u/alice/alice/room/vault/roomMessage', { retain: true }], ['roombus/bus/all'], ['roombus/u/ALICE/alice/send/vault'], ['$SYS/broker/uptime']]
    }))
    await t.test('a user level in capitals is nobody', async () => {
      const ignored = () => service.metric('roombus_mqtt_ignored_total', 'levels')
      const before = await ignored()
      const bob = await rawClient(service.mqtt, { username: 'bob', password: 'bob-pw', clientId: 'bob' })
      await tries(bob, 'roombus/u/BOB/bob/call/listOwnSockets/1', '[]')
      await eventually(async () => await ignored() > before, 'the request being ignored')
      bob.end(true)
    })
    await t.test('client ids are each user\'s own', async () => {
      const alice = await rawClient(service.mqtt, { username: 'alice', password: 'alice-pw', clientId: 'phone' })
      const bob = await rawClient(node.address, { username: 'bob', password: 'bob-pw', clientId: 'phone' })
      await alice.subscribeAsync('roombus/u/alice/phone/#')
      await bob.subscribeAsync('roombus/u/bob/phone/#')
      assert.ok(alice.connected && bob.connected)
      alice.end(true)
      bob.end(true)
    })
  } catch (error) {
    console.error(`--- ejabberd\n${node.output.slice(-4000)}\n--- roombus\n${service?.output.slice(-8000)}`)
    throw error
  } finally {
    await service?.stop()
    await Promise.all(broker.nodes.map(each => each.kill()))
    await broker.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})
