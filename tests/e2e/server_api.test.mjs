// The server API over HTTP: methods, errors and their status, keys, event streams. Contract §8.

import assert from 'node:assert/strict'
import * as cborg from 'cborg'
import { Api, apis, withKeys } from './support/api.mjs'
import { eventually, within } from './support/deadline.mjs'
import { scenario } from './support/scenario.mjs'

const noMqtt = { ...withKeys, mqtt: false }

scenario('every method works by name and by position', noMqtt, async world => {
  const { all } = apis(world.service)
  const alice = await world.browser('alice')
  const { instance } = world.service
  // [method, by name, by position, expected result (a function looks at it)]; state carries on from one to the next
  const both = async (method, named, positional, expected) => {
    for (const args of [named, positional]) {
      const result = await all.call(method, args)
      if (typeof expected === 'function') assert.ok(expected(result), `${method}: ${JSON.stringify(result)}`)
      else assert.deepEqual(result, expected, method)
    }
  }
  const nothing = null
  await all.call('addRoom', { room: 'one', state: { owner: 'alice', adminlist: ['bob'], whitelist: ['carol'], blacklist: ['dave'], whitelistOnly: false, historyMaxSize: 5, enableAccessListsUpdates: true, enableUserlistUpdates: true } })
  await all.call('addRoom', ['two', { owner: 'alice', adminlist: ['bob'], whitelist: ['carol'], blacklist: ['dave'] }])
  await all.call('addUser', { user: 'uno', state: { whitelist: ['alice'], blacklist: ['dave'], whitelistOnly: true } })
  await all.call('addUser', ['dos', { whitelist: ['alice'], blacklist: ['dave'], whitelistOnly: true }])
  await both('hasUser', { user: 'uno' }, ['dos'], true)
  await both('userHasInList', { user: 'uno', list: 'whitelist', item: 'alice' }, ['dos', 'blacklist', 'dave'], true)
  await both('hasDirectAccess', { recipient: 'uno', sender: 'alice' }, ['dos', 'alice'], true)
  await both('hasDirectAccess', { recipient: 'uno', sender: 'dave' }, ['dos', 'erin'], false)
  await both('hasRoom', { room: 'one' }, ['two'], true)
  await both('roomHasInList', { room: 'one', list: 'adminlist', item: 'bob' }, ['two', 'blacklist', 'dave'], true)
  await both('hasRoomAccess', { room: 'one', user: 'carol' }, ['two', 'erin'], true)
  await both('hasRoomAccess', { room: 'one', user: 'dave' }, ['two', 'dave'], false)
  await both('changeRoomOwner', { room: 'one', owner: 'bob' }, ['two', null], nothing)
  await both('changeRoomHistoryMaxSize', { room: 'one', size: 3 }, ['two', 3], nothing)
  await both('changeAccessListsUpdates', { room: 'one', enabled: false }, ['two', true], nothing)
  await both('changeUserlistUpdates', { room: 'one', enabled: false }, ['two', true], nothing)
  await both('checkArguments', { command: 'roomJoin', args: ['one'] }, ['roomJoin', 'one'], nothing)
  await both('clusterBusEmit', { event: 'hello', args: [1] }, ['hello', [1]], nothing)
  await both('userStateSync', { user: 'alice' }, ['alice'], nothing)
  await both('roomStateSync', { room: 'one' }, ['two'], nothing)
  await both('instanceRecovery', { instance: 'gone' }, ['gone'], nothing)
  await both('getInstanceHeartbeat', { instance }, [], ms => Math.abs(ms - Date.now()) < 60000)
  await both('getInstanceHeartbeat', { instance: 'never' }, ['never'], nothing)
  await both('getInstanceSockets', { instance }, [], sockets => sockets[alice.id] === 'alice')
  await both('listRooms', { after: 'default', limit: 1 }, ['default', 1], ['one'])
  await both('listUsers', { after: 'alice', limit: 1 }, ['alice', 1], ['dos'])
  await both('execUserCommand', { userName: 'alice', command: 'listOwnSockets', args: [] },
    [{ userName: 'alice' }, 'listOwnSockets'], sockets => alice.id in sockets)
  await both('batch', { calls: [{ method: 'hasRoom', args: ['one'] }, { method: 'hasRoom', args: { room: 'none' } }] },
    [[{ method: 'hasRoom', args: ['one'] }, { method: 'hasRoom', args: { room: 'none' } }]],
    [{ result: true }, { result: false }])
  await all.call('deleteRoom', { room: 'one' })
  await all.call('deleteRoom', ['two'])
  await all.call('deleteUser', { user: 'uno' })
  await all.call('deleteUser', ['dos'])
  await all.call('disconnectUserSockets', ['alice'])
  await within(alice.closed, 'end of the kicked browser')
})

