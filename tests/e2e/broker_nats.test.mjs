// nats-server of Debian with the rules of deploy/brokers/nats.conf.

import test from 'node:test'
import { attacks, mainJob } from './support/foreign_broker.mjs'
import { nats, startNats } from './support/other_brokers.mjs'
import { startRoombus } from './support/roombus.mjs'

const skip = nats ? false : 'nats-server is not installed (Debian package nats-server)'

test('rooms over NATS', { skip, timeout: 100000 }, async t => {
  const broker = await startNats()
  let service
  try {
    service = await startRoombus({
      mqtt: null,
      config: `[mqtt]\nbroker = "tcp://${broker.address}"\nprofile = "nats"\nidentity = "acl"\nusername = "roombus"\npassword = "secret"\noffline_grace = 200\n`
    })
    service.mqtt = broker.address
    await t.test('the main job', t => mainJob(service, t))
    await t.test('attacks', t => attacks(service, t, {
      eavesdrops: ['#', 'roombus/#', 'roombus/u/#', 'roombus/u/+/+/room/#', 'roombus/u/alice/#', 'roombus/u/alice/alice/#', 'roombus/bus/#', '+/u/alice/#',
        '$MQTT/#', '$MQTT/sub/#', '$MQTT/sub/+', '$MQTT/msgs/#', '$JS/#', '$SYS/#', '$KV/#', '_INBOX/#'],
      forgeries: [['roombus/u/alice/alice/send/vault'], ['roombus/u/alice/alice/call/roomLeave/1'], ['roombus/u/alice/alice/status', { retain: true }],
        ['roombus/u/alice/alice/room/vault/roomMessage'], ['roombus/u/alice/alice/reply/1'], ['roombus/u/alice/alice/event/roomMessage'],
        ['roombus/u/alice/alice/room/vault/roomMessage', { retain: true }], ['roombus/bus/all'],
        ['$MQTT/msgs/roombus/u/alice/alice/send/vault'], ['$JS/API/STREAM/DELETE/$MQTT_msgs'], ['$JS/API/STREAM/PURGE/$MQTT_msgs']]
    }))
  } catch (error) {
    console.error(`--- nats-server\n${broker.output().slice(-4000)}\n--- roombus\n${service?.output.slice(-8000)}`)
    throw error
  } finally {
    await service?.stop()
    await broker.stop()
  }
})
