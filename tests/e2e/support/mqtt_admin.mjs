// The server API on MQTT: P/admin/call, P/admin/reply, P/admin/events. Design §3.

import { withKeys } from './api.mjs'

/** Options of a scenario with the server API on MQTT, for the users root and boss. */
export const onMqtt = { args: [...withKeys.args, '--mqtt.admin', '--mqtt.admins', 'root,boss'] }

/** An MQTT client of a privileged account, with its replies and the operator events. */
export async function mqttAdmin (world, user, options = {}) {
  const device = await world.device(user, { birth: false, ...options })
  const reply = `roombus/admin/reply/${user}/${device.client}`
  await device.subscribe([`${reply}/#`, 'roombus/admin/events/#'])
  let last = 0
  return {
    device,
    /** One call; the reply as it was sent. */
    async ask (method, body, { key = 'key-for-all', payload = device.encode({ key, args: body }), properties } = {}) {
      const id = `a${++last}`
      const call = `roombus/admin/call/${user}/${device.client}/${method}`
      if (properties) await device.publish(call, payload, { properties: { correlationData: Buffer.from(id), ...properties } })
      else await device.publish(`${call}/${id}`, payload)
      const mine = ({ topic, packet }) => properties
        ? packet.properties?.correlationData?.toString() === id
        : topic === `${reply}/${id}`
      const item = await device.received.take(i => i.name === 'other' && mine(i), `reply to ${method}`)
      return device.decode(item.payload, item.packet)
    },
    async event (name) {
      const item = await device.received.take(i => i.topic === `roombus/admin/events/${name}`, `event ${name}`)
      return JSON.parse(item.payload.toString())
    },
    reply
  }
}
