// A Mosquitto with our plugin that is not roombus's own, so that a test can be a bridge, too.

import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { startMosquitto } from './roombus.mjs'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
const binary = path.resolve(process.env.ROOMBUS_BIN ?? path.join(repository, 'build/debug/bin/roombus'))

/** The plugin beside the program under test; undefined where it is not built (sanitizers). */
export const plugin = [process.env.ROOMBUS_PLUGIN, path.resolve(binary, '../../lib/roombus_mosquitto.so'),
  path.resolve(binary, '../../lib/roombus/roombus_mosquitto.so')].find(file => file && existsSync(file))

/** One line of a password file. */
export function account (name, password) {
  const salt = randomBytes(12)
  return `${name}:$7$101$${salt.toString('base64')}$${pbkdf2Sync(password, salt, 101, 64, 'sha512').toString('base64')}\n`
}

/** Starts it: bridges `roombus` and `other` with password `secret`; devices by name, or those of `devices` (text of a password file); `options` are more lines for the plugin. */
export async function startPluginBroker ({ devices, options = '' } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-plugin-'))
  const file = name => path.join(folder, name)
  await writeFile(file('bridges'), account('roombus', 'secret') + account('other', 'secret'))
  await writeFile(file('devices'), devices ?? '')
  const who = devices === undefined ? 'plugin_opt_dev true' : `plugin_opt_accounts ${file('devices')}`
  // the files are this user's, whoever it is
  const user = process.getuid() === 0 ? 'user root\n' : ''
  const removed = () => rm(folder, { recursive: true, force: true })
  const broker = await startMosquitto(
    `${user}plugin ${plugin}\nplugin_opt_bridge_accounts ${file('bridges')}\n${who}\n${options}max_keepalive 65535`).catch(async error => {
    await removed()
    throw error
  })
  return {
    ...broker,
    /** Configuration of a roombus that uses it. */
    config: `[mqtt]\nbroker = "tcp://${broker.address}"\nprofile = "mosquitto"\nidentity = "plugin"\nusername = "roombus"\npassword = "secret"\n`,
    async stop () {
      await broker.stop().finally(removed)
    }
  }
}
