// Starts the original on a free port; prints {"http":"host:port","pid":…} when it is ready. SIGTERM ends it.

import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const ChatService = createRequire(`${process.argv[2]}/package.json`)('chat-service')

const http = createServer((request, response) => response.end())
http.listen(0, '127.0.0.1', () => {
  const service = new ChatService({
    enableRoomsManagement: true,
    historyMaxGetMessages: 100,
    historyMaxSize: 10000,
    transportOptions: { http }
  }, {
    onConnect: (chat, id) => Promise.resolve(chat.transport.getHandshakeData(id).query.user)
  })
  service.on('ready', () => {
    console.log(JSON.stringify({ http: `127.0.0.1:${http.address().port}`, pid: process.pid }))
  })
  process.on('SIGTERM', () => service.close().finally(() => process.exit(0)))
})
