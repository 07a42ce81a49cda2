// What one account with valid credentials can do to a broker with our plugin, and to those who share it.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'
import { eventually, within } from './support/deadline.mjs'
import { ending } from './support/ending.mjs'
import { account, plugin, startPluginBroker } from './support/plugin_broker.mjs'
import { delivery } from './support/roombus.mjs'

const mqtt = createRequire(import.meta.url)('mqtt')

/** An MQTT 5 client; rejects with the broker's answer when it is refused. */
async function connect (address, options) {
  const made = mqtt.connect(`mqtt://${address}`, { protocolVersion: 5, reconnectPeriod: 0, ...options })
  made.on('error', () => {})
  await within(new Promise((resolve, reject) => {
    made.once('connect', resolve)
    made.once('error', reject)
    made.once('close', () => reject(new Error('closed')))
  }), 'connection').catch(error => {
    made.end(true)
    throw error
  })
  return made
}

const bridge = { username: 'roombus', password: 'secret', clientId: 'watcher' }

if (plugin === undefined || delivery !== 'broker') {
  test('limits of the plugin', { skip: 'no plugin in this build or run' }, () => {})
} else {
  test('nobody fills the broker with kept statuses', { timeout: 60000 }, () => ending(async ends => {
    const broker = ends(await startPluginBroker(), broker => broker.stop())
    const long = Buffer.alloc(100_000, 'x')
    const ballast = { userProperties: { a: 'x'.repeat(60_000) }, contentType: 'x'.repeat(60_000), correlationData: long.subarray(0, 60_000) }
    const topic = client => `roombus/u/eve/${client}/status`
    for (let i = 0; i < 20; ++i) {
      const eve = await connect(broker.address, { username: 'eve', clientId: `long${i}` })
      await assert.rejects(eve.publishAsync(topic(`long${i}`), long, { qos: 1, retain: true }), /Not authorized/)
      await eve.publishAsync(topic(`word${i}`), 'online', { qos: 1, retain: true, properties: ballast })
      await eve.endAsync(true)
    }
    const will = (client, payload) => ({ username: 'eve', clientId: client, will: { topic: topic(client), payload, qos: 1, retain: true, properties: ballast } })
    for (const options of [will('will-long', long.subarray(0, 60_000)), will('will-word', 'offline')]) (await connect(broker.address, options)).stream.destroy()
    const taken = await connect(broker.address, will('will-taken', 'offline'))
    ends(await connect(broker.address, { username: 'eve', clientId: 'will-taken' }), again => again.endAsync(true))
    await taken.endAsync(true)

    const watcher = ends(await connect(broker.address, bridge), watcher => watcher.endAsync(true))
    const kept = new Map()
    watcher.on('message', (name, payload, packet) => kept.set(name, { text: payload.toString(), properties: packet.properties }))
    await watcher.subscribeAsync('roombus/u/#', { qos: 1 })
    const words = [...Array(20).keys()].map(i => topic(`word${i}`)).concat(topic('will-word'), topic('will-taken'))
    await eventually(() => words.every(name => kept.has(name)), 'the words that were kept')
    assert.deepEqual([...kept.keys()].sort(), words.sort(), 'and nothing else')
    for (const [name, { text, properties }] of kept) {
      assert.ok(text.length <= 16, name)
      assert.deepEqual(Object.keys(properties ?? {}), [], name)
    }
  }))

  test('guesses at passwords are limited, and a bridge gets in all the same', { timeout: 60000 }, () => ending(async ends => {
    const broker = ends(await startPluginBroker({ devices: account('alice', 'right'), options: 'plugin_opt_max_failures 5\n' }), broker => broker.stop())
    const answer = (username, password) => connect(broker.address, { username, password, clientId: 'c1' })
      .then(async client => { await client.endAsync(true); return 'in' }, error => error.code ?? error.message)
    assert.equal(await answer('alice', 'right'), 'in')
    for (let i = 0; i < 5; ++i) assert.equal(await answer('alice', `guess${i}`), 0x87, 'not authorized')
    assert.equal(await answer('alice', 'right'), 'closed', 'not looked at')
    for (let i = 0; i < 20; ++i) assert.notEqual(await answer('roombus', `guess${i}`), 'in')
    assert.equal(await answer('roombus', 'secret'), 'in', 'where everybody has the same address')
  }))

  test('a broker full of devices has room for the bridge', { timeout: 60000 }, () => ending(async ends => {
    const broker = ends(await startPluginBroker({ options: 'plugin_opt_max_connections 3\n' }), broker => broker.stop())
    const enter = async options => ends(await connect(broker.address, options), client => client.endAsync(true))
    for (let i = 0; i < 3; ++i) await enter({ username: 'eve', clientId: `e${i}` })
    await assert.rejects(enter({ username: 'eve', clientId: 'e3' }))
    await enter(bridge)
  }))

  test('nobody keeps a client id of another user, where ids are their own', { timeout: 60000 }, () => ending(async ends => {
    const broker = ends(await startPluginBroker({ options: 'plugin_opt_client_ids own\n' }), broker => broker.stop())
    const enter = async (username, clientId) => ends(await connect(broker.address, { username, clientId }), client => client.endAsync(true))
    for (const id of ['alice-phone', 'alice~phone', 'alice']) await assert.rejects(enter('mallory', id), { code: 0x87 })
    for (const id of ['alice~phone', 'alice']) await enter('alice', id)
  }))
}
