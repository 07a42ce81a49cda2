// Several instances of roombus over a broker and a Redis, all on free ports of 127.0.0.1 and in a folder of their own.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ending } from '../e2e/support/ending.mjs'
import { divided } from '../e2e/support/partitions.mjs'
import { makeInstance } from './instances.mjs'
import { startEjabberd } from './ejabberd.mjs'
import { Link } from './link.mjs'
import { startMosquitto } from './mosquitto.mjs'
import { startRedis, startRedisCluster } from './redis.mjs'

/** The server API's key of all instances. */
export const KEY = 'key-of-the-topology'

/**
 * Starts everything and waits until it serves. README.md tells what comes back.
 * @param instances how many roombus
 * @param brokerNodes nodes of the broker; Mosquitto has one
 * @param redis 'single' or 'cluster' (three masters, three replicas)
 * @param broker 'mosquitto' or 'ejabberd'
 * @param delivery 'broker' (our plugin) or 'inbox'; what the broker can do when left out
 * @param links put a relay that can be cut between each instance and its broker, and its Redis where that is single
 * @param config more text of the configuration file of every instance, or a function (n) => text
 * @param mqtt more keys of [mqtt]
 * @param env more environment of the instances
 */
export async function startTopology (options) {
  for (let attempt = 1; ; ++attempt) {
    try {
      return await startOnce(options)
    } catch (error) {
      if (!error.portTaken || attempt === 3) throw error
    }
  }
}

async function startOnce ({
  instances = 1, brokerNodes, redis = 'single', broker = 'mosquitto', delivery, links = false, config = '', mqtt = {}, env = {}
} = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'roombus-topology-'))
  const topology = { folder, instances: [], brokers: [], redis: [], links: [], key: KEY }
  const closers = []
  /** Waits until the running instances have shared out the devices: while a part moves, a request of it may stay unanswered. */
  topology.devicesShared = async () => {
    if (topology.instances.length > 1) await divided(topology.instances.filter(instance => instance.running && !instance.frozen))
  }
  topology.close = async () => {
    await ending(ends => {
      ends(folder, folder => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
      for (const node of [...topology.brokers, ...topology.redis]) ends(node, node => node.kill())
      for (const close of closers) ends(undefined, close)
      for (const link of topology.links) ends(link, link => link.close())
      // instances first: in good order they leave nothing behind
      ends(topology.instances, instances => Promise.all(instances.map(instance => { instance.thaw(); return instance.kill() })))
    })
  }
  try {
    const store = redis === 'cluster' ? await startRedisCluster(folder) : await startRedis(folder)
    topology.redis = store.nodes
    topology.redisMasters = store.masters
    topology.redisStable = store.stable
    const chosen = await startBroker(broker, folder, { brokerNodes, delivery })
    topology.brokers = chosen.nodes
    topology.deviceOptions = chosen.deviceOptions
    topology.brokerStable = chosen.stable ?? (async () => {})
    closers.push(chosen.close)
    for (let n = 0; n < instances; ++n) {
      const node = chosen.nodes[n % chosen.nodes.length]
      const own = { bridge: node.bridgeAddress ?? node.address, devices: node.address }
      let storeConfig = store.config
      if (links) {
        const toBroker = await Link.open(`roombus-${n} to ${node.name}`, own.bridge)
        topology.links.push(toBroker)
        own.bridge = toBroker.address
        own.link = toBroker
        if (redis !== 'cluster') {
          const toRedis = await Link.open(`roombus-${n} to redis`, store.nodes[0].address)
          topology.links.push(toRedis)
          storeConfig = storeConfig.replace(store.nodes[0].address, toRedis.address)
          own.redisLink = toRedis
        }
      }
      const instance = await makeInstance(folder, n, {
        broker: own, mqtt: { ...chosen.config, ...mqtt }, store: storeConfig, config: typeof config === 'function' ? config(n) : config, env, key: KEY
      })
      topology.instances.push(Object.assign(instance, { brokerLink: own.link, redisLink: own.redisLink, broker: node }))
    }
    await Promise.all(topology.instances.map(instance => instance.start()))
    return topology
  } catch (error) {
    await topology.close()
    throw error
  }
}

async function startBroker (kind, folder, { brokerNodes, delivery }) {
  if (kind === 'mosquitto') {
    if ((brokerNodes ?? 1) !== 1) throw new Error('Mosquitto has one node')
    return startMosquitto(folder, { delivery })
  }
  if (kind === 'ejabberd') {
    if (delivery !== undefined && delivery !== 'inbox') throw new Error('ejabberd has no plugin of ours')
    return startEjabberd(folder, { brokerNodes })
  }
  throw new Error(`broker ${kind}?`)
}
