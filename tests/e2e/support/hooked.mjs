// A service with hooks outside of its process: a server over HTTP, or workers over MQTT.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { within } from './deadline.mjs'
import { HookServer } from './hook_server.mjs'
import { scenario } from './scenario.mjs'

const mqtt = createRequire(import.meta.url)('mqtt')

const list = names => JSON.stringify(names)

/** A world's parts, to be taken apart; `more` is added. */
const parts = (world, more) => ({
  service: world.service,
  browser: (...args) => world.browser(...args),
  device: (...args) => world.device(...args),
  atEnd: action => world.atEnd(action),
  ...more
})

/**
 * A scenario with a hook server (`server`): `hooks` are called there, `more` is further text of [hooks.http], `config`
 * goes behind it; calls are signed with `secret`. Other options are those of startRoombus; without a broker unless they say so.
 */
export function hooked (name, { hooks, secret, more = '', config = '', ...options }, body) {
  let server
  scenario(name, async t => {
    server = await new HookServer({ secret }).start()
    t.after(() => server.kill())
    return { mqtt: false, ...options, config: `[hooks.http]\nurl = "${server.url}"\nhooks = ${list(hooks)}\n${secret ? `secret = "${secret}"\n` : ''}${more}\n${config}` }
  }, world => body(parts(world, { server })))
}

/**
 * A scenario with one worker on MQTT for these hooks: `answers[hook](body)` is what it answers ({} without one),
 * `asked(hook)` what it was asked. `more` is further text of [hooks.mqtt].
 */
export function worked (name, hooks, body, more = '') {
  scenario(name, { config: overMqtt(hooks, more) }, async world => {
    const answers = {}
    const worker = await hookWorker(world.service, (hook, asked) => answers[hook]?.(asked) ?? {})
    world.atEnd(() => worker.endAsync(true))
    const asked = hook => worker.asked.filter(call => call.hook === hook).map(call => call.body)
    await body(parts(world, { answers, asked, worker }))
  })
}

/** A promise that a test keeps when it likes: a hook answers with `answer`, the test says what by `give`. */
export function held () {
  let give
  const answer = new Promise(resolve => { give = resolve })
  return { answer, give }
}

/** A raw MQTT client. */
export async function rawClient (service, username, options = {}) {
  const one = mqtt.connect(`mqtt://${service.mqtt}`, {
    protocolVersion: 5, username, clientId: `${username}-${Math.random().toString(36).slice(2)}`, reconnectPeriod: 0, ...options
  })
  await within(once(one, 'connect'), `connection of ${username}`)
  one.stream.setNoDelay?.(true)
  return one
}

/** A worker with a shared subscription; `serve(hook, body)` answers, or null for no answer. What it was asked is in `asked`. */
export async function hookWorker (service, serve, options) {
  const one = await rawClient(service, 'worker', options)
  one.asked = []
  one.on('message', (topic, payload, { properties = {} }) => {
    const hook = topic.split('/').at(-1)
    const body = JSON.parse(payload)
    one.asked.push({ hook, body, properties })
    const answer = serve(hook, body)
    if (answer === null) return
    const to = properties.responseTopic ?? body.replyTo
    one.publish(to, JSON.stringify(answer), {
      qos: 1, ...(properties.responseTopic ? { properties: { correlationData: properties.correlationData } } : {})
    })
  })
  const granted = await one.subscribeAsync('$share/workers/roombus/hook/call/+', { qos: 1 })
  assert.equal(granted[0].qos, 1)
  return one
}

/** Configuration of hooks over MQTT; `more` is further text of [hooks.mqtt]. */
export const overMqtt = (hooks, more = '') =>
  `[mqtt]\nhook_workers = ["worker"]\n[hooks.mqtt]\nhooks = ${list(hooks)}\n${more}\n`
