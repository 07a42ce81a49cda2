// Messages flow through a room on several instances while a user with browsers and devices is put out of it and comes
// back, again and again. Everything that reaches the user is recorded, and every ack. Used by removal.test.mjs, and by
// tests/bench/removal.mjs for its times.

import { Api } from './api.mjs'
import { Browser } from './browser.mjs'
import { eventually, within } from './deadline.mjs'
import { Device } from './device.mjs'

const ROOM = 'den'
const VICTIM = 'eve'
const TICK_MS = 5

const turn = () => new Promise(resolve => setImmediate(resolve))
const now = () => performance.timeOrigin + performance.now()

/** Replaces the inbox of a client: what the room tells goes to `take` at once, so nothing piles up. */
function listen (client, take) {
  const { received } = client
  const push = received.push.bind(received)
  received.push = item => {
    const of = client.socket ? item.args[0] : item.room
    if (of !== ROOM || item.name === 'roomAccessRemoved') return push(item)
    const body = client.socket ? item.args[1] : item.payload
    take({ name: item.name, at: now(), id: body.id, user: client.socket ? body : body.user, author: body.author })
  }
}

/** A sender in the room that keeps up its part of the rate; what it hears as a member tells the order of the room. */
class Sender {
  /** `most` messages are under way at most: the rest is left out, and the rate is what comes of it. */
  constructor (client, most) {
    Object.assign(this, { client, most, last: 0, accepted: 0, failed: 0, underWay: 0, left: [], ids: 0 })
    listen(client, item => {
      if (item.name === 'roomMessage') {
        ++this.ids
        this.last = Math.max(this.last, item.id)
        // a PUBACK is the broker's: a device's message has been dealt with when it comes back
        if (!client.socket && item.author === client.user) this.#done()
      } else if (item.name === 'roomUserLeft' && item.user === VICTIM) {
        this.left.push(this.last) // accepted before: up to this id; removed: then
      }
    })
  }

  run (perSecond) {
    const begin = now()
    let sent = 0
    this.timer = setInterval(() => {
      const due = Math.floor((now() - begin) * perSecond / 1000)
      // what could not be sent in time is not made up for
      for (sent = Math.max(sent, due - perSecond); sent < due && this.underWay < this.most; ++sent) this.#send()
      sent = due
    }, TICK_MS)
  }

  #send () {
    ++this.underWay
    const { client } = this
    if (client.socket) client.socket.emit('roomMessage', ROOM, { sentAt: now() }, error => this.#done(error))
    else client.mqtt.publish(`${client.base}/send/${ROOM}`, JSON.stringify({ sentAt: now() }), { qos: 1 }, error => error && this.#done(error))
  }

  #done (error) {
    --this.underWay
    if (error) ++this.failed
    else ++this.accepted
  }

  stop () { clearInterval(this.timer) }
}

/** A client of the user who is put out; keeps what reaches it of the room since the last `begin()`. */
class Victim {
  constructor (client) {
    Object.assign(this, { client, got: [] })
    listen(client, item => this.got.push(item))
  }

  begin () { this.got = [] }
}

/** A remover in this process: edits the blacklist as the room's owner, and answers how long the ack took. */
export async function ownerHere (instance, user) {
  const browser = await Browser.connect(instance, { user })
  return {
    async edit (command) {
      const begin = now()
      await browser.call(command, ROOM, 'blacklist', [VICTIM])
      const ackedAt = now()
      return { ms: ackedAt - begin, ackedAt }
    },
    close: () => browser.close()
  }
}

/**
 * Runs `rounds` removals at `rate` messages per second in all, over topology `t`. `after` messages flow after each ack
 * before the user comes back. A sender has `underWay` messages under way at most. Answers {rounds: [{ms, ackedAt, boundary, clients: [{kind, got}]}], rate, failed}, where
 * `boundary` is the last id that was accepted before the removal, and `got` is all that reached the client until it
 * was let in again, each with `afterAck`.
 */
