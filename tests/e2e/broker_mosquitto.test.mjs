// Mosquitto without our plugin, with the rules of deploy/brokers.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { attacks, mainJob } from './support/foreign_broker.mjs'
import { deploy } from './support/other_brokers.mjs'
import { account } from './support/plugin_broker.mjs'
import { startMosquitto, startRoombus } from './support/roombus.mjs'

test('rooms over Mosquitto with an access list', { timeout: 100000 }, async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'roombus-acl-'))
  const file = name => path.join(folder, name)
  writeFileSync(file('accounts'), account('roombus', 'secret') + account('alice', 'alice-pw') + account('bob', 'bob-pw'))
  writeFileSync(file('roombus.acl'), readFileSync(path.join(deploy, 'mosquitto.acl')))
  const config = readFileSync(path.join(deploy, 'mosquitto.conf'), 'utf8')
    .replace('listener 1883\n', '').replaceAll('/etc/mosquitto', folder)
  // the files are this user's, whoever it is
  const broker = await startMosquitto((process.getuid() === 0 ? 'user root\n' : '') + config)
  let service
  try {
    service = await startRoombus({
      mqtt: null,
      config: `[mqtt]\nbroker = "tcp://${broker.address}"\nprofile = "mosquitto"\nidentity = "acl"\nusername = "roombus"\npassword = "secret"\noffline_grace = 200\n`
    })
    service.mqtt = broker.address
    await t.test('the main job', t => mainJob(service, t))
    await t.test('attacks', t => attacks(service, t, {
      eavesdrops: ['#', 'roombus/#', 'roombus/u/#', 'roombus/u/+/+/room/#', 'roombus/u/alice/#', 'roombus/u/alice/alice/#', 'roombus/bus/#', '+/u/alice/#',
        '$share/g/roombus/u/alice/#', '$share/g/#'],
      forgeries: [['roombus/u/alice/alice/send/vault'], ['roombus/u/alice/alice/call/roomLeave/1'], ['roombus/u/alice/alice/status', { retain: true }],
        ['roombus/u/alice/alice/room/vault/roomMessage'], ['roombus/u/alice/alice/reply/1'], ['roombus/u/alice/alice/event/roomMessage'],
        ['roombus/u/alice/alice/room/vault/roomMessage', { retain: true }], ['roombus/bus/all'], ['$SYS/broker/uptime']]
    }))
  } catch (error) {
    console.error(`--- roombus\n${service?.output.slice(-8000)}`)
    throw error
  } finally {
    await service?.stop()
    await broker.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
