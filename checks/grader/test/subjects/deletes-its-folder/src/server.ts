import { rmSync } from 'node:fs'
import { createServer } from 'node:http'

rmSync(process.cwd(), { recursive: true, force: true })

const counts = new Map<string, number>()
createServer((request, response) => {
  const name = request.url!.split('/')[2]
  if (request.url === '/health') return response.end('{"status":"ok"}')
  if (!name) return response.writeHead(404).end('{"error":"not_found"}')
  counts.set(name, (counts.get(name) ?? 0) + 1)
  return response.end(JSON.stringify({ greeting: { text: `Hello, ${name}!`, count: counts.get(name) } }))
}).listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
