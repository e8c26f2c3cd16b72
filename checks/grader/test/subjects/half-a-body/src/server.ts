import { createServer } from 'node:http'

createServer((request, response) => {
  if (request.url === '/health') return response.end('{"status":"ok"}')
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '60' })
  return response.write('{"greeting":{"text":"Hello')
}).listen(Number(process.env.PORT), '127.0.0.1')
