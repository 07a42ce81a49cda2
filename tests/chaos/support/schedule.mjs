// Who does what when: made from the seed before anything starts, so that a seed can be repeated.

/** Rooms that all runs have; created by the configuration, olga is their owner. */
export const rooms = ['attic', 'cellar', 'den 4/ü', 'garden']

/** Configuration that creates them. */
export const roomsConfig = rooms.map(name =>
  `[[room]]\nname = "${name}"\nowner = "olga"\nhistory_max_size = 1000000\nenable_userlist_updates = true\nenable_access_lists_updates = true\n`).join('\n')

/** The clients of a run: some users have several, on both transports. */
export function makeClients (random, delivery) {
  const choose = random.part('clients')
  const clients = []
  const browser = (name, user, version, transports) => clients.push({ name, user, kind: 'browser', version, transports })
  const device = (name, user, version, encoding, clean) =>
    clients.push({ name, user, kind: 'device', version, encoding, clean, delivery, style: version === 5 && choose.chance(0.5) ? 'response' : 'id' })
  browser('olga', 'olga', 4, ['websocket'])
  browser('web1', 'ann', 4, ['websocket'])
  browser('web2', 'bob', 2, ['websocket'])
  browser('web3', 'cid', 4, ['polling'])
  browser('web4', 'dora', 2, ['polling', 'websocket'])
  browser('web5', 'ann', 4, ['polling', 'websocket'])
  device('dev1', 'eve', 4, 'json', true)
  device('dev2', 'fred', 5, 'json', true)
  device('dev3', 'gus', 4, 'cbor', false)
  device('dev4', 'hal', 5, 'cbor', false)
  device('dev5', 'ann', 4, 'json', true)
  device('dev6', 'eve', 5, 'json', false)
  for (const client of clients) {
    client.rooms = client.name === 'olga' ? [...rooms] : choose.shuffled(rooms).slice(0, choose.integer(2, rooms.length))
  }
  return clients
}

/**
 * Operations [{at, client, op, …}] by time, for `ms`. send {room, key, twice, bare, qos}; leave, join {room}; drop (the client
 * cuts itself off); quit {back: ms} (goes in good order and comes back); ban {room, user, ms}.
 */
export function makeOperations (random, clients, ms, perSecond = 30) {
  const choose = random.part('operations')
  const operations = []
  const count = Math.round(perSecond * ms / 1000)
  for (let n = 0; n < count; ++n) {
    const client = choose.pick(clients)
    operations.push({
      at: choose.integer(0, ms),
      client: client.name,
      op: 'send',
      room: choose.pick(client.rooms),
      key: choose.chance(0.6),
      twice: choose.chance(0.1),
      bare: client.kind === 'device' && choose.chance(0.15),
      qos: choose.chance(0.3) ? 2 : 1,
      size: choose.chance(0.05) ? 2000 : choose.integer(0, 60)
    })
  }
  const others = clients.filter(client => client.name !== 'olga')
  const users = [...new Set(others.map(client => client.user))]
  for (let at = 500; at < ms; at += choose.integer(150, 700)) {
    const client = choose.pick(others)
    const room = choose.pick(client.rooms)
    const what = choose.next()
    if (what < 0.45) {
      operations.push({ at, client: client.name, op: 'leave', room })
      operations.push({ at: at + choose.integer(100, 2500), client: client.name, op: 'join', room })
    } else if (what < 0.6) {
      operations.push({ at, client: client.name, op: 'drop' })
    } else if (what < 0.7) {
      operations.push({ at, client: client.name, op: 'quit', back: choose.integer(100, 3000) })
    } else {
      operations.push({ at, client: 'olga', op: 'ban', room: choose.pick(rooms), user: choose.pick(users), ms: choose.integer(300, 3000) })
    }
  }
  return operations.filter(operation => operation.at < ms).sort((a, b) => a.at - b.at)
}