scenario('each error has its status and the form of the contract', { ...noMqtt, args: [...withKeys.args, '--chat.room_list_size_limit', '2'] }, async world => {
  const { all } = apis(world.service)
  await world.browser('alice')
  await all.call('addRoom', ['kitchen'])
  await all.call('addUser', ['bob'])
  const cases = [
    ['addRoom', [7], 400, 'badArgument', [0, 7]],
    ['addRoom', { room: 'x', colour: 1 }, 400, 'badArgument'],
    ['addRoom', [], 400, 'wrongArgumentsCount', [1, 0]],
    ['addRoom', ['a:b'], 400, 'invalidName', ['a:b']],
    ['execUserCommand', [{ userName: 'alice' }, 'roomJoin', 'kitchen'], 400, 'noSocket', ['roomJoin']],
    ['execUserCommand', [{ userName: 'bob' }, 'roomDelete', 'kitchen'], 403, 'notAllowed', []],
    ['execUserCommand', [{ userName: 'bob' }, 'roomMessage', 'kitchen', { a: 1 }], 403, 'notJoined', ['kitchen']],
    ['deleteRoom', ['hall'], 404, 'noRoom', ['hall']],
    ['deleteUser', ['carol'], 404, 'noUser', ['carol']],
    ['checkArguments', ['roomPaint'], 404, 'noCommand', ['roomPaint']],
    ['roomHasInList', ['kitchen', 'redlist', 'x'], 404, 'noList', ['redlist']],
    ['paintRoom', ['kitchen'], 404, 'noCommand', ['paintRoom']],
    ['addRoom', ['kitchen'], 409, 'roomExists', ['kitchen']],
    ['addUser', ['bob'], 409, 'userExists', ['bob']],
    ['deleteUser', ['alice'], 409, 'userOnline', ['alice']],
    ['addRoom', ['hall', { whitelist: ['a', 'b', 'c'] }], 409, 'listLimitExceeded', ['whitelist']]
  ]
  for (const [method, args, status, code, codeArgs] of cases) {
    const answer = await all.post(method, args)
    const what = `${method} ${JSON.stringify(args)}: ${JSON.stringify(answer.json)}`
    assert.equal(answer.status, status, what)
    assert.deepEqual(Object.keys(answer.json), ['error'], what)
    const { error } = answer.json
    assert.deepEqual(Object.keys(error), ['name', 'code', 'args', 'text'], what)
    assert.equal(error.name, 'ChatServiceError', what)
    assert.equal(error.code, code, what)
    if (codeArgs) assert.deepEqual(error.args, codeArgs, what)
    assert.ok(error.text.length > 5, what)
  }
})

