import { createServer } from 'node:http'

createServer((_, response) => {
  response.end('{"status":"ok"}', () => setTimeout(() => process.exit(4), 50))
}).listen(Number(process.env.PORT), '127.0.0.1')
