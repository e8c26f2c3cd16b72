import { createServer } from 'node:http'

const server = createServer((_, response) => {
  response.end('{"status":"ok"}', () => process.exit(1))
})
server.listen(Number(process.env.PORT), '127.0.0.1')
