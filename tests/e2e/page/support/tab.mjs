// The page in one tab, as somebody uses it: by its labels and roles where it has them.

import { after } from 'node:test'
import { DEADLINE_MS } from '../../support/deadline.mjs'
import { launchChromium } from './chromium.mjs'

let browser
after(() => browser?.close())

// what a browser says when a connection is lost, which some tests want
const connectionLost = /Failed to load resource|WebSocket connection to|net::ERR_/

export class Tab {
  /** Opens the page of `world.service` (or of `address`); `query` as {user, room}, `context` as playwright has it. */
  static async open (world, { query = {}, address = world.service.http, ...context } = {}) {
    browser ??= await launchChromium()
    const tab = new Tab()
    tab.context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...context })
    tab.context.setDefaultTimeout(DEADLINE_MS)
    world.atEnd(() => tab.context.close())
    tab.page = await tab.context.newPage()
    tab.complaints = []
    tab.page.on('pageerror', error => tab.complaints.push(String(error.stack ?? error)))
    tab.page.on('console', entry => {
      if (entry.type() === 'error' && !connectionLost.test(entry.text())) tab.complaints.push(entry.text())
    })
    tab.response = await tab.page.goto(`http://${address}/?${new URLSearchParams(query)}`)
    return tab
  }

  /** Opens the page and enters an existing room by its address. */
  static async enter (world, user, room, options = {}) {
    const tab = await Tab.open(world, { query: { user, room }, ...options })
    await tab.state('joined')
    return tab
  }

  state (state) {
    return this.page.locator(`#connection[data-state="${state}"]`).waitFor({ state: 'attached' })
  }

  get text () { return this.page.getByLabel('Message', { exact: true }) }
  get log () { return this.page.getByRole('log') }

  async say (text) {
    await this.text.fill(text)
    await this.text.press('Enter')
  }

  message (id) { return this.page.locator(`.message[data-id="${id}"]`) }
  withText (text) { return this.page.locator('.message').filter({ has: this.page.getByText(text, { exact: true }) }) }
  person (user) { return this.page.locator(`#people li[data-user="${user}"]`) }
  line (author, field) { return this.page.locator(`#readings li[data-author="${author}"][data-field="${field}"]`) }

  /** Ids of the messages in the log, from top to bottom. */
  ids () {
    return this.page.locator('.message[data-id]').evaluateAll(rows => rows.map(row => Number(row.dataset.id)))
  }

  /** Texts of the log's messages from top to bottom, those on their way too. */
  texts () {
    return this.page.locator('.message .text').evaluateAll(rows => rows.map(row => row.textContent))
  }
}
