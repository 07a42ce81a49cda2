// Faults by name: each does one thing to a running layout and mends it again.

import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import path from 'node:path'
import { eventually } from '../../e2e/support/deadline.mjs'
import { delay } from './program.mjs'

/** Where a fault can run, what it touches, and how it is done. `choose` is the fault's own stream of choices. */
export const faults = {
  none: { layouts: ['sqlite', 'redis', 'cluster', 'cluster-redis', 'topology'], touches: [], async run () { await delay(1000) } },

  'kill-instance': {
    layouts: ['sqlite', 'redis', 'cluster', 'cluster-redis', 'topology'],
    touches: layout => layout.brokers.length ? ['instance'] : ['instance', 'broker'],
    async run (layout, choose) {
      const instance = choose.pick(layout.instances)
      await instance.kill()
      await delay(choose.pick([0, choose.integer(0, 1500), choose.integer(3000, 6000)]))
      await startAgain(instance)
    }
  },

  'stop-instance': {
    layouts: ['sqlite', 'redis', 'cluster', 'cluster-redis', 'topology'],
    touches: ['instance'],
    async run (layout, choose, { stopMs = 20000 }) { await freeze(choose.pick(layout.instances), stopMs) }
  },

  'stop-instance-short': {
    layouts: ['sqlite', 'redis', 'cluster', 'cluster-redis', 'topology'],
    touches: ['instance'],
    async run (layout, choose) { await freeze(choose.pick(layout.instances), choose.integer(300, 2500)) }
  },

  'kill-redis': {
    layouts: ['redis', 'cluster'],
    touches: ['redis'],
    async run (layout, choose) {
      const [redis] = layout.redis
      await redis.kill()
      await delay(choose.pick([0, choose.integer(0, 1500), choose.integer(3500, 5000)]))
      await startAgain(redis)
    }
  },

  'stop-redis': {
    layouts: ['redis', 'cluster', 'cluster-redis'],
    touches: ['redis'],
    async run (layout, choose) { await freeze(choose.pick(layout.redis), choose.pick([choose.integer(300, 3500), choose.integer(6000, 8000)])) }
  },

  'kill-redis-master': {
    layouts: ['cluster-redis', 'topology'],
    touches: ['redis'],
    async run (layout, choose) {
      await layout.redisStable()
      const master = choose.pick(await layout.redisMasters())
      await master.kill()
      await delay(choose.pick([choose.integer(0, 500), choose.integer(4000, 7000)]))
      await startAgain(master)
      await layout.redisStable()
    }
  },

  'kill-redis-master-lagging': {
    layouts: ['cluster-redis', 'topology'],
    touches: ['redis'],
    // its replica has not got what it wrote last: what was answered without the replica is lost
    async run (layout, choose) {
      await layout.redisStable()
      const master = choose.pick(await layout.redisMasters())
      master.wire.lag()
      await delay(choose.integer(500, 1500))
      await master.kill()
      master.wire.loseLag()
      await delay(choose.integer(4000, 7000))
      await startAgain(master)
      await layout.redisStable()
    }
  },

  'kill-broker': {
    layouts: ['sqlite', 'redis', 'cluster', 'cluster-redis'],
    touches: ['broker'],
    async run (layout, choose) {
      if (layout.brokers.length === 0) {
        const pid = await layout.instances[0].brokerPid()
        if (pid) process.kill(pid, 'SIGKILL')
        await eventually(async () => ![undefined, pid].includes(await layout.instances[0].brokerPid()), 'a new broker', 20000)
        return
      }
      const [broker] = layout.brokers
      await broker.kill()
      await delay(choose.pick([0, choose.integer(0, 1500), choose.integer(3000, 5000)]))
      await startAgain(broker)
    }
  },

  'stop-broker': {
    layouts: ['sqlite', 'redis', 'cluster', 'cluster-redis'],
    touches: ['broker'],
    async run (layout, choose) {
      const ms = choose.integer(300, 6000)
      if (layout.brokers.length) return freeze(layout.brokers[0], ms)
      const pid = await layout.instances[0].brokerPid()
      if (!pid) return
      process.kill(pid, 'SIGSTOP')
      await delay(ms)
      process.kill(pid, 'SIGCONT')
    }
  },

  'kill-broker-node': {
    layouts: ['topology'],
    touches: ['broker'],
    async run (layout, choose) {
      await layout.brokerStable()
      const node = choose.pick(layout.brokers)
      await node.kill()
      await delay(choose.integer(0, 5000))
      await startAgain(node)
      await layout.brokerStable()
    }
  },

  'cut-clients': wire('client-instance', ['sqlite', 'redis', 'cluster', 'cluster-redis', 'topology'], []),
  'cut-devices': wire('device-broker', ['sqlite', 'redis', 'cluster', 'cluster-redis', 'topology'], ['device-broker']),
  'cut-broker': wire('instance-broker', ['redis', 'cluster', 'cluster-redis', 'topology'], ['instance-broker']),
  'cut-redis': wire('instance-redis', ['redis', 'cluster', 'cluster-redis', 'topology'], ['redis']),

  'full-disk': {
    layouts: ['sqlite'],
    touches: ['disk'],
    smallDisk: true,
    async run (layout, choose) {
      const ballast = path.join(layout.disk.folder, 'ballast')
      fill(ballast, layout.disk.bytes)
      await delay(choose.integer(500, 4000))
      unlinkSync(ballast)
    }
  },

  'full-disk-kill': {
    layouts: ['sqlite'],
    touches: ['disk', 'instance', 'broker'],
    smallDisk: true,
    async run (layout, choose) {
      const ballast = path.join(layout.disk.folder, 'ballast')
      fill(ballast, layout.disk.bytes)
      await delay(choose.integer(200, 2000))
      await layout.instances[0].kill()
      unlinkSync(ballast)
      await startAgain(layout.instances[0])
    }
  },

  /** Several at once: one of the others, and a cut wire beside it. */
  mixed: {
    layouts: ['redis', 'cluster', 'cluster-redis'],
    touches: ['instance', 'broker', 'redis', 'device-broker', 'instance-broker'],
    async run (layout, choose, options) {
      const names = Object.keys(faults).filter(name => !['none', 'mixed', 'stop-instance'].includes(name) &&
        faults[name].layouts.includes(layout.name))
      const [one, other] = choose.shuffled(names)
      await Promise.all([faults[one].run(layout, choose.part(one), options), delay(choose.integer(0, 1500)).then(() =>
        faults[other].run(layout, choose.part(other), options))])
    }
  }
}

