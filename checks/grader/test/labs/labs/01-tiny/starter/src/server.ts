import { createServer } from 'node:http'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 })
pool.on('error', () => {})

async function greet(name: string): Promise<{ text: string; count: number }> {
  const { rows } = await pool.query<{ count: number }>(
    'INSERT INTO greetings VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET count = greetings.count + 1 RETURNING count',
    [name],
  )
  return { text: `Hello, ${name}!`, count: rows[0]!.count }
}

async function answer(path: string): Promise<[status: number, body: unknown]> {
  if (path === '/health') return [200, { status: 'ok' }]
  const name = /^\/greetings\/(\w+)$/.exec(path)?.[1]
  if (!name) return [404, { error: 'not_found' }]
  return [200, { greeting: await greet(name) }]
}

const server = createServer((request, response) => {
  answer(request.url ?? '/')
    .catch((error: unknown): [number, unknown] => {
      console.error(error)
      return [500, { error: 'database_unavailable' }]
    })
    .then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
      response.end(JSON.stringify(body))
    })
    .catch(console.error)
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
})
