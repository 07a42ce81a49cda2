// Raw sockets for input that no decent client sends.

import { once } from 'node:events'
import net from 'node:net'
import { within } from './deadline.mjs'

/** A TCP connection; `text` grows with what arrives. */
export async function rawConnection (address) {
  const [host, port] = address.split(':')
  const socket = net.connect(Number(port), host)
  socket.text = ''
  socket.setEncoding('latin1')
  socket.on('data', data => {
    socket.text += data
    socket.emit('more')
  })
  socket.on('error', () => {})
  socket.ended = once(socket, 'close').catch(() => {})
  await within(once(socket, 'connect'), 'TCP connection')
  return socket
}

/** Waits until what arrived matches. */
export function arrived (socket, pattern, what = String(pattern)) {
  return within((async () => {
    while (!pattern.test(socket.text)) {
      if (socket.destroyed) throw new Error(`closed before ${what}: ${JSON.stringify(socket.text)}`)
      await Promise.race([once(socket, 'more'), socket.ended])
    }
    return pattern.exec(socket.text)
  })(), what)
}

/** One HTTP request by hand: its status, or 0 when the connection was closed without an answer. */
export async function status (address, head, body = '') {
  const socket = await rawConnection(address)
  socket.write(Buffer.concat([Buffer.from(head.replaceAll('\n', '\r\n')), Buffer.from(body)]))
  try {
    return Number((await arrived(socket, /^HTTP\/1\.[01] (\d+)/))[1])
  } catch (error) {
    if (socket.destroyed) return 0
    throw error
  } finally {
    socket.destroy()
  }
}

/** One masked WebSocket frame as a client sends it. */
export function frame (opcode, payload, { fin = true, masked = true } = {}) {
  const body = Buffer.from(payload)
  const size = body.length < 126
    ? Buffer.from([body.length])
    : body.length < 65536
      ? Buffer.from([126, body.length >> 8, body.length & 255])
      : Buffer.concat([Buffer.from([127, 0, 0, 0, 0]), Buffer.from(Uint32Array.of(body.length).buffer).reverse()])
  const head = Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode]), size])
  if (!masked) return Buffer.concat([head, body])
  head[1] |= 0x80
  return Buffer.concat([head, Buffer.alloc(4), body]) // a mask of zeros changes nothing
}

/** A WebSocket of Engine.IO, opened, with what arrived so far in `text`. */
export async function rawWebSocket (address, query) {
  const socket = await rawConnection(address)
  socket.write(`GET /socket.io/?${query} HTTP/1.1\r\nHost: ${address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
  await arrived(socket, /101 Switching[\s\S]*0\{"sid"/, 'open packet')
  return socket
}

/** Waits until the server ends the connection, or says by a close frame that it will (it then waits for ours a while). */
export function closing (socket) {
  const told = arrived(socket, /\x88/, 'close frame').catch(() => {})
  return within(Promise.race([socket.ended, told.then(() => /\x88/.test(socket.text) ? true : socket.ended)]), 'close')
}
