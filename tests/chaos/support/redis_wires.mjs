// A relay in front of every node of a Redis Cluster, which knows the replicas' connections from those of clients.

import net from 'node:net'
import { eventually } from '../../e2e/support/deadline.mjs'

/** Like topology's Link, but replication can be stalled by itself: the master goes on, and its replica falls behind. */
export class NodeWire {
  #pairs = new Set()
  #state = 'up'
  #lagging = false

  static async open (name, target) {
    const wire = new NodeWire()
    Object.assign(wire, { name, target })
    wire.server = net.createServer(near => wire.#accepted(near))
    await new Promise((resolve, reject) => wire.server.once('error', reject).listen(0, '127.0.0.1', resolve))
    wire.port = wire.server.address().port
    wire.address = `127.0.0.1:${wire.port}`
    return wire
  }

  #accepted (near) {
    if (this.#state === 'cut') { near.resetAndDestroy(); return }
    const [host, port] = this.target.split(':')
    const far = net.connect({ host, port: Number(port), noDelay: true })
    near.setNoDelay(true)
    const pair = { near, far, replica: false }
    this.#pairs.add(pair)
    const end = () => {
      this.#pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
    near.on('data', bytes => {
      if (!pair.replica && bytes.includes('PSYNC')) {
        pair.replica = true
        this.#flow(pair)
      }
      if (!far.write(bytes)) { near.pause(); far.once('drain', () => this.#flow(pair)) }
    })
    far.on('data', bytes => { if (!near.write(bytes)) { far.pause(); near.once('drain', () => this.#flow(pair)) } })
    this.#flow(pair)
  }

  #flow ({ near, far, replica }) {
    if (this.#state === 'stalled') { near.pause(); far.pause(); return }
    near.resume()
    if (replica && this.#lagging) far.pause()
    else far.resume()
  }

  #all () { for (const pair of this.#pairs) this.#flow(pair) }

  /** From now on the replica gets nothing of what the master writes, and nobody is told. */
  lag () { this.#lagging = true; this.#all() }
  catchUp () { this.#lagging = false; this.#all() }

  /** What the replica was not given is lost with the master. */
  loseLag () {
    for (const pair of [...this.#pairs]) if (pair.replica) { pair.near.destroy(); pair.far.destroy() }
    this.#lagging = false
  }

  reset () { for (const { near, far } of [...this.#pairs]) { near.resetAndDestroy(); far.resetAndDestroy() } }
  cut () { this.#state = 'cut'; this.reset() }
  stall () { this.#state = 'stalled'; this.#all() }
  mend () { this.#state = 'up'; this.#all() }

  async close () {
    this.cut()
    await new Promise(resolve => this.server.close(resolve))
  }
}

/** Puts one before each node: the nodes tell everybody, replicas included, to come that way. */
export async function wireCluster (nodes, stable) {
  const wires = []
  for (const node of nodes) {
    const wire = await NodeWire.open(`to ${node.name}`, node.address)
    wires.push(wire)
    node.wire = wire
    const options = { 'cluster-announce-bus-port': node.bus, 'cluster-announce-port': wire.port }
    for (const [name, value] of Object.entries(options)) {
      if (await node.ask('CONFIG', 'SET', name, value) !== 'OK') throw new Error(`${node.name} does not take ${name}`)
      node.args.push(`--${name}`, String(value)) // in its next lives, too
    }
  }
  for (const node of nodes) {
    await eventually(async () => {
      const known = await node.ask('CLUSTER', 'NODES')
      return wires.every(wire => known.includes(`:${wire.port}@`))
    }, `${node.name} knowing the relays`, 20000)
  }
  for (const node of nodes) {
    await eventually(async () => {
      const role = (await node.ask('ROLE')).split('\n')
      return role[0] === 'master' || wires.some(wire => role[2] === String(wire.port))
    }, `${node.name} replicating through a relay`, 20000)
  }
  await stable()
  return wires
}
