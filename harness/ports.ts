import { readFileSync } from 'node:fs'
import net from 'node:net'
import { isMainThread, workerData } from 'node:worker_threads'

/** Where the harness takes its ports from. Roles, links and components that must come back on the same port live here. */
const FIRST = 20_000
const LAST = 32_000
/**
 * A command has a block of them to itself: a server that is down for the moment holds its port by nothing else. Of the
 * block, the thread that keeps the topology uses the lower part; of the upper one each of
 * two threads of tests has a part, so that no two try the same port at once.
 */
const BLOCK = 1000
const OF_MAIN = 400
const OF_TESTS = 300

/** Ports that the system may give to any outgoing connection: one that is closed now could answer a moment later. */
function ephemeralRange(): { first: number; last: number } {
  try {
    const [first, last] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/)
    return { first: Number(first), last: Number(last) }
  } catch {
    // Not Linux: macOS and Windows use what IANA recommends.
    return { first: 49_152, last: 65_535 }
  }
}

const ephemeral = ephemeralRange()
/** Ports that must refuse connections for the rest of this process. */
const closed = new Set<number>()

/** A range widened by hand may leave nothing outside; then a port inside is the best there is. */
const outside = (port: number) => port < ephemeral.first || port > ephemeral.last
const someOutside = outside(FIRST) || outside(LAST)

interface Span {
  first: number
  last: number
}

let span: Promise<Span> | undefined
let next: number | undefined

/** The next port of this thread's span, over and over again: what was given back rests as long as it can. */
async function candidate(): Promise<number> {
  const { first, last } = await (span ??= chooseSpan())
  for (;;) {
    next ??= first + Math.floor(Math.random() * (last - first + 1))
    const port = next
    next = port < last ? port + 1 : first
    if (!closed.has(port) && (outside(port) || !someOutside)) return port
  }
}

/** All ports where every block is taken: then two commands may meet. */
async function chooseSpan(): Promise<Span> {
  const [owner, known] = (process.env.WORKBOOK_PORTS ?? '').split(':').map(Number)
  // Threads of a process share its block; a process that inherits the variable has one of its own.
  const block = owner === process.pid ? known : await claimBlock()
  if (!block) return { first: FIRST, last: LAST }
  process.env.WORKBOOK_PORTS = `${process.pid}:${block}`
  if (isMainThread) return { first: block + 1, last: block + OF_MAIN }
  const { lane = 1 } = (workerData as { lane?: number } | null) ?? {}
  const first = block + OF_MAIN + OF_TESTS * (lane - 1)
  return { first: first + 1, last: first + OF_TESTS - 1 }
}

/** Whoever listens on the first port of a block owns it, until it ends. */
async function claimBlock(): Promise<number | undefined> {
  for (let block = FIRST; block + BLOCK <= LAST; block += BLOCK) {
    const claim = net.createServer()
    const claimed = await new Promise<boolean>((resolve) => {
      claim.once('error', () => resolve(false))
      claim.listen({ port: block, host: '127.0.0.1', exclusive: true }, () => resolve(true))
    })
    if (claimed) {
      claim.unref()
      return block
    }
  }
  return undefined
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Whether nothing answers: on macOS binding succeeds beside somebody who listens on all addresses. */
function refuses(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', () => resolve(true))
  })
}

/**
 * A port on which nothing listens now, outside the system's ephemeral range, so that it can be closed and opened
 * again, and the same one not twice within hundreds.
 */
export async function freePort(hosts: readonly string[] = ['127.0.0.1']): Promise<number> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const port = await candidate()
    let free = true
    // One after the other: 0.0.0.0 would get in the way of 127.0.0.1.
    for (const host of hosts) free &&= await canListen(port, host)
    if (free && (await refuses(port))) return port
  }
  throw new Error(`no free port between ${FIRST} and ${LAST} on ${hosts.join(', ')}`)
}

/** A port that refuses connections for the rest of this process: an address at which nobody lives. */
export async function closedPort(): Promise<number> {
  const port = await freePort()
  closed.add(port)
  return port
}
