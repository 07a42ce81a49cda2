// Whoever reads a room's events without joining it (server API, roombus tail) goes on in a room that another instance
// deletes and makes anew.

import assert from 'node:assert/strict'
import test from 'node:test'
import { startTopology } from '../topology/topology.mjs'
import { Api } from './support/api.mjs'
import { eventually } from './support/deadline.mjs'
import { telling } from './support/outputs.mjs'

const ROOM = 'den'

test('a stream of events outlives the room', { timeout: 60000 }, async () => {
  const t = await startTopology({ instances: 2 })
  await telling(t.instances, async () => {
    const [here, there] = t.instances.map(instance => new Api(instance, t.key))
    await here.call('addRoom', [ROOM, {}])
    await here.call('addUser', ['svc', {}])
    const say = (api, n) => api.call('execUserCommand', [{ userName: 'svc', bypassPermissions: true }, 'roomMessage', ROOM, { n }])
    const stream = await here.stream(`rooms/${ROOM}/events`)
    const heard = n => stream.text.includes(`"n":${n},`)
    // it follows the room a moment after its answer
    let n = 0
    await eventually(async () => { await say(there, ++n); return heard(n) }, 'the first message')
    for (let round = 0; round < 3; round++) {
      await there.call('deleteRoom', [ROOM])
      await there.call('addRoom', [ROOM, {}])
      for (const api of [there, here, there]) {
        const one = ++n
        await say(api, one)
        await eventually(() => heard(one), `message ${one} of round ${round}`)
      }
    }
    const numbers = [...stream.text.matchAll(/"n":(\d+),/g)].map(match => Number(match[1]))
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b), 'each once and in order')
    stream.close()
  })().finally(() => t.close())
})
