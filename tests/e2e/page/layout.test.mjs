// The page on a phone, in dark and in light.

import assert from 'node:assert/strict'
import { scenario } from '../support/scenario.mjs'
import { Tab } from './support/tab.mjs'

const phone = { viewport: { width: 360, height: 640 } }

/** Whether anything makes the page wider than the window. */
const overflow = tab => tab.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)

scenario('everything fits and works on 360 pixels', { mqtt: false }, async world => {
  const other = await world.browser(`somebody-with-quite-a-long-name-${'x'.repeat(60)}`)
  const room = `a-room-name-without-any-blank-${'y'.repeat(60)}`
  await other.call('roomCreate', room, false)
  await other.call('roomJoin', room)
  await other.call('roomMessage', room, { textMessage: 'w'.repeat(300) })
  await other.call('roomMessage', room, { temperature: 21.5, [`field-${'k'.repeat(80)}`]: 'v'.repeat(200) })
  const tab = await Tab.open(world, phone)
  assert.ok(await overflow(tab) <= 0, 'form')
  await tab.page.getByLabel('Your name').fill('bob')
  await tab.page.getByLabel('Room').fill(room)
  await tab.page.getByRole('button', { name: 'Enter' }).click()
  await tab.state('joined')
  await tab.message(2).waitFor()
  assert.ok(await overflow(tab) <= 0, 'room')
  for (const name of ['Leave', 'Send', /2 here/]) {
    const box = await tab.page.getByRole('button', { name }).boundingBox()
    assert.ok(box.x >= 0 && box.x + box.width <= 360, `${name} is on the screen`)
    assert.ok(box.height >= 32, `${name} can be hit with a finger`)
  }
  await tab.page.getByRole('button', { name: /2 here/ }).click()
  await tab.person('bob').waitFor()
  await tab.line(other.user, 'temperature').waitFor()
  assert.ok(await overflow(tab) <= 0, 'people and devices')
  await tab.page.keyboard.press('Escape')
  await tab.person('bob').waitFor({ state: 'hidden' })
  await tab.say('from the phone')
  await tab.message(3).waitFor()
  assert.deepEqual(tab.complaints, [])
})

scenario('dark and light have readable contrast', { mqtt: false }, async world => {
  const other = await world.browser('other')
  await other.call('roomCreate', 'hall', false)
  await other.call('roomJoin', 'hall')
  await other.call('roomMessage', 'hall', { textMessage: 'read me', temp: 1 })
  const grounds = []
  for (const colorScheme of ['light', 'dark']) {
    const tab = await Tab.enter(world, `reader-${colorScheme}`, 'hall', { colorScheme })
    await tab.message(1).waitFor()
    grounds.push(await tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor))
    for (const selector of ['.text', '.fields dt', '.fields dd', '.author', '.message time', '#room-name', '#send', '#leave', '.avatar']) {
      const ratio = await tab.page.locator(selector).first().evaluate(contrast)
      assert.ok(ratio >= 4.5, `${selector} in ${colorScheme}: ${ratio.toFixed(2)}`)
    }
  }
  assert.notEqual(grounds[0], grounds[1])
})

/** Runs in the page: WCAG contrast of an element's text with what lies behind it. */
function contrast (element) {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const behind = []
  for (let node = element; node; node = node.parentElement) behind.unshift(getComputedStyle(node).backgroundColor)
  const paint = colors => {
    canvas.fillStyle = '#fff'
    canvas.fillRect(0, 0, 1, 1)
    for (const color of colors) {
      canvas.fillStyle = color
      canvas.fillRect(0, 0, 1, 1)
    }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => {
      const c = v / 255
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [low, high] = [paint(behind), paint([...behind, getComputedStyle(element).color])].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}
