// The commands that talk to a running service: call, rooms, send, tail, users, kick, completion.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { once } from 'node:events'
import { withKeys } from './support/api.mjs'
import { cli, done, start } from './support/cli.mjs'
import { within } from './support/deadline.mjs'
import { scenario } from './support/scenario.mjs'

const noMqtt = { ...withKeys, mqtt: false }
const json = async (...args) => JSON.parse(await done(...args))

scenario('rooms are created, listed, shown and deleted', noMqtt, async ({ service }) => {
  assert.equal(await done(service, ['rooms', 'create', 'kitchen', '--owner', 'alice', '--admins', 'bob,carol',
    '--whitelist=alice', '--blacklist', 'dave', '--whitelist-only', '--history', '7', '--userlist-updates',
    '--access-lists-updates']), 'kitchen created\n')
  assert.equal(await done(service, ['rooms']), 'default\nkitchen\n')
  assert.deepEqual(await json(service, ['rooms', 'list', '--json']), { rooms: ['default', 'kitchen'] })
  assert.equal(await done(service, ['rooms', '--after', 'default', '--limit', '1']), 'kitchen\n')
  const shown = await json(service, ['rooms', 'show', 'kitchen', '--json'])
  assert.equal(shown.owner, 'alice')
  assert.equal(shown.whitelistOnly, true)
  assert.equal(shown.history.historyMaxSize, 7)
  assert.deepEqual(shown.notifications, { enableUserlistUpdates: true, enableAccessListsUpdates: true })
  assert.match(await done(service, ['rooms', 'show', 'kitchen']), /^owner +alice$/m)
  assert.match(await done(service, ['rooms', 'lists', 'kitchen']), /^adminlist +bob, carol$/m)
  assert.deepEqual(await json(service, ['rooms', 'lists', 'kitchen', '--json']),
    { adminlist: ['bob', 'carol'], whitelist: ['alice'], blacklist: ['dave'], userlist: [] })
  assert.equal(await done(service, ['rooms', 'delete', 'kitchen']), 'kitchen deleted\n')
  assert.equal(await done(service, ['rooms']), 'default\n')
})

scenario('many rooms are listed page by page', noMqtt, async ({ service }) => {
  const calls = Array.from({ length: 700 }, (_, n) => ({ method: 'addRoom', args: [`room${String(n).padStart(4, '0')}`] }))
  await done(service, ['call', 'batch', JSON.stringify({ calls })])
  const names = (await done(service, ['rooms'])).trim().split('\n')
  assert.deepEqual(names, ['default', ...calls.map(call => call.args[0])])
})

