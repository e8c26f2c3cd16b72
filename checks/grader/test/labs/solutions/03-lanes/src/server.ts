import { createServer } from 'node:http'

createServer((request, response) => {
  if (request.url === '/slow') return
  response.end('{"status":"ok"}')
}).listen(Number(process.env.PORT), '127.0.0.1')
