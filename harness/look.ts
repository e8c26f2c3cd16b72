import type { Socket } from 'node:net'
import pg from 'pg'
import { endClient, sqlOnce, type Address, type Row } from './sql.ts'

interface Eye {
  client: pg.Client
  socket: Socket
  underway: number
}

/** A connection to each server that was looked at, kept: a new one costs both sides more than the look itself. */
const eyes = new Map<string, Promise<Eye>>()

const LONGEST_MS = 10_000

/** Reads what changes nothing, as the superuser, and so may ask again where the connection was lost. */
export async function look(server: Address, text: string): Promise<Row[]> {
  const key = `${server.host}:${server.port}`
  const known = eyes.get(key)
  const eye = known ?? open(server)
  eyes.set(key, eye)
  try {
    return await ask(await eye, text)
  } catch (error) {
    if (error instanceof pg.DatabaseError && !error.code?.startsWith('57P')) throw error
    if (eyes.get(key) === eye) eyes.delete(key)
    eye.then(({ client }) => endClient(client)).catch(() => {}) // it never opened
    // A silent server is as silent to a second question; one that died may be back.
    if (!known || (error as Error).message === 'Query read timeout') throw error
    return sqlOnce(server, 'postgres', text)
  }
}

async function open({ host, port }: Address): Promise<Eye> {
  const client = new pg.Client({
    host,
    port,
    database: 'postgres',
    user: 'postgres',
    application_name: 'harness',
    connectionTimeoutMillis: LONGEST_MS,
    query_timeout: LONGEST_MS,
  })
  client.on('error', () => {}) // the next look finds out
  await client.connect()
  return { client, socket: client.connection.stream as Socket, underway: 0 }
}

/** While nothing is asked, the connection must not keep a finished thread alive. */
async function ask(eye: Eye, text: string): Promise<Row[]> {
  if (eye.underway++ === 0) eye.socket.ref()
  try {
    return (await eye.client.query<Row>(text)).rows
  } finally {
    if (--eye.underway === 0) eye.socket.unref()
  }
}
