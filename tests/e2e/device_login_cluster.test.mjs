// Two instances over one Mosquitto with our plugin: what a token limits holds whoever serves the device.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { startRedis } from '../topology/redis.mjs'
import { callAgain } from './support/again.mjs'
import { chatError } from './support/chat_error.mjs'
import { within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { ending } from './support/ending.mjs'
import { divided } from './support/partitions.mjs'
import { plugin, startPluginBroker } from './support/plugin_broker.mjs'
import { startRoombus } from './support/roombus.mjs'
import { beforeTheEnd, ended, secret, token } from './support/tokens.mjs'

const hasRedis = (() => {
  try { execFileSync('redis-server', ['--version']); return true } catch { return false }
})()

test('limits and ends of tokens with several instances', {
  timeout: 90000, skip: !plugin || !hasRedis ? 'no plugin or no Redis here' : false
}, () => ending(async ends => {
  const folder = ends(await mkdtemp(path.join(tmpdir(), 'roombus-device-cluster-')), folder => rm(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'secret')
  await writeFile(file, secret)
  const redis = await startRedis(folder)
  for (const node of redis.nodes) ends(node, node => node.kill())
  const broker = ends(await startPluginBroker({
    devices: '', options: `plugin_opt_jwt_secret_file ${file}\nplugin_opt_jwt_leeway 0\n`
  }), broker => broker.stop())
  const config = broker.config + redis.config + `[auth.jwt]\nsecret_file = "${file}"\nleeway = 0\n` +
    '[chat]\nheartbeat_rate = 400\nheartbeat_timeout = 2000\nlock_ttl = 2000\n' +
    '[[room]]\nname = "den"\nenable_userlist_updates = true\n[[room]]\nname = "hall"\n'
  const instance = async id =>
    ends(await startRoombus({ dev: false, mqtt: null, config: `${config}[instance]\nid = "${id}"\n` }), service => service.stop())
  const instances = [await instance('one'), await instance('two')]
  const connect = async (user, claims) =>
    ends(await Device.connect({ mqtt: broker.address }, { user, version: 5, password: token({ sub: user, ...claims }) }), device => device.close())
  const staysWithinLimits = async device => {
    // it may be changing hands
    const call = async (command, ...args) =>
      (await callAgain(device, command, args, { transient: ['unavailable', 'timeout', 'invalidSocket'], ms: 30000 })).result
    assert.equal(await call('roomJoin', 'den'), 1)
    await assert.rejects(call('roomJoin', 'hall'), chatError('notAllowed'))
    await assert.rejects(call('roomMessage', 'den', { a: 1 }), chatError('notAllowed'))
  }

  // some of them are served by the one, some by the other
  await divided(instances)
  const limited = []
  for (let i = 0; i < 12; ++i) limited.push(await connect(`user${i}`, { roombus: { join: ['den'], publish: [] } }))
  await Promise.all(limited.map(staysWithinLimits))
  const served = await Promise.all(instances.map(instance => instance.metric('roombus_mqtt_connections')))
  assert.ok(served.every(count => count > 0), `each serves some: ${served}`)
  await instances[0].crash()
  await Promise.all(limited.map(staysWithinLimits))
  const { exp, prepared: lasts } = await beforeTheEnd(exp => connect('ending', { exp, roombus: { join: ['den'] } }))
  await ended(exp)
  await within(lasts.closed, 'the end of the token')
}))
