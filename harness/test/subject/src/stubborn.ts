import { createServer } from 'node:http'
createServer((_, response) => response.end('{"status":"ok"}')).listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => console.log('no'))
