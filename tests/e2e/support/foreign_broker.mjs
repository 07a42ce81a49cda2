// What must work with any broker: the main job over inbox delivery with MQTT 3.1.1, and that users are kept apart.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { Browser } from './browser.mjs'
import { eventually, within } from './deadline.mjs'
import { connectProbing, joinProbing } from './probe.mjs'

const mqtt = createRequire(import.meta.url)('mqtt')

/** A device of the users that deploy/brokers knows. */
export function device (service, user, client = user) {
  return connectProbing(service, { user, client, password: `${user}-pw` })
}

/** A browser and a device share a room: both ways, history, leaving, going offline, being lost. */
export async function mainJob (service, t) {
  const browser = await Browser.connect(service, { user: 'web' })
  await browser.call('roomCreate', 'the den/ü. 1', false)
  await browser.call('roomJoin', 'the den/ü. 1')
  const room = 'the den/ü. 1'
  const alice = await device(service, 'alice')
  try {
    await t.test('joining is seen by both', async () => {
      await joinProbing(alice, room)
      await browser.notified('roomUserJoined', (r, user) => r === room && user === 'alice')
      assert.deepEqual((await browser.call('roomGetAccessList', room, 'userlist')).sort(), ['alice', 'web'])
    })
    await t.test('messages go both ways, each once and in order', async () => {
      const ids = []
      for (let n = 0; n < 20; ++n) {
        ids.push(await browser.call('roomMessage', room, { from: 'web', n }))
        ids.push(await alice.call('roomMessage', room, { from: 'alice', n, nested: { list: [1, 2.5, null, 'Grüß Gott'] } }))
      }
      const seen = []
      for (const id of ids) {
        const atDevice = await alice.message(room)
        assert.equal(atDevice.id, id)
        assert.deepEqual(await browser.message(room), atDevice)
        seen.push(`${atDevice.author} ${atDevice.n}`)
      }
      assert.deepEqual(seen.slice(0, 3), ['web 0', 'alice 0', 'web 1'])
      await alice.send(room, { temp: 22 })
      const sent = await browser.message(room)
      assert.equal(sent.temp, 22)
      assert.equal(sent.author, 'alice')
      assert.deepEqual(await alice.message(room), sent)
    })
    await t.test('the history is read by the device', async () => {
      const recent = await alice.call('roomRecentHistory', room)
      assert.equal(recent.length, 41)
      assert.deepEqual(recent, await browser.call('roomRecentHistory', room))
      assert.deepEqual((await alice.call('roomHistoryGet', room, 39, 10)).map(m => m.id), [41, 40])
    })
    await t.test('a larger message', async () => {
      const text = 'x'.repeat(100000)
      await browser.call('roomMessage', room, { text })
      assert.equal((await alice.message(room)).text, text)
      await browser.message(room)
    })
    await t.test('a removed device gets nothing more', async () => {
      await browser.call('roomAddToList', room, 'blacklist', ['alice'])
      await alice.notified('roomAccessRemoved')
      await browser.call('roomMessage', room, { secret: true })
      await alice.call('listOwnSockets')
      assert.deepEqual(alice.waiting('roomMessage'), [])
      await browser.call('roomRemoveFromList', room, 'blacklist', ['alice'])
      await joinProbing(alice, room)
    })
    await t.test('a lost connection is told by its will', async () => {
      const left = () => browser.notified('roomUserLeft', (r, user) => r === room && user === 'alice')
      while (browser.waiting('roomUserLeft').length) await left()
      alice.drop()
      await left()
      await eventually(async () => !(await browser.call('roomUserSeen', room, 'alice')).joined, 'alice having left')
    })
    await t.test('a device comes back and goes in good order', async () => {
      const again = await device(service, 'alice')
      await joinProbing(again, room)
      while (browser.waiting('roomUserLeft').length) await browser.notified('roomUserLeft')
      await again.leave()
      await browser.notified('roomUserLeft', (r, user) => user === 'alice')
    })
  } finally {
    await alice.close()
    browser.close()
  }
}

