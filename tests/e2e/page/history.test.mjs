// Scrolling back, losing the connection, and missing nothing.

import assert from 'node:assert/strict'
import { eventually } from '../support/deadline.mjs'
import { scenario } from '../support/scenario.mjs'
import { CuttableWay } from './support/cuttable.mjs'
import { Tab } from './support/tab.mjs'

const sequence = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** A socket.io client that is in a room of its own making and says `count` things. */
async function speaker (world, room, count = 0) {
  const browser = await world.browser('speaker')
  await browser.call('roomCreate', room, false)
  await browser.call('roomJoin', room)
  for (const n of sequence(1, count)) await browser.call('roomMessage', room, { textMessage: `line ${n}` })
  return browser
}

scenario('scrolling up reads the whole history and keeps the place', { mqtt: false }, async world => {
  await speaker(world, 'archive', 260)
  const tab = await Tab.enter(world, 'alice', 'archive')
  await tab.message(260).waitFor()
  assert.equal(await tab.message(100).count(), 0, 'not everything at once')
  const [oldest] = await tab.ids()
  // watch one row while the page before it is read
  await tab.log.evaluate(log => { log.scrollTop = 450 })
  const row = tab.message(oldest + 12)
  const before = await row.boundingBox()
  await eventually(async () => (await tab.ids())[0] < oldest, 'reading the page before')
  const moved = (await row.boundingBox()).y - before.y
  assert.ok(Math.abs(moved) <= 2, `the row moved by ${moved} px`)
  await eventually(async () => {
    await tab.log.evaluate(log => { log.scrollTop = 0 })
    return (await tab.ids())[0] === 1
  }, 'the start of the history')
  assert.deepEqual(await tab.ids(), sequence(1, 260))
  await tab.page.getByText('The room begins here.').waitFor()
  await tab.page.getByRole('button', { name: 'Newest messages' }).click()
  await eventually(() => tab.log.evaluate(log => log.scrollHeight - log.scrollTop - log.clientHeight < 5), 'back at the end')
})

scenario('the page holds a bounded part of a long history', { mqtt: false }, async world => {
  const other = await speaker(world, 'archive')
  const tab = await Tab.enter(world, 'alice', 'archive')
  for (let n = 1; n <= 2300; n += 100) {
    await Promise.all(sequence(n, Math.min(n + 99, 2300)).map(i => other.call('roomMessage', 'archive', { textMessage: `line ${i}` })))
  }
  await tab.message(2300).waitFor()
  assert.deepEqual(await tab.ids(), sequence(301, 2300))
  // what was dropped comes back when it is scrolled to
  await eventually(async () => {
    await tab.log.evaluate(log => { log.scrollTop = 0 })
    return (await tab.ids())[0] <= 250
  }, 'dropped messages')
  const ids = await tab.ids()
  assert.deepEqual(ids, sequence(ids[0], ids.at(-1)))
  assert.ok(ids.length <= 2000)
  await tab.page.getByRole('button', { name: 'Newest messages' }).click()
  await tab.message(2300).waitFor()
})

scenario('after a lost connection nothing is missing and nothing doubled', { mqtt: false }, async world => {
  const other = await speaker(world, 'hall', 3)
  const way = await CuttableWay.to(world.service.http)
  world.atEnd(() => way.close())
  const tab = await Tab.enter(world, 'alice', 'hall', { address: way.address })
  await tab.message(3).waitFor()
  way.cut()
  await tab.state('offline')
  for (const n of sequence(4, 240)) await other.call('roomMessage', 'hall', { textMessage: `line ${n}` })
  await tab.say('said while away')
  const waiting = tab.withText('said while away')
  await waiting.getByText('Waiting for the connection…').waitFor()
  assert.equal(await waiting.getAttribute('data-state'), 'pending')
  way.restore()
  await tab.state('joined')
  await tab.message(241).waitFor()
  await eventually(async () => (await tab.page.locator('.message').count()) === 241, 'one row per message')
  assert.deepEqual(await tab.ids(), sequence(1, 241))
  assert.deepEqual(await tab.texts(), [...sequence(1, 240).map(n => `line ${n}`), 'said while away'])
  assert.equal(await tab.page.locator('.divider.gap').count(), 0)
  assert.deepEqual(tab.complaints, [])
})

