// The lines that `serve --dev` prints really join a room, send to it and read it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { Inbox, eventually, within } from './support/deadline.mjs'
import { watchedChild } from './support/leftovers.mjs'
import { scenario } from './support/scenario.mjs'

/** Runs one printed line in a shell, as pasted. Lines of its output are put into `lines`. */
function paste (line) {
  // exec: the shell becomes the program, so that ending it by its pid ends the program
  const child = watchedChild(spawn('/bin/sh', ['-c', `exec ${line}`], { stdio: ['ignore', 'pipe', 'pipe'] }))
  const lines = new Inbox()
  let rest = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()
    parts.forEach(part => lines.push(part))
  })
  child.stderr.setEncoding('utf8').on('data', text => { errors += text })
  const ended = new Promise(resolve => child.once('close', code => resolve({ code, errors })))
  return { child, lines, ended }
}

scenario('the printed mosquitto lines work as pasted', {}, async world => {
  const { service } = world
  const printed = program => service.output.split('\n')
    .map(line => new RegExp(`(${program} .*)$`).exec(line)?.[1])
    .filter(Boolean)
  await eventually(() => printed('mosquitto_sub').length && printed('mosquitto_pub').length >= 2, 'printing of the lines')
  const browser = await world.browser('web')

  const subscriptions = printed('mosquitto_sub').map(paste)
  world.atEnd(async () => {
    for (const { child, ended } of subscriptions) {
      child.kill('SIGTERM')
      await ended
    }
  })
  const all = printed('mosquitto_pub')
  const joins = all.filter(line => /\/call\/roomJoin/.test(line))
  const sends = all.filter(line => /\/send\/|\/call\/roomMessage/.test(line))
  assert.ok(joins.length && sends.length, `a line that joins and one that sends:\n${all.join('\n')}`)

  async function run (line) {
    const { code, errors } = await within(paste(line).ended, `end of ${line}`)
    assert.equal(code, 0, `${line}\n${errors}`)
  }
  // the subscriber is there when it prints the answer to a join, which may be repeated freely
  const joined = () => subscriptions.some(({ lines }) => lines.peek(line => line.includes('/reply/') && line.includes('"result"')).length > 0)
  await eventually(async () => {
    for (const line of all.filter(l => !sends.includes(l))) await run(line)
    return joined()
  }, 'the answer to a join at mosquitto_sub', 30000)
  const room = /"([^"]+)"/.exec(joins[0].slice(joins[0].indexOf('roomJoin')))?.[1]
  assert.ok(room, `the room in ${joins[0]}`)
  await browser.call('roomJoin', room)
  await eventually(async () => (await browser.call('roomGetAccessList', room, 'userlist')).length > 1, 'the device in the room')

  for (const line of sends) await run(line)
  const message = await browser.message(room)
  assert.notEqual(message.author, 'web')
  const seen = line => line.includes('roomMessage') || line.includes(`"id":${message.id}`)
  await within(Promise.any(subscriptions.map(s => s.lines.take(seen, 'line of mosquitto_sub'))), 'message at mosquitto_sub')

  const id = await browser.call('roomMessage', room, { textMessage: 'from the browser' })
  await Promise.any(subscriptions.map(s => s.lines.take(line => line.includes('from the browser'), `message ${id} at mosquitto_sub`)))
})
