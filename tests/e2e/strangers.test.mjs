// Who has no login cannot keep hooks from those who have: not from being asked about their messages, nor at the login.

import assert from 'node:assert/strict'
import { Browser } from './support/browser.mjs'
import { eventually, within } from './support/deadline.mjs'
import { hooked } from './support/hooked.mjs'
import { frame, rawWebSocket } from './support/raw.mjs'

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** A content filter, and logins by token that take a while; `most` is how many were asked about at a time. */
function decide (server, loginMs) {
  const logins = { running: 0, most: 0 }
  server.hooks.roomMessageBefore = () => ({ error: 'blocked' })
  server.hooks.onConnect = async ({ handshake }) => {
    logins.most = Math.max(logins.most, ++logins.running)
    await pause(loginMs)
    --logins.running
    return handshake.query.token === 'of-alice' ? { userName: 'alice' } : { error: 'who are you' }
  }
  return logins
}

/** A polling session of a stranger, which posts `packets` again and again until it is told to stop. */
async function stranger (service, packets) {
  const base = `${service.url}/socket.io/?EIO=4&transport=polling`
  const open = await (await fetch(base)).text()
  const url = `${base}&sid=${JSON.parse(open.slice(1)).sid}`
  const told = { stopped: false, posts: 0 }
  const reading = (async () => {
    while (!told.stopped && (await fetch(url)).ok);
  })()
  const writing = (async () => {
    while (!told.stopped) {
      const answer = await fetch(url, { method: 'POST', body: packets.join('\x1e'), headers: { 'content-type': 'text/plain' } })
      await answer.text()
      if (!answer.ok) return
      ++told.posts
      await pause(20)
    }
  })()
  told.stop = async () => {
    told.stopped = true
    await fetch(url, { method: 'POST', body: '1', headers: { 'content-type': 'text/plain' } }).then(a => a.text())
    await Promise.all([reading, writing])
  }
  return told
}

/** Sends messages until `enough` says so: every one of them must meet the filter. */
async function filtered (alice, least, enough = () => true) {
  for (let n = 0; n < least || !enough(); ++n) {
    const outcome = await alice.call('roomMessage', 'default', { textMessage: `bad ${n}` }).catch(error => error.message)
    assert.equal(outcome, 'blocked', `message ${n}`)
  }
}

for (const policy of ['reject', 'continue']) {
  hooked(`a stranger who joins and leaves without end does not switch the filter off (on_failure = "${policy}")`, {
    dev: false, hooks: ['onConnect', 'roomMessageBefore'], more: `on_failure = "${policy}"`, config: '[[room]]\nname = "default"\n'
  }, async ({ server, service, browser, atEnd }) => {
    const logins = decide(server, 50)
    const alice = await browser(undefined, { query: { token: 'of-alice' } })
    await alice.call('roomJoin', 'default')
    const pairs = Array.from({ length: 2000 }, () => ['40/chat-service,', '41/chat-service,']).flat()
    const attack = await stranger(service, pairs)
    atEnd(() => attack.stop())
    await filtered(alice, 40, () => attack.posts > 5)
    assert.equal(logins.most, 1, 'one login at a time')
    assert.equal(await service.metric('roombus_hook_failures_total'), 0)
  })
}

hooked('many sessions that log in leave half of the hook server to those who are in', {
  dev: false, hooks: ['onConnect', 'roomMessageBefore'], more: 'on_failure = "continue"\nmax_connections = 8', config: '[[room]]\nname = "default"\n'
}, async ({ server, service, browser, atEnd }) => {
  const logins = decide(server, 300)
  const alice = await browser(undefined, { query: { token: 'of-alice' } })
  await alice.call('roomJoin', 'default')
  const sockets = await Promise.all(Array.from({ length: 60 }, () => rawWebSocket(service.http, 'EIO=4&transport=websocket')))
  atEnd(() => sockets.forEach(socket => socket.destroy()))
  for (const socket of sockets) socket.write(frame(1, '40/chat-service,'))
  await eventually(async () => await service.metric('roombus_socketio_logins_waiting') > 20, 'logins that wait')
  await filtered(alice, 40)
  assert.ok(logins.most <= 4, `${logins.most} logins at a time`)
  // another address does not stand behind all of them
  const before = Date.now()
  const honest = new Browser(service, { version: 2, query: { token: 'of-alice' }, localAddress: '127.0.0.2' })
  atEnd(() => honest.close())
  await honest.notified('loginConfirmed')
  assert.ok(sockets.some(socket => !/loginRejected/.test(socket.text)), `after ${Date.now() - before} ms others still wait`)
  await eventually(() => sockets.every(socket => /who are you/.test(socket.text)), 'an answer for everybody', 30000)
})

for (const version of [2, 3, 4]) {
  hooked(`a client of socket.io ${version} may leave and come back while its login is under way`, {
    dev: false, hooks: ['onConnect']
  }, async ({ server, service, atEnd }) => {
    const logins = decide(server, 200)
    const one = new Browser(service, { version, query: { token: 'of-alice' } })
    atEnd(() => one.close())
    // a second namespace keeps the connection while the first is left
    const other = one.socket.io.socket('/')
    other.connect()
    atEnd(() => other.close())
    const { engine } = one.socket.io
    await within(new Promise(resolve => one.socket.once('connect', resolve)), 'connect')
    if (!other.connected) await within(new Promise(resolve => other.once('connect', resolve)), 'connect of /')
    for (let n = 0; n < 3; ++n) {
      const again = new Promise(resolve => one.socket.once('connect', resolve))
      one.socket.disconnect()
      one.socket.connect()
      await within(again, 'connect again')
    }
    const [user] = await one.notified('loginConfirmed')
    assert.equal(user, 'alice')
    assert.equal(one.socket.io.engine, engine, 'it is the same connection')
    assert.equal(logins.most, 1)
    assert.equal(server.asked('onConnect').length, 4)
    assert.equal(Object.keys(await one.call('listOwnSockets')).length, 1, 'the earlier ones have ended')
  })
}