/** An MQTT connection without any courtesy; what arrives is in `got`. */
export async function rawClient (address, options) {
  const client = mqtt.connect(`mqtt://${address}`, { protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 5000, ...options })
  client.got = []
  client.closed = new Promise(resolve => client.on('close', resolve))
  client.on('message', (topic, payload) => client.got.push({ topic, text: payload.toString() }))
  await within(new Promise((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed')))
  }), 'CONNACK').catch(error => {
    client.end(true)
    throw error
  })
  client.on('error', () => {})
  return client
}

/** The same for who may log in: NATS keeps a client id out for a second when it comes and goes quickly. */
export async function patientClient (address, options, ms = 5000) {
  const end = Date.now() + ms
  for (;;) {
    try {
      return await rawClient(address, options)
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
}

/** True when the subscription was refused, by SUBACK or by the end of the connection. */
export async function refuses (client, filter) {
  const granted = client.subscribeAsync(filter, { qos: 1 }).then(grants => grants.some(g => g.qos < 128), () => false)
  return !await within(Promise.race([granted, client.closed.then(() => false)]), `answer to SUBSCRIBE ${filter}`)
}

/** Publishes and waits for the broker's word, be it the end of the connection. */
export function tries (client, topic, payload, options = {}) {
  const sent = client.publishAsync(topic, payload, { qos: 1, ...options }).catch(() => {})
  return within(Promise.race([sent, client.closed]), `answer to PUBLISH ${topic}`)
}

/** What a session of alice's missed must not go to bob, who takes her client id. */
async function takeover (service, browser, t) {
  const session = { clientId: 'alice~p', clean: false }
  const hers = { username: 'alice', password: 'alice-pw', ...session }
  const base = 'roombus/u/alice/alice~p'
  const missed = client => client.got.filter(m => m.topic === `${base}/room/vault/roomMessage`).map(m => JSON.parse(m.text).missed)
  await t.test('bob takes over the session of a device of alice', async () => {
    let alice = await patientClient(service.mqtt, hers)
    assert.equal(await refuses(alice, `${base}/#`), false)
    let n = 0
    await eventually(async () => {
      if (n++ % 50 === 0) await tries(alice, `${base}/call/roomJoin/${n}`, '["vault"]')
      return alice.got.some(m => m.topic.startsWith(`${base}/reply/`))
    }, 'the join')
    // its session keeps what it misses
    alice.end(true)
    await alice.closed
    await browser.call('roomMessage', 'vault', { missed: 1 })
    alice = await patientClient(service.mqtt, hers)
    await eventually(() => missed(alice).includes(1), 'what alice missed')
    alice.end(true)
    await alice.closed
    await browser.call('roomMessage', 'vault', { missed: 2 })
    const bob = await patientClient(service.mqtt, { username: 'bob', password: 'bob-pw', ...session }).catch(() => undefined)
    if (bob) {
      await refuses(bob, 'roombus/u/bob/alice~p/reply/#').catch(() => true)
      // an answer of his own, where the broker lets him have one, shows that what was kept has come before
      await tries(bob, 'roombus/u/bob/alice~p/call/listOwnSockets/mine', '[]')
      await eventually(() => bob.got.some(m => m.topic.endsWith('/reply/mine')), 'a reply for bob', 2000).catch(() => {})
      bob.end(true)
      assert.deepEqual(missed(bob), [])
    }
  })
}

/**
 * Bob tries what is alice's. `eavesdrops`: filters that must bring him nothing; `clientIds`: with these he tries it, too.
 */
export async function attacks (service, t, { eavesdrops, forgeries, clientIds = ['alice~1', '+', '#', 'x|^roombus', 'x|.*', '.*', '../alice/alice', 'bob/../../alice'], login = { username: 'bob', password: 'bob-pw', clientId: 'bob' } }) {
  const browser = await Browser.connect(service, { user: 'web' })
  await browser.call('roomCreate', 'vault', false)
  await browser.call('roomJoin', 'vault')
  const alice = await device(service, 'alice')
  try {
    await joinProbing(alice, 'vault')
    await t.test('logins without the right password', async () => {
      for (const [username, password] of [['alice', 'wrong'], ['alice', undefined], ['roombus', 'guess'], ['nobody', 'x'], ['', '']]) {
        await assert.rejects(rawClient(service.mqtt, { username, password, clientId: username || 'x' }), /./, `${username} ${password}`)
      }
    })
    await t.test('bob can use what is his', async () => {
      const bob = await patientClient(service.mqtt, login)
      assert.equal(await refuses(bob, 'roombus/u/bob/bob/reply/#'), false)
      let n = 0
      await eventually(async () => {
        if (n++ % 50 === 0) await tries(bob, 'roombus/u/bob/bob/call/listOwnSockets/mine', '[]')
        return bob.got.some(m => m.topic === 'roombus/u/bob/bob/reply/mine')
      }, 'a reply for bob')
      bob.end(true)
    })
    for (const filter of eavesdrops) {
      await t.test(`bob reads ${filter}`, async () => {
        const bob = await patientClient(service.mqtt, login)
        const refused = await refuses(bob, filter)
        if (!refused) {
          for (let n = 0; n < 3; ++n) {
            await browser.call('roomMessage', 'vault', { secret: filter, n })
            await alice.message('vault', m => m.n === n && m.secret === filter)
          }
          // whoever listens to everything has it by the time that alice has the answer to another request
          await alice.call('listOwnSockets')
        }
        const got = bob.got.map(m => m.topic)
        bob.end(true)
        assert.deepEqual(got.filter(topic => !topic.startsWith('roombus/u/bob/')), [])
      })
    }
    for (const clientId of clientIds) {
      await t.test(`bob as client ${clientId}`, async () => {
        for (const filter of [`roombus/u/bob/${clientId}/#`, 'roombus/u/alice/#']) {
          const bob = await patientClient(service.mqtt, { ...login, clientId }, 1500).catch(() => undefined)
          if (!bob) return
          if (!await refuses(bob, filter).catch(() => true)) {
            await browser.call('roomMessage', 'vault', { clientId, filter })
            await alice.message('vault', m => m.clientId === clientId && m.filter === filter)
          }
          await tries(bob, 'roombus/u/alice/alice/send/vault', '{"forged":true}')
          const got = bob.got.map(m => m.topic)
          bob.end(true)
          assert.deepEqual(got.filter(topic => topic.startsWith('roombus/u/alice/')), [])
        }
      })
    }
    await takeover(service, browser, t)
    for (const [topic, options] of forgeries) {
      await t.test(`bob writes ${topic} ${JSON.stringify(options ?? {})}`, async () => {
        const bob = await patientClient(service.mqtt, login)
        await tries(bob, topic, topic.includes('/call/') ? '["vault"]' : '{"forged":true}', options)
        bob.end(true)
      })
    }
    await t.test('nothing of it had an effect', async () => {
      await browser.call('roomMessage', 'vault', { last: true })
      await alice.message('vault', m => {
        assert.equal(m.forged, undefined)
        return m.last
      })
      await browser.message('vault', m => {
        assert.equal(m.forged, undefined)
        return m.last
      })
      assert.deepEqual((await browser.call('roomGetAccessList', 'vault', 'userlist')).sort(), ['alice', 'web'])
      assert.ok((await alice.call('listOwnSockets'))[alice.id].includes('vault'), 'joined still')
      assert.deepEqual(alice.received.peek(i => i.payload?.forged), [])
      assert.deepEqual(alice.strayReplies, [])
    })
  } finally {
    await alice.close()
    browser.close()
  }
}
