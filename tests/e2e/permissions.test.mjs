// Permissions that act at once, whoever edits them and wherever the other one is.

import assert from 'node:assert/strict'
import { chatError } from './support/chat_error.mjs'
import { scenario } from './support/scenario.mjs'

const ways = [
  ['a browser silences a device', w => w.browser('owner', { version: 2 }), w => w.device('guest')],
  ['a device silences a browser', w => w.device('owner', { version: 5, encoding: 'cbor' }), w => w.browser('guest', { version: 3 })],
  ['a browser silences a browser', w => w.browser('owner', { version: 4 }), w => w.browser('guest', { version: 2 })],
  ['a device silences a device', w => w.device('owner'), w => w.device('guest', { version: 5 })]
]

const edits = [
  ['blacklisting', false, async () => {}, owner => owner.call('roomAddToList', 'den', 'blacklist', ['guest'])],
  ['taking off the whitelist', true, owner => owner.call('roomAddToList', 'den', 'whitelist', ['guest']),
    owner => owner.call('roomRemoveFromList', 'den', 'whitelist', ['guest'])],
  ['turning whitelist mode on', false, async () => {}, owner => owner.call('roomSetWhitelistMode', 'den', true)],
  ['losing the admin right while blacklisted', false, async owner => {
    await owner.call('roomAddToList', 'den', 'adminlist', ['guest'])
    await owner.call('roomAddToList', 'den', 'blacklist', ['guest'])
  }, owner => owner.call('roomRemoveFromList', 'den', 'adminlist', ['guest'])],
  ['deleting the room', false, async () => {}, owner => owner.call('roomDelete', 'den')]
]

for (const [way, connectOwner, connectGuest] of ways) {
  scenario(way, {}, async (world, t) => {
    const owner = await connectOwner(world)
    const guest = await connectGuest(world)
    const guestToo = await world.browser('guest')
    for (const [edit, whitelistMode, prepare, act] of edits) {
      await t.test(edit, async () => {
        await owner.call('roomCreate', 'den', whitelistMode)
        await prepare(owner)
        await owner.call('roomJoin', 'den')
        await guest.call('roomJoin', 'den')
        assert.equal(await guestToo.call('roomJoin', 'den'), 2)
        await owner.call('roomMessage', 'den', { before: edit })
        await guest.message('den', m => m.before === edit)

        await act(owner)
        // nothing of the room reaches the guest from here on; what it gets for a later command proves that it is read
        if (edit !== 'deleting the room') {
          await owner.call('roomMessage', 'den', { after: edit })
          await owner.message('den', m => m.after === edit)
          assert.deepEqual(await owner.call('roomGetAccessList', 'den', 'userlist'), ['owner'])
          await owner.notified('roomUserLeft', (...args) => (args[1] ?? args[0].user) === 'guest')
        }
        const removed = await guest.notified('roomAccessRemoved')
        assert.deepEqual(removed, guest.mqtt ? { room: 'den' } : ['den'])
        assert.deepEqual(await guestToo.notified('roomAccessRemoved'), ['den'])
        const refusal = edit === 'deleting the room' ? chatError('noRoom', 'den') : chatError('notJoined', 'den')
        await assert.rejects(guest.call('roomMessage', 'den', { still: 'here' }), refusal)
        await assert.rejects(guestToo.call('roomRecentHistory', 'den'), refusal)
        if (guest.mqtt) {
          await guest.send('den', { still: 'sending' })
          await guest.call('listOwnSockets')
        }
        const later = [...guest.received.peek(), ...guestToo.received.peek()]
          .filter(item => item.name === 'roomMessage' && (item.payload ?? item.args[1]).after === edit)
        assert.deepEqual(later, [])
        assert.deepEqual(Object.values(await guest.call('listOwnSockets')), [[], []])
        if (edit !== 'deleting the room') {
          await assert.rejects(guest.call('roomJoin', 'den'), chatError('notAllowed'))
          const recent = await owner.call('roomRecentHistory', 'den')
          assert.deepEqual(recent.map(m => m.after), [edit, undefined], 'nothing of the guest was stored')
          await owner.call('roomDelete', 'den')
          await owner.notified('roomAccessRemoved')
        }
      })
    }
  })
}

