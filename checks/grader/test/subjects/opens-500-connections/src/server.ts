import { createServer } from 'node:http'
import pg from 'pg'

const clients = Array.from(
  { length: 500 },
  () => new pg.Client({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5000 }),
)
for (const client of clients) {
  client.on('error', () => {})
  client.connect().catch((error: Error) => console.log(error.message))
}

createServer((request, response) => {
  if (request.url === '/health') return response.end('{"status":"ok"}')
  return response.writeHead(500).end('{"error":"database_unavailable"}')
}).listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
