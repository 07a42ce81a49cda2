// Mosquitto, with our plugin (broker delivery) or with access lists (inbox delivery).

import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { existsSync } from 'node:fs'
import { account, plugin } from '../e2e/support/plugin_broker.mjs'
import { Process, accepts, freePorts } from './process.mjs'

const program = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(existsSync) ?? 'mosquitto'

/** True when the plugin is built beside the program under test. */
export const hasPlugin = plugin !== undefined

const deviceRules = `pattern write roombus/u/%u/%c/call/#
pattern write roombus/u/%u/%c/send/+
pattern write roombus/u/%u/%c/status
pattern read roombus/u/%u/%c/#
`

/** Devices log in by name. `delivery` is broker (needs the plugin) or inbox. */
export async function startMosquitto (folder, { delivery = hasPlugin ? 'broker' : 'inbox' } = {}) {
  const home = path.join(folder, 'mosquitto')
  await mkdir(home)
  const file = name => path.join(home, name)
  const [port, bridgePort] = await freePorts(2)
  const common = `set_tcp_nodelay true
max_inflight_messages 1000
max_queued_messages 20000
max_keepalive 65535
sys_interval 0
log_dest stderr
${process.getuid() === 0 ? 'user root\n' : ''}`
  await writeFile(file('bridges'), account('roombus', 'secret'))
  if (delivery === 'broker') {
    await writeFile(file('devices'), '')
    await writeFile(file('mosquitto.conf'), `${common}listener ${port} 127.0.0.1
allow_anonymous false
plugin ${plugin}
plugin_opt_bridge_accounts ${file('bridges')}
plugin_opt_dev true
`)
  } else {
    await writeFile(file('bridge.acl'), 'user roombus\ntopic readwrite #\n')
    await writeFile(file('devices.acl'), deviceRules)
    await writeFile(file('mosquitto.conf'), `per_listener_settings true
${common}listener ${port} 127.0.0.1
allow_anonymous true
acl_file ${file('devices.acl')}
listener ${bridgePort} 127.0.0.1
allow_anonymous false
password_file ${file('bridges')}
acl_file ${file('bridge.acl')}
`)
  }
  const forBridges = delivery === 'broker' ? port : bridgePort
  const node = new Process({
    name: 'mosquitto', command: program, args: ['-c', file('mosquitto.conf')],
    ready: async () => await accepts(port) && await accepts(forBridges)
  })
  Object.assign(node, { kind: 'broker', port, address: `127.0.0.1:${port}`, bridgeAddress: `127.0.0.1:${forBridges}` })
  await node.start()
  return {
    nodes: [node],
    config: { profile: 'mosquitto', identity: delivery === 'broker' ? 'plugin' : 'acl', username: 'roombus', password: 'secret', delivery },
    deviceOptions: () => ({ shared: delivery === 'broker' }),
    async close () {}
  }
}
