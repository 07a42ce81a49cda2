// The compose file at work: `docker compose up -d --wait`, then `node tests/topology/compose.mjs`. Two instances are one
// service, one of them and Redis die, nothing is lost. With MQTT_IDENTITY=plugin in both commands: over our plugin.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { Browser } from '../e2e/support/browser.mjs'
import { eventually } from '../e2e/support/deadline.mjs'
import { Device } from '../e2e/support/device.mjs'

const PATIENCE_MS = 60000
const at = port => ({ url: `http://127.0.0.1:${port}`, mqtt: `127.0.0.1:${process.env.MQTT_PORT ?? 1883}` })
const services = [at(process.env.HTTP_PORT ?? 8000), at(process.env.HTTP_PORT_2 ?? 8002)]
const withPlugin = process.env.MQTT_IDENTITY === 'plugin'
const compose = (...words) => execFileSync('docker', ['compose', ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
const ready = service => fetch(`${service.url}/readyz`).then(answer => answer.status === 200, () => false)

for (const service of services) await eventually(() => ready(service), `${service.url} being ready`, PATIENCE_MS)
const room = `den ${process.pid}`
const ann = await Browser.connect(services[0], { user: 'ann' })
let ben = await Browser.connect(services[1], { user: 'ben' })
const sensor = await Device.connect(services[0], { user: 'sensor', client: 'sensor-1', shared: withPlugin })
await ann.call('roomCreate', room, false)
for (const member of [ann, ben, sensor]) await member.call('roomJoin', room)
for (const sender of [ann, ben, sensor]) {
  const id = await sender.call('roomMessage', room, { from: sender.user })
  for (const member of [ann, ben, sensor]) assert.equal((await member.message(room, m => m.from === sender.user)).id, id)
}
if (!withPlugin) {
  execFileSync('mosquitto_pub', ['-h', '127.0.0.1', '-p', sensor.mqtt.options.port, '-u', 'sensor', '-i', 'once', '-q', '1',
    '-t', `roombus/u/sensor/sensor-1/send/${room.replace(' ', '%20')}`, '-m', '{"once":true}'].map(String))
  await ben.message(room, m => m.once)
}
const { closed } = ben
compose('kill', 'bridge2')
await closed
await ann.call('roomMessage', room, { alone: true })
await sensor.message(room, m => m.alone)
const before = await ann.call('roomRecentHistory', room)
compose('restart', 'redis')
await eventually(() => ann.call('roomRecentHistory', room).then(history => {
  assert.deepEqual(history, before)
  return true
}, error => {
  if (error.name === 'AssertionError') throw error
  return false
}), 'the history after the restart of Redis', PATIENCE_MS)
compose('start', 'bridge2')
await eventually(() => ready(services[1]), 'the second instance being back', PATIENCE_MS)
ben = await Browser.connect(services[1], { user: 'ben' })
await ben.call('roomJoin', room)
assert.deepEqual((await ann.call('roomGetAccessList', room, 'userlist')).sort(), ['ann', 'ben', 'sensor'])
await ben.call('roomMessage', room, { back: true })
for (const member of [ann, sensor]) await member.message(room, m => m.back)
await sensor.close()
ann.close()
ben.close()
console.log('the compose file works')
process.exit(0)
