// Whoever is put out of a room hears nothing of it any more, on no transport and no instance, while many messages flow.

import assert from 'node:assert/strict'
import test from 'node:test'
import { hasPlugin } from '../topology/mosquitto.mjs'
import { startTopology } from '../topology/topology.mjs'
import { telling } from './support/outputs.mjs'
import { paced } from './support/pace.mjs'
import { removals } from './support/removal_run.mjs'

const RATE = Number(process.env.REMOVAL_RATE ?? 600)
/** So few that a machine that cannot keep up the rate does not fall behind by seconds. */
const UNDER_WAY = 30
const ROUNDS = Number(process.env.REMOVAL_ROUNDS ?? 12)

for (const delivery of hasPlugin ? ['broker', 'inbox'] : ['inbox']) {
  test(`nothing reaches the removed, ${delivery} delivery`, { timeout: 100000 }, async context => {
    const t = await startTopology({ instances: 2, delivery })
    await telling(t.instances, async () => {
      await t.devicesShared()
      const { rounds, rate, failed } = await removals(t, { rate: RATE, rounds: ROUNDS, underWay: UNDER_WAY })
      const times = rounds.map(round => round.ms).sort((a, b) => a - b)
      context.diagnostic(`${rate.toFixed(0)} messages per second; acks after ${times.map(ms => ms.toFixed(0)).join(' ')} ms`)
      assert.equal(failed, 0, 'all messages were accepted')
      assert.ok(rate > RATE / paced(4), `${rate} messages per second`)
      let late = 0
      for (const [n, { boundary, sameBoundary, clients }] of rounds.entries()) {
        assert.ok(sameBoundary, `round ${n}: one order on both instances`)
        for (const [c, { kind, got }] of clients.entries()) {
          const who = `round ${n}, ${kind} ${c}`
          const messages = got.filter(item => item.name === 'roomMessage')
          assert.ok(messages.length > 0, `${who} heard the room before`)
          assert.deepEqual(messages.filter(item => item.id > boundary).map(item => item.id), [], `${who}: accepted after the removal (${boundary})`)
          const after = got.filter(item => item.afterAck)
          // what the broker held for a device that is there
          if (kind === 'device') late += after.length
          else assert.deepEqual(after, [], `${who}: after the ack`)
        }
      }
      context.diagnostic(`${late} held by the broker`)
    })().finally(() => t.close())
  })
}
