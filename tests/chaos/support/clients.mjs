// The client libraries, from the packages of tests/e2e.

import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const e2e = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../e2e')
const require = createRequire(path.join(e2e, 'package.json'))

export const mqtt = require('mqtt')
export const socketIo = { 2: require('sio2'), 4: require('sio4').io }
export const cborg = await import(pathToFileURL(path.join(e2e, 'node_modules/cborg/cborg.js')).href)
