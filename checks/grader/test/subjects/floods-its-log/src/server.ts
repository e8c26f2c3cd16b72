import { writeSync } from 'node:fs'
import { createServer } from 'node:http'

const line = `${'x'.repeat(1023)}\n`
const megabyte = Buffer.from(line.repeat(1024))
for (let i = 0; i < 200; i++) for (let at = 0; at < megabyte.length;) at += writeSome(megabyte.subarray(at))

/** The other side may read more slowly than this writes. */
function writeSome(bytes: Buffer): number {
  try {
    return writeSync(1, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}

const counts = new Map<string, number>()
const server = createServer((request, response) => {
  const name = request.url!.split('/')[2]
  if (request.url === '/health') return response.end('{"status":"ok"}')
  if (!name) return response.writeHead(404).end('{"error":"not_found"}')
  counts.set(name, (counts.get(name) ?? 0) + 1)
  return response.end(JSON.stringify({ greeting: { text: `Hello, ${name}!`, count: counts.get(name) } }))
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
