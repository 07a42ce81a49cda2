// A worker that serves hooks of roombus over MQTT. Start as many as you like: they share one subscription, and each call
// goes to one of them.
//
//   node worker.mjs [mqtt://127.0.0.1:1883] [user name]
//
// with, in the configuration of roombus:
//
//   [mqtt]
//   hook_workers = ["hook-worker"]       # who may serve hooks at the embedded broker
//   [hooks.mqtt]
//   hooks = ["roomMessageBefore", "onJoin"]

import { randomUUID } from 'node:crypto'
import mqtt from 'mqtt'

const [address = 'mqtt://127.0.0.1:1883', username = 'hook-worker'] = process.argv.slice(2)
const prefix = process.env.ROOMBUS_PREFIX ?? 'roombus'

/** What each hook answers: {} to go on, or args, data, results, error. See docs/hooks.md. */
const hooks = {
  /** Readings above 100 degrees are refused, others are rounded. */
  roomMessageBefore ({ args: [room, message], restArgs }) {
    if (typeof message.temp !== 'number') return {}
    if (message.temp > 100) return { error: { code: 'tooHot', args: [message.temp] } }
    return { args: [room, { ...message, temp: Math.round(message.temp * 10) / 10 }, ...restArgs] }
  },

  /** The room "attic" is for those whose name begins with "admin". */
  onJoin ({ roomName, userName }) {
    return roomName === 'attic' && !userName.startsWith('admin') ? { error: { code: 'notAllowed' } } : {}
  }
}

const client = mqtt.connect(address, { protocolVersion: 5, username, clientId: `${username}-${randomUUID()}` })

client.on('connect', async () => {
  await client.subscribeAsync(`$share/${username}/${prefix}/hook/call/+`, { qos: 1 })
  console.log(`serves ${Object.keys(hooks).join(', ')} at ${address}`)
})
client.on('error', error => console.error(error.message))

client.on('message', (topic, payload, { properties = {} }) => {
  const name = topic.slice(topic.lastIndexOf('/') + 1)
  let answer
  try {
    const body = JSON.parse(payload)
    answer = hooks[name]?.(body) ?? {}
  } catch (error) {
    // no answer: roombus does what its on_failure says
    console.error(`${name}: ${error.message}`)
    return
  }
  client.publish(properties.responseTopic, JSON.stringify(answer), {
    qos: 1,
    properties: { correlationData: properties.correlationData, contentType: 'application/json' }
  })
})

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => client.end(false, () => process.exit()))
