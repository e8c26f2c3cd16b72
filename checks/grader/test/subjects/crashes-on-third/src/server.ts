import { createServer } from 'node:http'

const counts = new Map<string, number>()
let requests = 0
createServer((request, response) => {
  const name = request.url!.split('/')[2]
  if (request.url === '/health') return response.end('{"status":"ok"}')
  if (++requests === 3) throw new Error('three is a crowd')
  counts.set(name!, (counts.get(name!) ?? 0) + 1)
  return response.end(JSON.stringify({ greeting: { text: `Hello, ${name}!`, count: counts.get(name!) } }))
}).listen(Number(process.env.PORT), '127.0.0.1')
