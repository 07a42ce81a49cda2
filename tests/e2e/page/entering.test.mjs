// Coming in: the form, a room that does not exist, names and errors in words, what the page may load.

import assert from 'node:assert/strict'
import { scenario } from '../support/scenario.mjs'
import { Tab } from './support/tab.mjs'

scenario('somebody creates a room and talks by keyboard alone', { mqtt: false }, async world => {
  const tab = await Tab.open(world)
  const { keyboard } = tab.page
  assert.equal(await tab.page.title(), 'roombus')
  await keyboard.type('alice')
  await keyboard.press('Tab')
  await keyboard.type('the kitchen')
  await keyboard.press('Enter')
  await tab.page.getByText('There is no room “the kitchen” yet.').waitFor()
  await keyboard.press('Enter') // the offer has the focus
  await tab.state('joined')
  assert.equal(await tab.page.getByRole('heading', { level: 1 }).textContent(), 'the kitchen')
  await keyboard.type('first line')
  await keyboard.press('Shift+Enter')
  await keyboard.type('second line')
  await keyboard.press('Enter')
  await tab.message(1).waitFor()
  assert.deepEqual(await tab.texts(), ['first line\nsecond line'])
  assert.equal(await tab.message(1).getAttribute('data-state'), 'sent')

  // backwards through everything: each stop can be seen
  const stops = []
  for (const expected of ['picture-choose', 'log', 'leave']) {
    await keyboard.press('Shift+Tab')
    stops.push(await tab.page.evaluate(() => document.activeElement.id))
    const outline = await tab.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
    assert.equal(outline, 'solid', `focus on ${expected} is visible`)
  }
  assert.deepEqual(stops, ['picture-choose', 'log', 'leave'])
  await keyboard.press('Enter')
  await tab.page.getByLabel('Your name').waitFor()
  assert.equal(await tab.page.getByLabel('Room').inputValue(), 'the kitchen', 'what was entered is remembered')
  assert.deepEqual(tab.complaints, [])
})

scenario('a reload comes back to the room, another visit to a filled form', { mqtt: false }, async world => {
  const owner = await world.browser('owner')
  await owner.call('roomCreate', 'hall', false)
  const tab = await Tab.open(world)
  await tab.page.getByLabel('Your name').fill('bob')
  await tab.page.getByLabel('Room').fill('hall')
  await tab.page.getByRole('button', { name: 'Enter' }).click()
  await tab.state('joined')
  await tab.page.reload()
  await tab.state('joined')
  await tab.person('bob').waitFor()
  const other = await tab.context.newPage()
  await other.goto(world.service.url)
  assert.equal(await other.getByLabel('Your name').inputValue(), 'bob')
  assert.equal(await other.getByLabel('Room').inputValue(), 'hall')
})

scenario('names that cannot be are refused in words', { mqtt: false }, async world => {
  const tab = await Tab.open(world)
  const name = tab.page.getByLabel('Your name')
  const alert = tab.page.locator('#entry-error')
  await name.fill('a:b')
  await tab.page.getByLabel('Room').fill('hall')
  await tab.page.getByRole('button', { name: 'Enter' }).click()
  await alert.getByText('The name “a:b” cannot be used').waitFor()
  await name.fill('bob')
  await tab.page.getByLabel('Room').fill('<i>{x}</i>')
  await tab.page.getByRole('button', { name: 'Enter' }).click()
  // no such room exists, and it cannot be made either
  await tab.page.getByRole('button', { name: 'Create it and enter' }).click()
  await alert.getByText('The name “<i>{x}</i>” cannot be used').waitFor()
  assert.deepEqual(tab.complaints, [])
})

scenario('a server without rooms management says so', { mqtt: false, config: '[chat]\nenable_rooms_management = false\n' }, async world => {
  const tab = await Tab.open(world, { query: { user: 'bob', room: 'nowhere' } })
  await tab.page.getByRole('button', { name: 'Create it and enter' }).click()
  await tab.page.getByText('This server does not let you create rooms.').waitFor()
})

scenario('the page runs under a strict policy and loads from its own server only', { mqtt: false }, async world => {
  const tab = await Tab.open(world)
  const policy = tab.response.headers()['content-security-policy']
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /script-src 'self'(;|$)/)
  assert.match(policy, /style-src 'self'(;|$)/)
  const loaded = await tab.page.evaluate(() => performance.getEntriesByType('resource').map(entry => entry.name))
  assert.ok(loaded.length >= 3)
  for (const url of loaded) assert.ok(url.startsWith(world.service.url), url)
  const etag = tab.response.headers().etag
  assert.ok(etag)
  const again = await fetch(world.service.url, { headers: { 'if-none-match': etag } })
  assert.equal(again.status, 304)
  await again.arrayBuffer()
})
