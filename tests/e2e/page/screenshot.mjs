// Makes the pictures of the README: two people and two devices in one room of the real program.
//
//   ROOMBUS_BIN=build/release/bin/roombus node screenshot.mjs FOLDER     (scripts/screenshot does this)

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { eventually, within } from '../support/deadline.mjs'
import { startRoombus } from '../support/roombus.mjs'
import { launchChromium } from './support/chromium.mjs'

const run = promisify(execFile)
const folder = path.resolve(process.argv[2] ?? 'docs')
const room = 'greenhouse'

/** A device made of mosquitto_pub alone. */
class PubDevice {
  constructor (service, user) {
    const [host, port] = service.mqtt.split(':')
    this.base = `roombus/u/${user}/${user}`
    this.options = ['-h', host, '-p', port, '-u', user, '-i', `${user}-pub`, '-q', '1']
  }

  publish (topic, text, ...more) {
    return run('mosquitto_pub', [...this.options, '-t', `${this.base}/${topic}`, '-m', text, ...more])
  }

  async join () {
    await this.publish('status', 'online', '-r')
    await this.publish('call/roomJoin/1', JSON.stringify([room]))
  }

  /** One message per line of standard input, over one connection. */
  async send (messages) {
    const child = spawn('mosquitto_pub', [...this.options, '-t', `${this.base}/send/${room}`, '-l'], { stdio: ['pipe', 'inherit', 'inherit'] })
    child.stdin.end(messages.map(message => `${JSON.stringify(message)}\n`).join(''))
    const [code] = await within(once(child, 'exit'), 'end of mosquitto_pub')
    if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}`)
  }
}

const climate = i => ({ temp: Number((21 + 3 * Math.sin(i / 9) + Math.sin(i * 1.7) / 3).toFixed(1)), humidity: Math.round(58 - 6 * Math.sin(i / 11) + (i * 7) % 3) })
const tank = i => ({ level: Number((0.9 - (i % 25) / 40).toFixed(2)) })

const photo = `<style>body{margin:0}</style><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 240" width="420" height="240">
  <rect width="420" height="240" fill="#cfe6f2"/><circle cx="350" cy="52" r="26" fill="#ffe08a"/>
  <rect y="176" width="420" height="64" fill="#6d4c33"/>
  ${[60, 150, 240, 330].map((x, i) => `<g transform="translate(${x} 178) scale(${1 + i % 2 * 0.25})" stroke="#2f7d3b" stroke-width="5" fill="none">
    <path d="M0 0C0-30 4-50 0-78"/><path d="M0-30C-26-34-34-50-36-62-14-62-4-48 0-30z" fill="#48a257"/>
    <path d="M0-46C22-50 32-64 34-78 12-76 2-62 0-46z" fill="#5cb56a"/><circle cx="14" cy="-30" r="9" fill="#d9432f" stroke="none"/></g>`).join('')}
</svg>`

async function person (browser, service, user, options) {
  const context = await browser.newContext({ deviceScaleFactor: 2, locale: 'en-GB', ...options })
  context.setDefaultTimeout(10000)
  const page = await context.newPage()
  await page.goto(`${service.url}/?${new URLSearchParams({ user, room })}`)
  return page
}

const joined = page => page.locator('#connection[data-state="joined"]').waitFor({ state: 'attached' })
async function say (page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text)
  await page.keyboard.press('Enter')
  await page.locator('.message[data-state="sent"]').filter({ hasText: text }).waitFor()
}

await mkdir(folder, { recursive: true })
const service = await startRoombus()
const browser = await launchChromium()
try {
  const alice = await person(browser, service, 'alice', { viewport: { width: 1120, height: 720 }, colorScheme: 'light' })
  await alice.getByRole('button', { name: 'Create it and enter' }).click()
  await joined(alice)
  const bob = await person(browser, service, 'bob', { viewport: { width: 390, height: 760 }, colorScheme: 'dark' })
  await joined(bob)
  const [sensor, pump] = [new PubDevice(service, 'sensor1'), new PubDevice(service, 'pump')]
  await sensor.join()
  await pump.join()
  const numbers = Array.from({ length: 60 }, (_, i) => i)
  await pump.send(numbers.map(tank))
  await sensor.send(numbers.map(climate))
  await alice.locator('.message[data-id="120"]').waitFor()
  await say(alice, 'Good morning! How are the tomatoes?')
  const studio = await (await browser.newContext({ viewport: { width: 420, height: 240 } })).newPage()
  await studio.setContent(photo)
  await bob.locator('#picture-file').setInputFiles({ name: 'tomatoes.png', mimeType: 'image/png', buffer: await studio.screenshot() })
  await bob.locator('#preview').waitFor()
  await say(bob, 'Red at last.')
  await sensor.send([climate(60), climate(61)])
  await say(alice, 'Lovely. 22 degrees is enough, open the roof a little.')
  const pages = [[alice, 'screenshot.png'], [bob, 'screenshot-phone.png']]
  for (const [page, name] of pages) {
    const image = page.locator('.message img')
    await eventually(() => image.evaluate(node => node.complete && node.naturalWidth > 0), 'drawing the picture')
    await eventually(async () => (await page.locator('.message[data-id]').last().getAttribute('data-id')) === '125', 'all messages')
    await page.locator('#people li').nth(3).waitFor({ state: 'attached' })
    await page.screenshot({ path: path.join(folder, name) })
    console.log(path.join(folder, name))
  }
} finally {
  await browser.close()
  await service.stop()
}
