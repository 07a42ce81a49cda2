// A person at the page, a browser of another make and devices in one room.

import assert from 'node:assert/strict'
import { buffer } from '../support/device.mjs'
import { eventually } from '../support/deadline.mjs'
import { scenario } from '../support/scenario.mjs'
import { Tab } from './support/tab.mjs'

scenario('texts go both ways and stay texts', { mqtt: false }, async world => {
  const other = await world.browser('<b>eve</b>')
  const room = '<img src=x>'
  await other.call('roomCreate', room, false)
  await other.call('roomJoin', room)
  const tab = await Tab.enter(world, 'alice', room)
  await tab.say('hello')
  const heard = await other.message(room)
  assert.equal(heard.textMessage, 'hello')
  assert.equal(heard.author, 'alice')
  const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
  const id = await other.call('roomMessage', room, { textMessage: markup, '<u>key</u>': '<u>value</u>' })
  await tab.message(id).waitFor()
  assert.equal(await tab.message(id).locator('.text').textContent(), markup)
  assert.equal(await tab.message(id).locator('.author').textContent(), '<b>eve</b>')
  assert.equal(await tab.message(id).locator('dd').textContent(), '<u>value</u>')
  assert.equal(await tab.page.locator('#room').locator('script, u, b, i, img:not(#preview-image)').count(), 0)
  assert.equal(await tab.page.locator('#announcer').textContent(), `<b>eve</b>: ${markup}`)
  assert.deepEqual(await tab.ids(), [heard.id, id])
  assert.deepEqual(tab.complaints, [])
})

scenario('a picture arrives byte for byte at devices, and theirs at the page', {}, async world => {
  const tab = await Tab.open(world, { query: { user: 'alice', room: 'studio' } })
  await tab.page.getByRole('button', { name: 'Create it and enter' }).click()
  await tab.state('joined')
  const devices = [
    await world.device('cam-json', { client: 'cam1' }),
    await world.device('cam-cbor', { client: 'cam2', version: 5, encoding: 'cbor' })
  ]
  for (const device of devices) await device.call('roomJoin', 'studio')

  const picture = await tab.page.screenshot({ clip: { x: 0, y: 0, width: 320, height: 200 } })
  await tab.page.locator('#picture-file').setInputFiles({ name: 'view.png', mimeType: 'image/png', buffer: picture })
  await tab.page.locator('#preview').waitFor()
  await tab.say('look')
  const [json, cbor] = await Promise.all(devices.map(device => device.message('studio', message => message.image)))
  assert.deepEqual(json.image, buffer(picture))
  assert.deepEqual(Buffer.from(cbor.image), picture)
  for (const message of [json, cbor]) {
    assert.equal(message.type, 'image/png')
    assert.equal(message.name, 'view.png')
    assert.equal(message.textMessage, 'look')
    assert.equal(message.author, 'alice')
  }
  const shown = tab.message(json.id).locator('img')
  await eventually(() => shown.evaluate(image => image.complete && image.naturalWidth === 320), 'drawing the own picture')

  await devices[1].send('studio', { image: picture, type: 'image/png' })
  const received = tab.page.locator('.message[data-author="cam-cbor"] img')
  await eventually(() => received.evaluate(image => image.complete && image.naturalHeight === 200), 'drawing the device picture')

  // what only claims to be a picture is not shown, but can be saved
  await devices[0].send('studio', { image: buffer('<svg onload="alert(1)"/>'), type: 'image/svg+xml', name: 'a/b.svg' })
  const link = tab.page.getByRole('link', { name: 'Save “a/b.svg” (24 bytes)' })
  const [saved] = await Promise.all([tab.page.waitForEvent('download'), link.click()])
  assert.equal(saved.suggestedFilename(), 'a_b.svg')
  assert.deepEqual(tab.complaints, [])
})

scenario('a picture that is too large is made to fit', { mqtt: false }, async world => {
  const other = await world.browser('bob')
  await other.call('roomCreate', 'studio', false)
  await other.call('roomJoin', 'studio')
  const tab = await Tab.enter(world, 'alice', 'studio')
  // noise does not compress: this PNG is several megabytes
  const large = Buffer.from(await tab.page.evaluate(async () => {
    const canvas = new OffscreenCanvas(1200, 1200)
    const context = canvas.getContext('2d')
    const noise = context.createImageData(1200, 1200)
    for (let i = 0; i < noise.data.length; i += 65536) crypto.getRandomValues(noise.data.subarray(i, i + 65536))
    context.putImageData(noise, 0, 0)
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())
    return Array.from(bytes, byte => String.fromCharCode(byte)).join('')
  }), 'latin1')
  assert.ok(large.length > 1_000_000)
  await tab.page.locator('#picture-file').setInputFiles({ name: 'noise.png', mimeType: 'image/png', buffer: large })
  await tab.page.locator('#preview').waitFor()
  await tab.page.getByRole('button', { name: 'Send' }).click()
  const message = await other.message('studio')
  assert.equal(message.type, 'image/jpeg')
  assert.equal(message.name, 'noise.jpg')
  assert.ok(message.image.byteLength <= 700_000 && message.image.byteLength > 10_000, `${message.image.byteLength} bytes`)
  await tab.page.locator('#picture-file').setInputFiles({ name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') })
  await tab.page.getByText('“list.txt” is not a picture that this browser can read.').waitFor()
})

scenario('a picture can be pasted and dropped', { mqtt: false }, async world => {
  const other = await world.browser('bob')
  await other.call('roomCreate', 'studio', false)
  await other.call('roomJoin', 'studio')
  const tab = await Tab.enter(world, 'alice', 'studio')
  const picture = await tab.page.screenshot({ clip: { x: 0, y: 0, width: 20, height: 20 } })
  for (const way of ['paste', 'drop']) {
    await tab.text.evaluate((field, [kind, bytes]) => {
      const data = new DataTransfer()
      data.items.add(new File([Uint8Array.from(bytes)], `${kind}.png`, { type: 'image/png' }))
      const common = { bubbles: true, cancelable: true }
      field.dispatchEvent(kind === 'paste'
        ? new ClipboardEvent('paste', { ...common, clipboardData: data })
        : new DragEvent('drop', { ...common, dataTransfer: data }))
    }, [way, [...picture]])
    await tab.page.locator('#preview').waitFor()
    await tab.text.press('Enter')
    const message = await other.message('studio')
    assert.equal(message.name, `${way}.png`)
    assert.deepEqual(Buffer.from(message.image), picture)
  }
})

scenario('a device draws its line and its will takes it off the list', {}, async world => {
  const owner = await world.browser('owner')
  await owner.call('roomCreate', 'greenhouse', false)
  const tab = await Tab.enter(world, 'alice', 'greenhouse')
  const device = await world.device('sensor1')
  await device.call('roomJoin', 'greenhouse')
  await tab.person('sensor1').waitFor()
  for (let i = 1; i <= 70; i++) await device.send('greenhouse', { temp: 20 + i / 10, unit: 'C' })
  const line = tab.line('sensor1', 'temp')
  await line.locator('output').getByText('27', { exact: true }).waitFor()
  const points = await line.locator('polyline').getAttribute('points')
  assert.equal(points.split(' ').length, 60, 'the last 60 values')
  assert.match(await line.getByRole('img').getAttribute('aria-label'), /temp of sensor1: 27, between 21.1 and 27/)
  assert.deepEqual(await tab.message(70).locator('dt').allTextContents(), ['temp', 'unit'])
  device.drop()
  await tab.person('sensor1').waitFor({ state: 'detached' })
  assert.deepEqual(tab.complaints, [])
})
