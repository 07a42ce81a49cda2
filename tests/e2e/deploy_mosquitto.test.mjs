// The scripts of deploy/mosquitto, with other paths and ports: the broker starts, its health check passes, and nothing
// that anybody on the host may see has the bridge's password.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { eventually } from './support/deadline.mjs'
import { ending } from './support/ending.mjs'
import { plugin } from './support/plugin_broker.mjs'
import { freePort } from './support/roombus.mjs'

const run = promisify(execFile)
const scripts = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../deploy/mosquitto')

for (const identity of plugin === undefined ? ['acl'] : ['acl', 'plugin']) {
  test(`the container of the broker, identity ${identity}`, { timeout: 60000 }, () => ending(async ends => {
    const folder = ends(mkdtempSync(path.join(tmpdir(), 'roombus-deploy-')), folder => rmSync(folder, { recursive: true, force: true }))
    const at = name => path.join(folder, name)
    for (const name of ['etc', 'tmp', 'run', 'bin']) mkdirSync(at(name))
    const ports = { 1883: await freePort(), 1884: await freePort() }
    for (const name of readdirSync(scripts)) {
      // the plugin last: the folder that it is built in may have any name
      const text = readFileSync(path.join(scripts, name), 'utf8')
        .replaceAll(/\/(tmp|run\/roombus|etc\/roombus)\//g, (_, where) => at(where.split('/')[0]) + '/')
        .replaceAll(/\b188[34]\b/g, port => ports[port]).replaceAll('/usr/lib/roombus/roombus_mosquitto.so', plugin)
      // the files are this user's, whoever it is
      writeFileSync(at(`etc/${name}`), name.endsWith('.conf') && process.getuid() === 0 ? `user root\n${text}` : text)
      chmodSync(at(`etc/${name}`), 0o755)
    }
    writeFileSync(at('bin/mosquitto_pub'), `#!/bin/sh\nprintf '%s\\n' "$@" >${at('arguments')}\nexec /usr/bin/mosquitto_pub "$@"\n`, { mode: 0o755 })
    const env = { PATH: `${at('bin')}:${process.env.PATH}:/usr/sbin`, MQTT_IDENTITY: identity }
    const broker = execFile(at('etc/entrypoint'), { env })
    const exited = new Promise(resolve => broker.once('exit', resolve))
    let log = ''
    broker.stderr.on('data', text => { log += text })
    ends(broker, async () => {
      broker.kill('SIGTERM')
      await exited
    })
    await eventually(() => /running/.test(log) || broker.exitCode !== null, 'start of the broker')
    assert.match(log, /running/)

    await run(at('etc/healthcheck'), { env })
    const password = readFileSync(at('run/bridge-password'), 'utf8')
    assert.match(password, /^[0-9a-f]{64}$/)
    const given = readFileSync(at('arguments'), 'utf8')
    assert.ok(!given.includes(password), 'the password is no argument')
    assert.ok(!given.split('\n').includes('-i'), 'and no client id can be held by somebody else')
    for (const name of ['tmp/bridge-accounts', 'tmp/healthcheck/mosquitto_pub', 'run/bridge-password']) {
      assert.equal(statSync(at(name)).mode & 0o777, 0o600, name)
    }
    writeFileSync(at('tmp/healthcheck/mosquitto_pub'), '-u roombus\n-P wrong\n')
    await assert.rejects(run(at('etc/healthcheck'), { env }), 'it is the account that opens the door')
  }))
}