scenario('nobody reads a room without having joined it, save its admins', {}, async (world, t) => {
  const owner = await world.browser('owner')
  await owner.call('roomCreate', 'den', false)
  await owner.call('roomAddToList', 'den', 'adminlist', ['admin'])
  const reads = [
    ['roomRecentHistory'], ['roomHistoryGet', 0, 1], ['roomHistoryInfo'], ['roomUserSeen', 'owner'],
    ['roomGetAccessList', 'blacklist'], ['roomGetOwner'], ['roomGetWhitelistMode'], ['roomNotificationsInfo']
  ]
  for (const connect of [user => world.browser(user), user => world.device(user)]) {
    const stranger = await connect('stranger')
    const admin = await connect('admin')
    for (const [command, ...args] of reads) {
      await assert.rejects(stranger.call(command, 'den', ...args), chatError('notJoined', 'den'), command)
      await admin.call(command, 'den', ...args)
    }
    for (const client of [stranger, admin, owner]) {
      await assert.rejects(client.call('roomMessage', 'den', { a: 1 }), chatError('notJoined', 'den'))
    }
  }
})

scenario('owner, admins and others may edit what the contract says', {}, async world => {
  const owner = await world.device('owner', { version: 5 })
  const admin = await world.browser('admin', { version: 2 })
  const guest = await world.browser('guest', { version: 4 })
  await owner.call('roomCreate', 'den', false)
  await owner.call('roomAddToList', 'den', 'adminlist', ['admin'])
  for (const client of [owner, admin, guest]) await client.call('roomJoin', 'den')

  for (const client of [owner, admin, guest]) {
    await assert.rejects(client.call('roomAddToList', 'den', 'userlist', ['x']), chatError('notAllowed'))
  }
  await assert.rejects(admin.call('roomAddToList', 'den', 'adminlist', ['guest']), chatError('notAllowed'))
  await assert.rejects(guest.call('roomAddToList', 'den', 'blacklist', ['admin']), chatError('notAllowed'))
  await assert.rejects(guest.call('roomSetWhitelistMode', 'den', true), chatError('notAllowed'))
  await assert.rejects(admin.call('roomAddToList', 'den', 'blacklist', ['owner']), chatError('notAllowed'))
  await assert.rejects(admin.call('roomDelete', 'den'), chatError('notAllowed'))
  await assert.rejects(owner.call('roomAddToList', 'den', 'nolist', ['x']), chatError('noList', 'nolist'))

  await owner.call('roomAddToList', 'den', 'blacklist', ['admin'])
  await admin.call('roomMessage', 'den', { still: 'here' })
  assert.deepEqual(admin.waiting('roomAccessRemoved'), [], 'blacklisting an admin removes nobody')
  await admin.call('roomSetWhitelistMode', 'den', true)
  await guest.notified('roomAccessRemoved')
  await owner.call('roomMessage', 'den', { owner: 'is never removed' })
  await admin.call('roomAddToList', 'den', 'whitelist', ['guest'])
  await guest.call('roomJoin', 'den')
})

scenario('members hear of lists and modes when the room is made so', {
  config: '[chat]\nenable_access_lists_updates = true\n'
}, async world => {
  const owner = await world.browser('owner', { version: 3 })
  const device = await world.device('sensor')
  await owner.call('roomCreate', 'den', false)
  await owner.call('roomJoin', 'den')
  await device.call('roomJoin', 'den')
  assert.deepEqual(await device.call('roomNotificationsInfo', 'den'),
    { enableUserlistUpdates: true, enableAccessListsUpdates: true })
  await owner.call('roomAddToList', 'den', 'blacklist', ['x', 'y'])
  assert.deepEqual(await owner.notified('roomAccessListAdded'), ['den', 'blacklist', ['x', 'y']])
  assert.deepEqual(await device.notified('roomAccessListAdded'), { room: 'den', list: 'blacklist', users: ['x', 'y'] })
  await owner.call('roomRemoveFromList', 'den', 'blacklist', ['x'])
  assert.deepEqual(await device.notified('roomAccessListRemoved'), { room: 'den', list: 'blacklist', users: ['x'] })
  await owner.call('roomAddToList', 'den', 'whitelist', ['sensor'])
  await owner.call('roomSetWhitelistMode', 'den', true)
  assert.deepEqual(await device.notified('roomModeChanged'), { room: 'den', mode: true })
  assert.deepEqual(await owner.notified('roomModeChanged'), ['den', true])
})