scenario('tail shows what people and devices do, as it happens', withKeys, async world => {
  const { service } = world
  const alice = await world.browser('alice')
  const sensor = await world.device('sensor')
  await alice.call('roomJoin', 'default')
  await alice.call('roomMessage', 'default', { textMessage: 'before' })
  const people = start(service, ['tail', 'default', '--history', '5'], { key: 'key-for-reading' })
  const machines = start(service, ['tail', 'default', '--json', '--history=5'], { key: 'key-for-reading' })
  world.atEnd(async () => {
    for (const run of [people, machines]) {
      run.child.kill()
      await run.exited
    }
  })
  assert.match(await people.line(), /^\d\d:\d\d:\d\d #1 alice: before$/)
  assert.equal(JSON.parse(await machines.line()).data.textMessage, 'before')
  await sensor.call('roomJoin', 'default')
  assert.match(await people.line(), /\* sensor joined$/)
  assert.deepEqual(JSON.parse(await machines.line()), { event: 'roomUserJoined', data: { room: 'default', user: 'sensor' } })
  await sensor.call('roomMessage', 'default', { temp: 21.5, note: 'a\u001b[31m' })
  assert.match(await people.line(), /#2 sensor: \{"temp":21.5,"note":"a\\u001b\[31m"\}$/i)
  const { event, data } = JSON.parse(await machines.line())
  assert.equal(event, 'roomMessage')
  assert.deepEqual([data.temp, data.author, data.id], [21.5, 'sensor', 2])
  await alice.call('roomMessage', 'default', { textMessage: 'red \u001b[31m\u009b31m' })
  assert.match(await people.line(), /#3 alice: red \\x1b\[31m\\x9b31m$/)
  await sensor.call('roomLeave', 'default')
  assert.match(await people.line(), /\* sensor left$/)
})

scenario('tail ends after --count lines, and with 3 when the service goes', noMqtt, async world => {
  const { service } = world
  const counted = start(service, ['tail', 'default', '--count', '2'])
  const endless = start(service, ['tail', 'default', '--history', '1'])
  await done(service, ['send', 'default', 'one'])
  // who reads already is only known from what it reads
  while (counted.out.split('\n').length < 3 || endless.out === '') await done(service, ['send', 'default', 'more'])
  assert.equal(await within(counted.exited, 'end of tail --count'), 0)
  assert.equal(counted.out.trim().split('\n').length, 2)
  service.child.kill('SIGTERM')
  assert.equal(await within(endless.exited, 'end of tail'), 3)
  assert.match(endless.err, /ended the stream/)
  await service.exited
})

scenario('send reaches members, from an argument and from the standard input', noMqtt, async world => {
  const { service } = world
  const alice = await world.browser('alice')
  await alice.call('roomJoin', 'default')
  assert.equal(await done(service, ['send', 'default', 'hello']), '1\n')
  assert.equal((await alice.message('default')).textMessage, 'hello')
  assert.deepEqual(await json(service, ['send', 'default', '{"temp":21.5,"list":[1]}', '--json']), { id: 2 })
  const message = await alice.message('default')
  assert.deepEqual([message.temp, message.list], [21.5, [1]])
  assert.equal(await done(service, ['send', 'default', '-', '--as', 'alice'], { input: '{"n":3}\r\n\nlast line' }), '3\n4\n')
  const third = await alice.message('default')
  assert.deepEqual([third.n, third.author], [3, 'alice'])
  assert.equal((await alice.message('default')).textMessage, 'last line')
  assert.equal(await done(service, ['send', 'default', '--', '--help']), '5\n')
})

scenario('users are listed and shown, and kick ends browsers and devices', withKeys, async world => {
  const { service } = world
  const alice = await world.browser('alice')
  const again = await world.device('alice', { client: 'phone' })
  await alice.call('roomJoin', 'default')
  await again.call('listOwnSockets')
  assert.equal(await done(service, ['users']), 'alice\n')
  const shown = await json(service, ['users', 'show', 'alice', '--json'])
  assert.deepEqual(shown.connections, { [alice.id]: ['default'], 'mqtt#alice/phone': [] })
  assert.match(await done(service, ['users', 'show', 'alice']), /^connection +.* in default$/m)
  assert.equal(await done(service, ['kick', 'alice']), 'alice disconnected\n')
  await within(alice.closed, 'end of the browser')
  const after = await json(service, ['users', 'show', 'alice', '--json'])
  assert.deepEqual(after.connections, {})
  assert.equal((await cli(service, ['kick', 'nobody'])).code, 1)
})

scenario('call takes names with values, objects and arrays', noMqtt, async ({ service }) => {
  assert.equal(await done(service, ['call', 'addUser', 'user=42']), 'null\n')
  assert.equal(await done(service, ['call', 'hasUser', '{"user":"42"}']), 'true\n')
  assert.equal(await done(service, ['call', 'hasUser', '["42"]', '--json']), '{"result":true}\n')
  assert.equal(await done(service, ['call', 'addRoom', 'room=x', 'state={"historyMaxSize":3}']), 'null\n')
  const lines = await done(service, ['call', 'execUserCommand',
    '{"bypassPermissions":true,"command":"roomHistoryGet","args":["x",0,1,{}]}'])
  assert.equal(lines.split('\n')[0], '[]')
  assert.equal(JSON.parse(lines.split('\n')[1]).gap, false)
})

scenario('exit codes and errors say what was wrong', noMqtt, async ({ service }) => {
  const fails = async (code, pattern, args, options) => {
    const run = await cli(service, args, options)
    assert.equal(run.code, code, `${args}: ${run.err}`)
    assert.match(run.err, pattern)
    return run
  }
  await fails(1, /noRoom: No such room none/, ['rooms', 'show', 'none'])
  await fails(1, /noRoom/, ['tail', 'none'])
  await fails(1, /notAllowed/, ['rooms', 'create', 'x'], { key: 'key-for-reading' })
  await fails(1, /noCommand/, ['call', 'paintRoom'])
  const run = await fails(1, /roomExists/, ['rooms', 'create', 'default', '--json'])
  assert.equal(JSON.parse(run.out).error.code, 'roomExists')
  await fails(2, /did you mean rooms/, ['room'])
  await fails(2, /did you mean show/, ['rooms', 'shwo'])
  await fails(2, /did you mean --history/, ['tail', 'default', '--histroy', '1'])
  await fails(2, /usage: roombus send/, ['send', 'default'])
  await fails(2, /whole number/, ['tail', 'default', '--history', 'x'])
  await fails(2, /NAME=VALUE/, ['call', 'hasRoom', 'kitchen'])
  await fails(2, /http:\/\/host:port/, ['rooms', '--url', 'localhost:8001'])
  await fails(3, /key is not known/, ['rooms', '--key', 'wrong'])
  await fails(3, /A key is needed/, ['rooms'], { key: '' })
  await fails(3, /cannot be reached/, ['rooms', '--url', 'http://127.0.0.1:1'])
  await fails(3, /no JSON/, ['rooms', '--url', service.url])
  await fails(2, /readable file/, ['rooms', '--key-file', '/does/not/exist'])
  const file = path.join(service.folder, 'key')
  await writeFile(file, '# a comment\nkey-for-reading\n')
  assert.equal(await done(service, ['rooms', '--key-file', file], { key: '' }), 'default\n')
})

scenario('a service that says nothing is given up', noMqtt, async ({ service }) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const run = await cli(service, ['rooms', '--timeout', '1', '--url', `http://127.0.0.1:${silent.address().port}`])
  silent.close()
  assert.equal(run.code, 3)
  assert.match(run.err, /does not answer/)
})

scenario('each command explains itself, and shells complete it', noMqtt, async ({ service }) => {
  const commands = [['call'], ['rooms', 'list'], ['rooms', 'create'], ['rooms', 'show'], ['rooms', 'lists'],
    ['rooms', 'delete'], ['send'], ['tail'], ['users', 'list'], ['users', 'show'], ['kick'], ['completion']]
  for (const command of commands) {
    const help = await done(service, [...command, '--help'])
    assert.ok(help.startsWith(`roombus ${command.join(' ')} `), help)
    assert.match(help, /\nExample:\n\n {2}\S/)
  }
  const bash = await done(service, ['completion', 'bash'])
  execFileSync('bash', ['-n'], { input: bash })
  execFileSync('bash', ['-n'], { input: await done(service, ['completion', 'zsh']) })
  const complete = (...words) => execFileSync('bash', ['-c', `${bash}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _roombus; echo "\${COMPREPLY[@]}"`, 'bash', 'roombus', ...words]).toString().trim()
  assert.equal(complete('ki'), 'kick')
  assert.equal(complete('rooms', 'cr'), 'create')
  assert.equal(complete('call', 'changeRoomO'), 'changeRoomOwner')
  assert.equal(complete('tail', 'kitchen', '--hi'), '--history')
  const fish = await done(service, ['completion', 'fish'])
  for (const word of ['rooms', 'tail', 'clusterBusEmit']) assert.ok(fish.includes(word), word)
  assert.equal((await cli(service, ['completion', 'tcsh'])).code, 2)
})
