// examples/public_listeners: a second namespace whose clients need no login.

import assert from 'node:assert/strict'
import { chatError, errorText } from '../../e2e/support/chat_error.mjs'
import { withExample } from './support.mjs'

/** A listener who has been welcomed; `history` is what they were shown. */
async function listen (world, version) {
  const listener = world.open({ version, namespace: '/public', query: {} })
  listener.user = `listener ${version}`
  listener.socket.on('welcome', (...args) => listener.received.push({ name: 'welcome', args }))
  const [room, history] = await listener.notified('welcome')
  assert.equal(room, 'ticker')
  return Object.assign(listener, { history })
}

withExample('public_listeners', 'listeners without a login get the room, reporters keep theirs', async world => {
  const reporter = await world.browser({ version: 2, user: 'reporter' })
  await reporter.call('roomJoin', 'ticker')
  const early = [await listen(world, 2), await listen(world, 4)]
  assert.deepEqual(early.map(listener => listener.history), [[], []])

  assert.equal(await reporter.call('roomMessage', 'ticker', { headline: 'rain', picture: Buffer.from([1, 2]) }), 1)
  assert.equal((await reporter.message('ticker')).id, 1)
  for (const listener of early) {
    const message = await listener.message('ticker')
    assert.equal(message.headline, 'rain')
    assert.equal(message.author, 'reporter')
    assert.deepEqual(new Uint8Array(message.picture), new Uint8Array([1, 2]))
  }
  const late = await listen(world, 4)
  assert.deepEqual(late.history.map(message => message.headline), ['rain'])

  const stranger = await world.browser({ version: 4, user: 'stranger' })
  await assert.rejects(stranger.call('roomJoin', 'ticker'), chatError('notAllowed'))
})

withExample('public_listeners', 'a listener may say something, now and then', async world => {
  const reporter = await world.browser({ version: 4, user: 'reporter' })
  await reporter.call('roomJoin', 'ticker')
  const listener = await listen(world, 2)
  const other = await listen(world, 4)

  assert.equal(await listener.call('say', 'when?'), 1)
  for (const receiver of [reporter, listener, other]) {
    const message = await receiver.message('ticker')
    assert.equal(message.textMessage, 'when?')
    assert.equal(message.author, 'a listener')
  }
  await assert.rejects(listener.call('say', ''), chatError('badArgument', 0, ''))
  await assert.rejects(listener.call('say'), chatError('badArgument', 0, null))
  await assert.rejects(listener.call('roomDelete', 'ticker'), chatError('noCommand', 'roomDelete'))

  const outcomes = await Promise.all([1, 2, 3, 4, 5, 6].map(n =>
    listener.call('say', `again ${n}`).then(() => 'said', error => error.message)))
  assert.equal(outcomes[0], 'said')
  assert.equal(outcomes.at(-1), errorText('rateLimited'))
  assert.ok(await other.call('say', 'I am somebody else') > 1)
})

withExample('public_listeners', 'who leaves is forgotten, and the rest goes on', async world => {
  const reporter = await world.browser({ version: 4, user: 'reporter' })
  await reporter.call('roomJoin', 'ticker')
  const [gone, stays] = [await listen(world, 2), await listen(world, 4)]
  gone.drop()
  for (const id of [1, 2, 3]) assert.equal(await reporter.call('roomMessage', 'ticker', { n: id }), id)
  for (const id of [1, 2, 3]) assert.equal((await stays.message('ticker')).id, id)
})
