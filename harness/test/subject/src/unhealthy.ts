import { createServer } from 'node:http'

createServer((_, response) => response.writeHead(503).end('{"status":"starting"}')).listen(
  Number(process.env.PORT),
  '127.0.0.1',
  () => console.log('running'),
)
