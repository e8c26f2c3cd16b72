import { createServer } from 'node:http'

createServer((_, response) => response.end('{"status":"ok"}')).listen(0, '127.0.0.1')
