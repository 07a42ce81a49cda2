// Rights that act at once, from the page and on the page.

import assert from 'node:assert/strict'
import { chatError } from '../support/chat_error.mjs'
import { scenario } from '../support/scenario.mjs'
import { Tab } from './support/tab.mjs'

scenario('blocking from the page silences the device at once', {}, async world => {
  const tab = await Tab.open(world, { query: { user: 'alice', room: 'lab' } })
  await tab.page.getByRole('button', { name: 'Create it and enter' }).click()
  await tab.state('joined')
  const device = await world.device('sensor1')
  const watcher = await world.browser('watcher')
  await device.call('roomJoin', 'lab')
  await watcher.call('roomJoin', 'lab')
  await device.send('lab', { temp: 20 })
  await tab.line('sensor1', 'temp').waitFor()

  await tab.page.getByRole('button', { name: 'Block sensor1', exact: true }).click()
  await tab.page.locator('#blocked li[data-user="sensor1"]').waitFor()
  await tab.person('sensor1').waitFor({ state: 'detached' })
  assert.equal((await device.notified('roomAccessRemoved')).room, 'lab')
  await assert.rejects(device.call('roomMessage', 'lab', { temp: 99 }), chatError('notJoined', 'lab'))
  await assert.rejects(device.call('roomJoin', 'lab'), chatError('notAllowed'))
  await device.send('lab', { temp: 99 })
  await device.call('listOwnSockets') // answered behind the message sent before
  await tab.say('quiet now')
  assert.equal((await watcher.message('lab', message => message.textMessage)).id, 2, 'nothing of the device in between')
  await tab.message(2).waitFor()

  await tab.page.getByRole('button', { name: 'Unblock sensor1' }).click()
  await tab.page.locator('#blocked li').waitFor({ state: 'detached' })
  await device.call('roomJoin', 'lab')
  await device.send('lab', { temp: 21 })
  await tab.message(3).waitFor()
  assert.deepEqual(tab.complaints, [])
})

scenario('who is blocked is told and gets nothing more', { mqtt: false }, async world => {
  const owner = await world.browser('owner')
  await owner.call('roomCreate', 'lab', false)
  await owner.call('roomJoin', 'lab')
  const tab = await Tab.enter(world, 'bob', 'lab')
  await tab.person('owner').waitFor()
  assert.equal(await tab.page.getByRole('button', { name: /^Block/ }).count(), 0, 'only owner and admins may block')
  await tab.say('still here')
  await tab.message(1).waitFor()
  await owner.call('roomAddToList', 'lab', 'blacklist', ['bob'])
  await tab.state('removed')
  await tab.page.getByRole('alert').getByText('You were removed from this room').waitFor()
  assert.ok(await tab.text.isDisabled())
  await owner.call('roomMessage', 'lab', { textMessage: 'behind closed doors' })
  // a new visit is refused in words, and by then anything that leaked would have arrived
  const again = await Tab.open(world, { query: { user: 'bob', room: 'lab' } })
  await again.page.getByRole('alert').getByText('That is not allowed here.').waitFor()
  assert.deepEqual(await tab.texts(), ['still here'])
})

scenario('a deleted room is shown as gone', { mqtt: false }, async world => {
  const owner = await world.browser('owner')
  await owner.call('roomCreate', 'lab', false)
  const tab = await Tab.enter(world, 'bob', 'lab')
  await owner.call('roomDelete', 'lab')
  await tab.state('removed')
})

scenario('a message that is refused says why', { mqtt: false, config: '[chat]\nmessage_format = "text"\n' }, async world => {
  const owner = await world.browser('owner')
  await owner.call('roomCreate', 'lab', false)
  const tab = await Tab.enter(world, 'bob', 'lab')
  const picture = await tab.page.screenshot({ clip: { x: 0, y: 0, width: 20, height: 20 } })
  await tab.page.locator('#picture-file').setInputFiles({ name: 'no.png', mimeType: 'image/png', buffer: picture })
  await tab.page.locator('#preview').waitFor()
  await tab.text.press('Enter')
  const row = tab.page.locator('.message[data-state="failed"]')
  await row.getByText('Not sent. The server does not accept this message.').waitFor()
  await tab.say('text is fine')
  await tab.message(1).waitFor()
  await row.getByRole('button', { name: 'Try again' }).click()
  await row.getByText('Not sent. The server does not accept this message.').waitFor()
  await row.getByRole('button', { name: 'Discard' }).click()
  await row.waitFor({ state: 'detached' })
  assert.deepEqual(tab.complaints, [])
})
