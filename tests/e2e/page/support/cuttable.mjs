// A TCP way to the service that a test can cut, or make deaf towards the client.

import { once } from 'node:events'
import net from 'node:net'

export class CuttableWay {
  #pairs = new Set()
  #cut = false
  #deaf = false

  static async to (address) {
    const way = new CuttableWay()
    const [host, port] = address.split(':')
    way.server = net.createServer(client => way.#take(client, host, Number(port)))
    way.server.listen(0, '127.0.0.1')
    await once(way.server, 'listening')
    way.address = `127.0.0.1:${way.server.address().port}`
    return way
  }

  #take (client, host, port) {
    client.on('error', () => {})
    if (this.#cut) return client.destroy()
    const service = net.connect(port, host)
    const pair = { client, service }
    this.#pairs.add(pair)
    client.on('data', data => service.write(data))
    service.on('data', data => { if (!this.#deaf) client.write(data) })
    service.on('error', () => {})
    for (const [one, other] of [[client, service], [service, client]]) {
      one.on('close', () => {
        other.destroy()
        this.#pairs.delete(pair)
      })
    }
  }

  /** What the service says no longer reaches the client, what the client says still arrives. */
  deafen () { this.#deaf = true }

  /** Ends every connection and takes no new ones. */
  cut () {
    this.#cut = true
    for (const { client, service } of this.#pairs) {
      client.destroy()
      service.destroy()
    }
  }

  restore () {
    this.#cut = false
    this.#deaf = false
  }

  close () {
    this.cut()
    this.server.close()
  }
}
