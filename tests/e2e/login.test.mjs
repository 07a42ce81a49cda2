// Nobody in without a login method, and only by name, from here, with --dev.

import assert from 'node:assert/strict'
import { Browser, versions } from './support/browser.mjs'
import { errorText } from './support/chat_error.mjs'
import { within } from './support/deadline.mjs'
import { Device } from './support/device.mjs'
import { scenario } from './support/scenario.mjs'

async function rejected (service, options) {
  const browser = new Browser(service, options)
  try {
    const { name, args } = await browser.received.take(i => i.name.startsWith('login'), 'answer to the login')
    assert.equal(name, 'loginRejected')
    await within(browser.closed, 'disconnect after loginRejected')
    return args[0]
  } finally {
    browser.close()
  }
}

scenario('--dev takes the user name from query or auth', { mqtt: false }, async (world, t) => {
  for (const version of versions) {
    await t.test(`socket.io ${version}`, async () => {
      for (const query of [{ user: 'alice' }, { userName: 'alice' }]) {
        const browser = await world.browser(undefined, { version, query })
        const [id] = Object.keys(await browser.call('listOwnSockets')).slice(-1)
        assert.equal(typeof id, 'string')
        assert.ok(browser.id in await browser.call('listOwnSockets'))
        if (version === 2) assert.match(browser.id, /^\/chat-service#/)
        assert.equal(browser.socket.id, browser.id)
      }
      assert.equal(await rejected(world.service, { version, query: {} }), errorText('noLogin'))
      assert.equal(await rejected(world.service, { version, query: { user: '' } }), errorText('noLogin'))
      assert.equal(await rejected(world.service, { version, user: 'a:b' }), errorText('invalidName', ['a:b']))
      assert.equal(await rejected(world.service, { version, user: 'x'.repeat(257), transports: ['polling'] }).then(text => text.slice(0, 30)),
        errorText('invalidName', ['x'.repeat(257)]).slice(0, 30))
    })
  }
  for (const version of [3, 4]) {
    const browser = await world.browser(undefined, { version, query: {}, auth: { user: 'bob' } })
    assert.ok(browser.id in await browser.call('listOwnSockets'))
  }
})

scenario('loginConfirmed carries user and id, on every transport', { mqtt: false }, async world => {
  for (const version of versions) {
    for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
      const browser = new Browser(world.service, { user: `u${version}`, version, transports })
      world.atEnd(() => browser.close())
      const [user, data] = await browser.notified('loginConfirmed')
      assert.equal(user, `u${version}`)
      assert.deepEqual(data, { id: browser.socket.id })
      if (transports.length > 1) {
        await browser.call('listOwnSockets')
        if (browser.transport !== 'websocket') {
          await within(new Promise(resolve => browser.socket.io.engine.once('upgrade', resolve)), 'upgrade')
        }
      }
      assert.equal(browser.transport, transports.at(-1))
      await browser.call('listOwnSockets')
    }
  }
})

scenario('another namespace is refused', { mqtt: false }, async world => {
  for (const version of versions) {
    const browser = new Browser(world.service, { user: 'alice', version, namespace: '/random' })
    const { args: [error] } = await browser.received.take(i => i.name === 'loginRejected', 'refusal')
    assert.equal(error.message ?? error, 'Invalid namespace')
    browser.close()
  }
})

scenario('raw errors are objects where the configuration says so', {
  mqtt: false, config: '[chat]\nuse_raw_error_objects = true\n'
}, async world => {
  assert.deepEqual(await rejected(world.service, { query: {} }), { name: 'ChatServiceError', code: 'noLogin', args: [] })
})

scenario('without a login method every login is rejected', { dev: false, mqtt: false }, async world => {
  for (const version of versions) {
    assert.match(await rejected(world.service, { version, user: 'alice' }), /^ChatServiceError: /)
  }
})

scenario('without a login method no device acts for a user', { dev: false }, async world => {
  const device = await Device.connect(world.service, { user: 'alice', birth: false }).catch(error => error)
  if (device instanceof Error) return // refused by the broker already
  world.atEnd(() => device.close())
  const outcome = await device.call('roomCreate', 'den', false).then(() => 'served', error => error)
  assert.notEqual(outcome, 'served')
})