export async function removals (t, { rate, rounds, after = 100, victims = 2, deviceSenders = 1, underWay = 400, owner = ownerHere }) {
  const [first, second] = t.instances
  await new Api(first, t.key).call('addRoom', [ROOM, { owner: 'boss', enableUserlistUpdates: true }])
  const clients = []
  const keep = client => { clients.push(client); return client }
  const boss = keep(await owner(first, 'boss'))
  const senders = []
  const out = { rounds: [], failed: 0, rate: 0 }
  let ended = false
  const lost = []
  try {
    const device = (user, options = {}) => Device.connect(first, { user, ...t.deviceOptions(user), ...options })
    for (const [n, instance] of [first, second].entries()) {
      senders.push(new Sender(keep(await Browser.connect(instance, { user: `web${n}` })), underWay))
    }
    for (let n = 0; n < deviceSenders; ++n) senders.push(new Sender(keep(await device(`dev${n}`)), underWay))
    const put = []
    for (let n = 0; n < victims; ++n) {
      put.push(new Victim(keep(await Browser.connect(t.instances[(n + 1) % 2], { user: VICTIM }))))
      put.push(new Victim(keep(await device(VICTIM, { client: `${VICTIM}-${n}`, ...(n % 2 ? { version: 5, encoding: 'cbor' } : {}) }))))
    }
    for (const { client } of senders) await client.call('roomJoin', ROOM)
    const [witness, other] = senders
    for (const client of clients) {
      client.closed?.then(why => { if (!ended) lost.push(`${client.id} was closed: ${why ?? ''}`) })
    }
    const begin = now()
    for (const sender of senders) sender.run(rate / senders.length)
    for (let round = 0; round < rounds; ++round) {
      for (const victim of put) victim.begin()
      await Promise.all(put.map(victim => within(victim.client.call('roomJoin', ROOM), 'join')))
      // all of them hear the room
      await eventually(() => put.every(victim => victim.got.some(item => item.name === 'roomMessage')), 'messages at the user', 20000)
      let acked = false
      const marks = put.map(() => Infinity)
      const { ms, ackedAt } = await boss.edit('roomAddToList')
      // what had come to our sockets when the ack came is read in this turn, in whatever order
      await turn()
      await turn()
      acked = true
      for (const [i, victim] of put.entries()) marks[i] = victim.got.length
      const both = [witness, other]
      await eventually(() => both.every(sender => sender.left.length > round), 'the end of the user in the room', 20000)
      const boundary = witness.left[round]
      const until = Math.max(witness.last, boundary) + after
      await eventually(() => both.every(sender => sender.last >= until), 'more messages', 20000)
      // replies come behind all that was sent to them before
      for (const victim of put) await within(victim.client.call('listOwnSockets'), 'answer')
      out.rounds.push({
        ms,
        ackedAt,
        acked,
        boundary,
        sameBoundary: other.left[round] === boundary,
        clients: put.map((victim, i) => ({
          kind: victim.client.socket ? 'browser' : 'device',
          got: victim.got.map((item, n) => ({ ...item, afterAck: n >= marks[i] }))
        }))
      })
      await boss.edit('roomRemoveFromList')
    }
    const seconds = (now() - begin) / 1000
    out.failed = senders.reduce((sum, sender) => sum + sender.failed, 0)
    out.rate = witness.ids / seconds
    return out
  } catch (error) {
    const states = senders.map(({ client, last, left, accepted, failed, underWay }) => `${client.user}: last ${last}, left ${left.length}, accepted ${accepted}, failed ${failed}, under way ${underWay}`)
    error.message += ` (round ${out.rounds.length}; ${[...lost, ...states].join('; ')})`
    throw error
  } finally {
    ended = true
    for (const sender of senders) sender.stop()
    await Promise.all(clients.map(client => client.close()))
  }
}