/** A wire of one kind is reset once, cut, or stalled. */
function wire (kind, where, touches) {
  return {
    layouts: where,
    touches,
    async run (layout, choose) {
      const link = choose.pick(layout.links[kind])
      const how = choose.pick(['reset', 'cut', 'stall'])
      link[how]()
      if (how !== 'reset') {
        await delay(choose.integer(200, 5000))
        link.mend()
      }
    }
  }
}

async function freeze (node, ms) {
  if (!node.running || node.frozen) return delay(ms)
  node.freeze()
  await delay(ms)
  node.thaw()
}

/** Another fault may have it in hand, and what it needs may be away. */
async function startAgain (node) {
  await eventually(async () => {
    if (node.running) return true
    try {
      await node.start()
      return true
    } catch (error) {
      node.startError = error.message
      return false
    }
  }, `the return of ${node.name}`, 60000)
}

/** Writes until nothing fits any more. */
function fill (file, bytes) {
  const fd = openSync(file, 'w')
  try {
    for (let size = 1 << 16; size >= 1;) {
      try {
        writeSync(fd, Buffer.alloc(size))
        if ((bytes -= size) < -(64 << 20)) return
      } catch (error) {
        if (error.code !== 'ENOSPC') throw error
        size >>= 4
      }
    }
  } finally {
    closeSync(fd)
  }
}