scenario('faults of the request are told in JSON', noMqtt, async world => {
  const { all } = apis(world.service)
  const raw = (method, path, body, type = 'application/json') =>
    all.fetch(path, { method, body, headers: type ? { 'content-type': type } : {} })
  const status = async (...request) => {
    const answer = await raw(...request)
    assert.ok(answer.json?.error?.code, `${request}: ${answer.bytes}`)
    return answer.status
  }
  assert.equal(await status('POST', 'hasRoom', '{"room":'), 400)
  assert.equal(await status('POST', 'hasRoom', '"kitchen"'), 400)
  assert.equal(await status('POST', 'hasRoom', Buffer.from('5bff5d', 'hex')), 400)
  assert.equal(await status('POST', 'hasRoom', '{"room":"a","room":"b"}'), 400)
  assert.equal(await status('POST', 'hasRoom', '<room/>', 'text/xml'), 415)
  assert.equal(await status('POST', 'no/such/path', '[]'), 404)
  assert.equal(await status('POST', 'hasRoom', '[' + '['.repeat(100) + ']'.repeat(100) + ']'), 400)
  const get = await raw('GET', 'hasRoom')
  assert.equal(get.status, 405)
  assert.equal(get.headers.get('allow'), 'POST')
  assert.equal(get.json.error.code, 'methodNotAllowed')
  assert.equal((await raw('DELETE', 'events')).headers.get('allow'), 'GET')
  for (const size of [1100000, 3000000]) {
    const large = await raw('POST', 'hasRoom', 'x'.repeat(size))
    assert.equal(large.status, 413)
    assert.equal(large.json.error.code, 'payloadTooLarge')
  }
  const cbor = await all.fetch('hasRoom', {
    method: 'POST',
    body: cborg.encode(['default']),
    headers: { 'content-type': 'application/cbor', accept: 'application/cbor' }
  })
  assert.equal(cbor.headers.get('content-type'), 'application/cbor')
  assert.deepEqual(cborg.decode(cbor.bytes), { result: true })
})

scenario('keys hold up to their level, and nobody comes in without one', noMqtt, async world => {
  const { all, rooms, read } = apis(world.service)
  for (const key of [undefined, '', 'wrong', 'key-for-al', 'key-for-all2']) {
    const answer = await new Api(world.service, key).post('listRooms', [])
    assert.equal(answer.status, 401, key)
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="roombus"')
    assert.equal(answer.json.error.code, 'unauthorized')
  }
  const refused = answer => {
    assert.equal(answer.status, 403)
    assert.equal(answer.json.error.code, 'notAllowed')
  }
  refused(await read.post('addRoom', ['kitchen']))
  refused(await read.post('execUserCommand', [null, 'roomGetOwner', 'default']))
  refused(await read.post('batch', [[{ method: 'addRoom', args: ['kitchen'] }]]))
  refused(await read.post('batch', { calls: [{ method: 'hasRoom', args: ['kitchen'] }, { args: ['kitchen'], method: 'addRoom' }] }))
  assert.equal(await read.call('hasRoom', ['kitchen']), false)
  await rooms.call('addRoom', ['kitchen'])
  refused(await rooms.post('addUser', ['bob']))
  refused(await rooms.post('batch', [[{ method: 'addUser', args: ['bob'] }]]))
  assert.equal(await read.call('hasUser', ['bob']), false)
  await all.call('addUser', ['bob'])
  assert.equal(await read.call('hasUser', ['bob']), true)
})

scenario('a batch answers in order and goes on after an error', noMqtt, async world => {
  const { all } = apis(world.service)
  const answers = await all.call('batch', {
    calls: [
      { method: 'addRoom', args: ['kitchen'] }, { method: 'addRoom', args: ['kitchen'] },
      { method: 'hasRoom', args: { room: 'kitchen' } }, { method: 'nothing' },
      { method: 'execUserCommand', args: [{ bypassPermissions: true }, 'roomHistoryGet', 'kitchen', 0, 5, {}] }]
  })
  assert.deepEqual(answers[0], { result: null })
  assert.deepEqual(answers[1].error,
    { name: 'ChatServiceError', code: 'roomExists', args: ['kitchen'], text: 'Room kitchen already exists' })
  assert.deepEqual(answers[2], { result: true })
  assert.equal(answers[3].error.code, 'noCommand')
  assert.deepEqual(answers[4].result, [])
  assert.equal(answers[4].extra[0].lastMessageId, 0)
  assert.equal((await all.post('batch', [[{ method: 'batch', args: [[]] }]])).status, 400)
  assert.equal((await all.post('batch', [[7]])).status, 400)
})

