// examples/token_login: who has a token is somebody, and rooms hold shapes only.

import assert from 'node:assert/strict'
import { chatError, errorText } from '../../e2e/support/chat_error.mjs'
import { within } from '../../e2e/support/deadline.mjs'
import { withExample } from './support.mjs'

const generations = [2, 4]

withExample('token_login', 'a token tells who one is, and brings a role', async world => {
  for (const version of generations) {
    const ann = await world.browser({ version, query: { token: 'red-4711' } })
    assert.equal(ann.authData.role, 'painter')
    assert.equal(ann.id, ann.socket.id)
    await ann.call('roomJoin', 'canvas')
    assert.equal(await ann.call('roomGetOwner', 'canvas'), 'ann')
  }
  const bob = await world.browser({ version: 4, auth: { token: 'blue-0815' }, query: {} })
  assert.equal(bob.authData.role, 'guest')
})

withExample('token_login', 'no token and a wrong one are told apart, and both are sent away', async world => {
  for (const version of generations) {
    for (const [query, error] of [[{}, errorText('noLogin')], [{ token: 'red-0000' }, errorText('badToken')]]) {
      const stranger = world.open({ version, query })
      const [told] = await stranger.notified('loginRejected')
      assert.equal(told, error)
      await within(stranger.closed, 'disconnect')
    }
  }
})

withExample('token_login', 'only shapes are messages', async world => {
  const ann = await world.browser({ version: 2, query: { token: 'red-4711' } })
  const bob = await world.browser({ version: 4, query: { token: 'blue-0815' } })
  await ann.call('roomJoin', 'canvas')
  await bob.call('roomJoin', 'canvas')
  for (const wrong of [{ textMessage: 'hello' }, { type: 'shape', x: 1 }, { type: 'shape', x: 1, y: '2' }]) {
    await assert.rejects(ann.call('roomMessage', 'canvas', wrong), chatError('badArgument', 1, wrong))
  }
  const shape = { type: 'shape', x: 1.5, y: -2, colour: 'red' }
  assert.equal(await ann.call('roomMessage', 'canvas', shape), 1)
  const { timestamp, ...rest } = await bob.message('canvas')
  assert.deepEqual(rest, { ...shape, author: 'ann', id: 1 })
})
