// Where the process may open few files, clients do not take those that it needs for its broker and its operators.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import test from 'node:test'
import { Device } from './support/device.mjs'
import { ending } from './support/ending.mjs'
import { eventually, within } from './support/deadline.mjs'
import { gone, watched } from './support/leftovers.mjs'
import { rawConnection } from './support/raw.mjs'
import { onCompose } from './support/compose_service.mjs'
import { startMosquitto, startRoombus } from './support/roombus.mjs'

const FILES = 200

/** Something between the service and its broker that can cut their connections. */
async function cutter (address) {
  const [host, port] = address.split(':')
  const pairs = new Set()
  const server = net.createServer(from => {
    const to = net.connect(Number(port), host)
    pairs.add(from).add(to)
    ++server.taken
    from.pipe(to).pipe(from)
    for (const socket of [from, to]) {
      socket.setNoDelay(true).on('error', () => {}).on('close', () => { pairs.delete(socket); from.destroy(); to.destroy() })
    }
  })
  server.taken = 0
  watched(server, () => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${server.address().port}`,
    get taken () { return server.taken },
    cut () { for (const socket of pairs) socket.destroy() },
    end () {
      server.close()
      this.cut()
      gone(server)
    }
  }
}

test('who takes all connections cuts off neither broker nor operators', { timeout: 100000, skip: onCompose }, () => ending(async ends => {
  const broker = ends(await startMosquitto(), broker => broker.stop())
  const between = ends(await cutter(broker.address), between => between.end())
  const service = ends(await startRoombus({
    mqtt: null,
    config: `[mqtt]\nbroker = "tcp://${between.address}"\nprofile = "mosquitto"\nidentity = "acl"\n` +
      '[http]\nrequest_timeout_ms = 600000\n[[room]]\nname = "den"\n',
    through: ['prlimit', `--nofile=${FILES / 2}:${FILES}`]
  }), service => service.stop())
  assert.match(service.output, /few_descriptors.*at most (\d+) connections of clients, not 100000/)
  const most = Number(/at most (\d+) connections/.exec(service.output)[1])
  assert.ok(most > FILES / 4 && most < FILES, `${most} of ${FILES}`)

  const operator = async path => {
    const answer = await fetch(`http://${service.admin}${path}`)
    return { status: answer.status, body: await answer.text() }
  }
  const figure = async name => Number(new RegExp(`^${name}\\{listener="http"\\} (\\d+)`, 'm').exec((await operator('/metrics')).body)[1])

  const held = []
  ends(held, held => held.forEach(socket => socket.destroy()))
  for (let i = 0; i < FILES + 100; ++i) held.push(await rawConnection(service.http))
  await eventually(async () => await figure('roombus_http_connections_refused_total') >= FILES + 100 - most, 'refusals')
  assert.equal(await figure('roombus_http_connections'), most)
  await eventually(() => held.filter(socket => !socket.destroyed).length === most, 'the end of the connections that were refused')
  assert.match(service.output, /connections_refused/)
  assert.doesNotMatch(service.output, /accept_failed/)

  const before = between.taken
  between.cut()
  await eventually(() => between.taken > before, 'the link to the broker comes back', 30000)
  await eventually(async () => (await operator('/readyz')).status === 200, 'the service is ready', 30000)
  service.mqtt = broker.address
  const device = ends(await Device.connect(service, { user: 'alice', shared: false }), device => device.close())
  assert.equal(await device.call('roomJoin', 'den'), 1)
  assert.equal(await figure('roombus_http_connections'), most, 'all of them are still held')

  held.forEach(socket => socket.destroy())
  await within(Promise.all(held.map(socket => socket.ended)), 'the end of the attack')
  await eventually(async () => (await service.get('/healthz').catch(() => ({}))).status === 200, 'clients are served again')
}))
