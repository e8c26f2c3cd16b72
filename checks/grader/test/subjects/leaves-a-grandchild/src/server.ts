import { spawn } from 'node:child_process'
import { createServer } from 'node:http'

const counts = new Map<string, number>()
const server = createServer((request, response) => {
  const name = request.url!.split('/')[2]
  if (request.url === '/health') return response.end('{"status":"ok"}')
  if (!name) return response.writeHead(404).end('{"error":"not_found"}')
  counts.set(name, (counts.get(name) ?? 0) + 1)
  return response.end(JSON.stringify({ greeting: { text: `Hello, ${name}!`, count: counts.get(name) } }))
})
server.listen(Number(process.env.PORT), '127.0.0.1')

// The heir takes the port over, in a session and with an environment of its own, and says nothing.
const HEIR =
  'require("node:net").createServer().listen(Number(process.argv[1]), "127.0.0.1", () => console.log("mine"))'
process.on('SIGTERM', () => {
  server.close(() => {
    const heir = spawn(process.execPath, ['-e', HEIR, process.env.PORT!], {
      detached: true,
      env: {},
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    heir.stdout!.once('data', () => process.exit(0))
  })
  server.closeAllConnections()
})