scenario('an answer lost on its way does not make a message twice', { mqtt: false }, async world => {
  const other = await speaker(world, 'hall')
  const way = await CuttableWay.to(world.service.http)
  world.atEnd(() => way.close())
  const tab = await Tab.enter(world, 'alice', 'hall', { address: way.address })
  await tab.say('first')
  await other.message('hall', message => message.textMessage === 'first')
  await tab.message(1).waitFor()
  way.deafen()
  await tab.say('only once')
  assert.equal((await other.message('hall', message => message.textMessage === 'only once')).id, 2)
  assert.equal(await tab.withText('only once').getAttribute('data-state'), 'pending', 'no answer yet')
  way.cut()
  await tab.state('offline')
  way.restore()
  await tab.state('joined')
  await tab.say('last')
  await tab.message(3).waitFor()
  await eventually(async () => (await tab.page.locator('.message').count()) === 3, 'one row per message')
  assert.deepEqual(await tab.texts(), ['first', 'only once', 'last'])
  assert.deepEqual((await other.call('roomRecentHistory', 'hall')).map(m => m.textMessage), ['last', 'only once', 'first'])
})

scenario('messages that are lost for good leave a visible gap', { mqtt: false, config: '[chat]\nhistory_max_size = 5\n' }, async world => {
  const other = await speaker(world, 'hall', 3)
  const way = await CuttableWay.to(world.service.http)
  world.atEnd(() => way.close())
  const tab = await Tab.enter(world, 'alice', 'hall', { address: way.address })
  await tab.message(3).waitFor()
  way.cut()
  await tab.state('offline')
  for (const n of sequence(4, 20)) await other.call('roomMessage', 'hall', { textMessage: `line ${n}` })
  way.restore()
  await tab.state('joined')
  await tab.message(20).waitFor()
  assert.deepEqual(await tab.ids(), [1, 2, 3, 16, 17, 18, 19, 20])
  const order = await tab.page.locator('#messages > li').evaluateAll(rows => rows.map(row => row.dataset.id ?? row.className))
  assert.deepEqual(order, ['divider day', '1', '2', '3', 'divider gap', '16', '17', '18', '19', '20'])
  await tab.page.getByText('Some messages are missing here').waitFor()
})

scenario('a room made anew meanwhile is shown as a new one', { mqtt: false }, async world => {
  const other = await speaker(world, 'hall', 30)
  const way = await CuttableWay.to(world.service.http)
  world.atEnd(() => way.close())
  const tab = await Tab.enter(world, 'alice', 'hall', { address: way.address })
  await tab.message(30).waitFor()
  way.cut()
  await tab.state('offline')
  // the page's connection must be gone, or the deletion would tell it
  await other.notified('roomUserLeft', (room, user) => user === 'alice')
  await other.call('roomDelete', 'hall')
  await other.call('roomCreate', 'hall', false)
  await other.call('roomJoin', 'hall')
  await other.call('roomMessage', 'hall', { textMessage: 'a new start' })
  way.restore()
  await tab.state('joined')
  await tab.page.getByText('The room was made anew here.').waitFor()
  assert.deepEqual(await tab.texts(), ['a new start'])
})

scenario('a room that is gone can be made again, and what waited is said there', { mqtt: false }, async world => {
  const other = await speaker(world, 'hall', 2)
  const way = await CuttableWay.to(world.service.http)
  world.atEnd(() => way.close())
  const tab = await Tab.enter(world, 'alice', 'hall', { address: way.address })
  await tab.message(2).waitFor()
  way.cut()
  await tab.state('offline')
  await tab.say('still mine')
  await other.notified('roomUserLeft', (room, user) => user === 'alice')
  await other.call('roomDelete', 'hall')
  way.restore()
  await tab.state('absent')
  await tab.page.getByText('This room does not exist any more.').waitFor()
  await tab.page.getByRole('button', { name: 'Create it again' }).click()
  await tab.state('joined')
  await tab.message(1).waitFor()
  assert.deepEqual(await tab.texts(), ['still mine'])
  assert.equal(await other.call('roomGetOwner', 'hall').catch(error => error.message), 'ChatServiceError: Not joined to room hall')
})
