// RabbitMQ of Debian with the rules of deploy/brokers, and asking roombus instead.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { binary } from './support/cli.mjs'
import { attacks, mainJob } from './support/foreign_broker.mjs'
import { rabbitmq, startRabbitmq } from './support/other_brokers.mjs'
import { freePort, startRoombus } from './support/roombus.mjs'

const skip = rabbitmq ? false : 'RabbitMQ is not installed (Debian package rabbitmq-server)'

const eavesdrops = ['#', 'roombus/#', 'roombus/u/#', 'roombus/u/+/+/room/#', 'roombus/u/alice/#', 'roombus/u/alice/alice/#', 'roombus/bus/#', '+/u/alice/#',
  'roombus.u.alice.#', 'roombus/u/bob/../alice/#', '$SYS/#']
const forgeries = [['roombus/u/alice/alice/send/vault'], ['roombus/u/alice/alice/call/roomLeave/1'], ['roombus/u/alice/alice/status', { retain: true }],
  ['roombus/u/alice/alice/room/vault/roomMessage'], ['roombus/u/alice/alice/reply/1'], ['roombus/u/alice/alice/event/roomMessage'],
  ['roombus/u/alice/alice/room/vault/roomMessage', { retain: true }], ['roombus/bus/all'], ['roombus.u.alice.alice.send.vault'],
  ['roombus/u.alice.alice/send/vault']]

async function withBroker (t, { authUrl, config = '', admin }, body) {
  const broker = await startRabbitmq({ authUrl })
  let service
  try {
    service = await startRoombus({
      mqtt: null,
      admin,
      config: `[mqtt]\nbroker = "tcp://${broker.address}"\nprofile = "rabbitmq"\nidentity = "acl"\nusername = "roombus"\npassword = "secret"\noffline_grace = 200\n${config}`
    })
    service.mqtt = broker.address
    await body(service)
  } catch (error) {
    console.error(`--- rabbitmq\n${broker.output().slice(-4000)}\n--- roombus\n${service?.output.slice(-8000)}`)
    throw error
  } finally {
    await service?.stop()
    await broker.stop()
  }
}

test('rooms over RabbitMQ with rules of its own', { skip, timeout: 110000 }, t => withBroker(t, {}, async service => {
  await t.test('the main job', t => mainJob(service, t))
  await t.test('attacks', t => attacks(service, t, { eavesdrops, forgeries }))
}))

test('rooms over RabbitMQ that asks roombus', { skip, timeout: 110000 }, async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'roombus-rabbitmq-users-'))
  const hash = user => execFileSync(binary, ['hash-password', '--user', user], { input: `${user}-pw\n`, encoding: 'utf8' })
  writeFileSync(path.join(folder, 'users'), hash('alice') + hash('bob'))
  const port = await freePort()
  try {
    await withBroker(t, {
      authUrl: `http://127.0.0.1:${port}/broker/key/broker-key`,
      admin: `127.0.0.1:${port}`,
      config: `auth_key = "broker-key"\n[auth.password]\nfile = "${path.join(folder, 'users')}"\n`
    }, async service => {
      await t.test('the main job', t => mainJob(service, t))
      await t.test('attacks', t => attacks(service, t, { eavesdrops, forgeries }))
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
