import { createServer, type ServerResponse } from 'node:http'

const piece = Buffer.alloc(1024 * 1024, 'a')

function pour(response: ServerResponse): void {
  while (!response.destroyed && response.write(piece));
  response.once('drain', () => pour(response))
}

createServer((request, response) => {
  if (request.url === '/health') response.end('{"status":"ok"}')
  else pour(response)
}).listen(Number(process.env.PORT), '127.0.0.1')