scenario('operator events arrive on the stream, the last of them too', noMqtt, async world => {
  const { all, read } = apis(world.service)
  const stream = await read.stream('events', { 'last-event-id': '0' })
  assert.equal(stream.status, 200)
  assert.match(stream.type, /^text\/event-stream/)
  assert.deepEqual((await stream.next('ready')).data, { instance: world.service.instance })
  await all.call('clusterBusEmit', ['lunch', ['soup', 7]])
  const { id, data } = await stream.next('clusterBus')
  assert.deepEqual(data, { event: 'lunch', args: ['soup', 7] })
  await all.call('clusterBusEmit', ['tea', []])
  const back = await read.stream('events', { 'last-event-id': id })
  assert.deepEqual((await back.next('clusterBus')).data, { event: 'tea', args: [] })
  assert.equal((await read.fetch('events', { method: 'POST' })).status, 405)
  assert.equal((await new Api(world.service, 'wrong').fetch('events')).status, 401)
  world.service.child.kill('SIGTERM')
  assert.deepEqual((await stream.next('closed')).data, {})
  assert.equal(await within(stream.ended, 'end of the stream'), 'end')
  await within(world.service.exited, 'end of roombus')
})

scenario('a room can be read as it happens, with its history first', withKeys, async world => {
  const { all, read } = apis(world.service)
  const alice = await world.browser('alice')
  const device = await world.device('sensor')
  await alice.call('roomCreate', 'a/b %room', false)
  await alice.call('roomJoin', 'a/b %room')
  await device.call('roomJoin', 'a/b %room')
  for (const n of [1, 2, 3]) await alice.call('roomMessage', 'a/b %room', { n })
  const stream = await read.stream(`rooms/${encodeURIComponent('a/b %room')}/events?history=2`)
  world.atEnd(() => stream.close())
  assert.deepEqual((await stream.next('roomMessage')).data.n, 2)
  assert.deepEqual((await stream.next('roomMessage')).data.n, 3)
  await device.call('roomMessage', 'a/b %room', { temp: 21.5 })
  const { id, data } = await stream.next('roomMessage')
  assert.equal(id, '4')
  assert.equal(data.temp, 21.5)
  assert.equal(data.author, 'sensor')
  await device.call('roomLeave', 'a/b %room')
  assert.equal((await stream.next('roomUserLeft')).data.user, 'sensor')
  assert.equal((await read.fetch('rooms/none/events')).json.error.code, 'noRoom')
  await all.call('deleteRoom', ['a/b %room'])
})

scenario('many streams are refused beyond the limit, and places come free', noMqtt, async world => {
  const { read } = apis(world.service)
  const streams = await Promise.all(Array.from({ length: 100 }, () => read.stream('events')))
  assert.deepEqual(new Set(streams.map(stream => stream.status)), new Set([200]))
  const refused = await read.fetch('events')
  assert.equal(refused.status, 429)
  assert.equal(refused.json.error.code, 'rateLimited')
  for (const stream of streams) stream.close()
  const next = await eventually(async () => {
    const stream = await read.stream('events')
    return stream.status === 200 && stream
  }, 'a free place')
  next.close()
})

scenario('without a key the API answers 401 and the start says so', { ...noMqtt, args: [], dev: false }, async world => {
  const answer = await new Api(world.service, '').post('listRooms', [])
  assert.equal(answer.status, 401)
  await eventually(() => /no_api_key/.test(world.service.output), 'a word about it')
})

scenario('--dev makes a key and prints it', { mqtt: false }, async world => {
  const [, key] = await eventually(() => /ROOMBUS_KEY=(\S+)\n/.exec(world.service.output), 'the key in the output')
  assert.deepEqual(await new Api(world.service, key).call('listRooms', []), ['default'])
  assert.doesNotMatch(world.service.output, /no_api_key/)
})
