// One headless Chromium for the tests of a file.

import { chromium } from 'playwright-core'

const quiet = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']

export function launchChromium () {
  return chromium.launch({ executablePath: process.env.ROOMBUS_CHROMIUM ?? '/usr/bin/chromium', args: quiet })
}
