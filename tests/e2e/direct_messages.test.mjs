// Direct messages between users on any transport, and the lists that allow or forbid them.

import assert from 'node:assert/strict'
import { chatError } from './support/chat_error.mjs'
import { eventually } from './support/deadline.mjs'
import { scenario } from './support/scenario.mjs'

scenario('a direct message reaches every connection of the user and echoes to the sender\'s others', {}, async world => {
  const alice = await world.browser('alice', { version: 2 })
  const aliceToo = await world.browser('alice', { version: 4 })
  const bob = await world.browser('bob', { version: 3 })
  const bobDevice = await world.device('bob', { encoding: 'cbor' })
  await bobDevice.call('listOwnSockets')

  const sent = await alice.call('directMessage', 'bob', { textMessage: 'hi', author: 'mallory', timestamp: 1 })
  assert.equal(sent.author, 'alice')
  assert.equal(sent.textMessage, 'hi')
  assert.ok(sent.timestamp > 1)
  assert.deepEqual(await bob.notified('directMessage'), [sent])
  assert.deepEqual(await bobDevice.notified('directMessage'), { message: sent })
  assert.deepEqual(await aliceToo.notified('directMessageEcho'), ['bob', sent])

  const back = await bobDevice.callNamed('directMessage', { user: 'alice', message: { n: 1 } })
  assert.deepEqual(await alice.notified('directMessage'), [back])
  assert.deepEqual(await aliceToo.notified('directMessage'), [back])
  assert.deepEqual(await bob.notified('directMessageEcho'), ['alice', back])
  await alice.call('listOwnSockets')
  assert.deepEqual(alice.waiting('directMessageEcho'), [], 'no echo to the sending connection')
})

scenario('lists and mode decide who may send, in the documented order of checks', {}, async world => {
  const alice = await world.browser('alice')
  const bob = await world.device('bob')
  const gone = await world.browser('carol')
  gone.close()
  await alice.call('directAddToList', 'blacklist', ['bob', 'carol'])

  await assert.rejects(bob.call('directMessage', 'alice', { a: 1 }), chatError('notAllowed'))
  await assert.rejects(bob.call('directMessage', 'nobody', { a: 1 }), chatError('noUser', 'nobody'))
  await assert.rejects(bob.call('directMessage', 'bob', { a: 1 }), chatError('notAllowed'))
  await assert.rejects(alice.call('directMessage', 'alice', { a: 1 }), chatError('notAllowed'))
  await alice.call('directRemoveFromList', 'blacklist', ['bob'])
  assert.equal((await bob.call('directMessage', 'alice', { a: 1 })).author, 'bob')

  await alice.call('directSetWhitelistMode', true)
  assert.equal(await alice.call('directGetWhitelistMode'), true)
  await assert.rejects(bob.call('directMessage', 'alice', { a: 2 }), chatError('notAllowed'))
  await alice.call('directAddToList', 'whitelist', ['bob'])
  assert.deepEqual(await alice.call('directGetAccessList', 'whitelist'), ['bob'])
  assert.equal((await bob.call('directMessage', 'alice', { a: 3 })).author, 'bob')
})

scenario('a user who is known but away is noUserOnline', {}, async world => {
  const alice = await world.browser('alice')
  const bob = await world.browser('bob')
  const id = bob.id
  await bob.call('directAddToList', 'blacklist', ['alice'])
  bob.close()
  const bobAgain = await world.browser('bob')
  // the first connection is gone when it is no longer listed
  await eventually(async () => !(id in await bobAgain.call('listOwnSockets')), 'the end of the first connection')
  await assert.rejects(alice.call('directMessage', 'bob', { a: 1 }), chatError('notAllowed'), 'permission before presence')
  await bobAgain.call('directRemoveFromList', 'blacklist', ['alice'])
  bobAgain.close()
  const refusal = await eventually(
    () => alice.call('directMessage', 'bob', { a: 1 }).then(() => null, error => error), 'bob being offline')
  chatError('noUserOnline', 'bob')(refusal)
})

scenario('direct messages are off unless the configuration allows them', {
  config: '[chat]\nenable_direct_messages = false\n'
}, async world => {
  const alice = await world.browser('alice')
  const bob = await world.device('bob')
  await bob.call('listOwnSockets')
  await assert.rejects(alice.call('directMessage', 'bob', { a: 1 }), chatError('notAllowed'))
  await assert.rejects(alice.call('directMessage', 'nobody', { a: 1 }), chatError('notAllowed'), 'the option comes first')
  await assert.rejects(bob.call('directMessage', 'alice', { a: 1 }), chatError('notAllowed'))
})
