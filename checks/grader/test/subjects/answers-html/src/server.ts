import { createServer } from 'node:http'

createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>It works!</body></html>')
}).listen(Number(process.env.PORT), '127.0.0.1')
