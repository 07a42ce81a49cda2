// What the plugin costs Mosquitto per delivery: CPU time of the same broker with and without it, in one run, in turns.
// node plugin_cost.mjs [subscribers] [messages] [turns]; ROOMBUS_PLUGIN and MOSQUITTO name other files.

import { spawn } from 'node:child_process'
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const [subscribers = 200, messages = 2000, turns = 5] = process.argv.slice(2).map(Number)
const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
const plugin = path.resolve(process.env.ROOMBUS_PLUGIN ?? path.join(repository, 'build/bench/lib/roombus_mosquitto.so'))
const mosquitto = process.env.MOSQUITTO ?? '/usr/sbin/mosquitto'

const text = s => Buffer.concat([Buffer.from([s.length >> 8, s.length & 255]), Buffer.from(s)])
function packet (first, ...parts) {
  const body = Buffer.concat(parts)
  const length = []
  let rest = body.length
  do {
    length.push((rest & 127) | (rest > 127 ? 128 : 0))
    rest >>= 7
  } while (rest > 0)
  return Buffer.concat([Buffer.from([first, ...length]), body])
}
const publishPacket = (topic, payload, id) =>
  packet(id ? 0x32 : 0x30, text(topic), id ? Buffer.from([id >> 8, id & 255]) : Buffer.alloc(0), Buffer.from(payload))

/** A connected client that counts the bytes it gets. */
async function connect (port, id, user, password) {
  const socket = net.connect(port, '127.0.0.1').setNoDelay()
  socket.bytes = 0
  socket.on('data', data => { socket.bytes += data.length; socket.wake?.(data) })
  socket.answer = () => new Promise(resolve => { socket.wake = data => { socket.wake = undefined; resolve(data) } })
  const flags = 2 | 128 | (password ? 64 : 0)
  socket.write(packet(0x10, text('MQTT'), Buffer.from([4, flags, 0, 0]), text(id), text(user), password ? text(password) : Buffer.alloc(0)))
  const connack = await socket.answer()
  if (connack[3] !== 0) throw new Error(`CONNACK ${connack[3]} for ${user}`)
  return socket
}

async function cpuMs (pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** CPU time of the broker per delivery, in µs. */
async function measure (withPlugin) {
  const folder = await mkdtemp(path.join(tmpdir(), 'plugin-cost-'))
  const probe = net.createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => probe.once('listening', resolve))
  const { port } = probe.address()
  await new Promise(resolve => probe.close(resolve))
  const salt = randomBytes(12)
  const hash = pbkdf2Sync('secret', salt, 101, 64, 'sha512').toString('base64')
  await writeFile(path.join(folder, 'bridges'), `bridge:$7$101$${salt.toString('base64')}$${hash}\n`)
  const lines = [`listener ${port} 127.0.0.1`, 'set_tcp_nodelay true', 'sys_interval 0', 'max_queued_messages 0']
  if (process.getuid() === 0) lines.push('user root')
  if (withPlugin) lines.push(`plugin ${plugin}`, `plugin_opt_bridge_accounts ${path.join(folder, 'bridges')}`, 'plugin_opt_dev true')
  else lines.push('allow_anonymous true')
  await writeFile(path.join(folder, 'conf'), lines.join('\n') + '\n')
  const child = spawn(mosquitto, ['-c', path.join(folder, 'conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    await new Promise((resolve, reject) => {
      child.stderr.on('data', data => { if (/ running/.test(data)) resolve() })
      child.once('exit', () => reject(new Error('mosquitto ended')))
    })
    const bridge = await connect(port, 'bridge', 'bridge', 'secret')
    const readers = []
    for (let i = 0; i < subscribers; ++i) {
      const reader = await connect(port, `c${i}`, `user${i}`)
      reader.write(packet(0x82, Buffer.from([0, 1]), text('roombus/r/+/json/#'), Buffer.from([0])))
      const suback = await reader.answer()
      if (suback[4] !== 0) throw new Error('SUBACK')
      readers.push(reader)
    }
    if (withPlugin) {
      const answer = () => new Promise(resolve => {
        let all = ''
        bridge.wake = data => {
          all += data
          const found = /(?:state|ack) (\w+) \d+ (?:\d+ last|ok)/.exec(all)
          if (found) { bridge.wake = undefined; resolve(found[1]) }
        }
      })
      bridge.write(packet(0x82, Buffer.from([0, 1]), text('roombus/bus/plugin/answer/bench'), Buffer.from([0])))
      await bridge.answer()
      let heard = answer()
      bridge.write(publishPacket('$CONTROL/roombus/v1', 'roombus 1 bench life - 1 3600000\nhello', 1))
      const incarnation = await heard
      // the bridge logged in first: generations of the readers follow
      const grants = readers.map((_, i) => `\ngrant user${i} c${i} ${i + 2} - room`).join('')
      heard = answer()
      bridge.write(publishPacket('$CONTROL/roombus/v1', `roombus 1 bench life ${incarnation} 2 3600000\nsync${grants}`, 2))
      await heard
    }
    const message = publishPacket('roombus/r/room/json/roomMessage', '{"temp":21.5,"author":"sensor1","id":7,"timestamp":1700000000000}')
    const before = readers.map(r => r.bytes)
    const cpu = await cpuMs(child.pid)
    for (let sent = 0; sent < messages;) {
      const batch = Math.min(100, messages - sent)
      bridge.write(Buffer.concat(Array.from({ length: batch }, () => message)))
      sent += batch
      // all of the batch has arrived everywhere: queues stay short, nothing is dropped
      while (readers.some((r, i) => r.bytes - before[i] < sent * message.length)) await new Promise(resolve => setImmediate(resolve))
    }
    const spent = await cpuMs(child.pid) - cpu
    for (const socket of [bridge, ...readers]) socket.destroy()
    return spent * 1000 / (messages * subscribers)
  } finally {
    child.removeAllListeners('exit')
    child.kill()
    await new Promise(resolve => child.once('exit', resolve))
    await rm(folder, { recursive: true, force: true })
  }
}

const median = list => [...list].sort((a, b) => a - b)[list.length >> 1]
const without = []
const having = []
for (let turn = 0; turn < turns; ++turn) {
  without.push(await measure(false))
  having.push(await measure(true))
}
const show = list => list.map(v => v.toFixed(2)).join(' ')
console.log(`${subscribers} subscribers, ${messages} messages of QoS 0, ${turns} turns; broker CPU per delivery in µs`)
console.log(`without the plugin: median ${median(without).toFixed(2)} (${show(without)})`)
console.log(`with the plugin:    median ${median(having).toFixed(2)} (${show(having)})`)
console.log(`the plugin costs ${(median(having) - median(without)).toFixed(2)} µs per delivery`)
