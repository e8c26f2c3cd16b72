import { readFileSync } from 'node:fs'
import net from 'node:net'

/** Where the harness takes its ports from. Roles, links and components that must come back on the same port live here. */
const FIRST = 20_000
const LAST = 32_000

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
const handedOut = new Set<number>()

/** A range widened by hand may leave nothing outside; then a port inside is the best there is. */
const outside = (port: number) => port < ephemeral.first || port > ephemeral.last
const someOutside = outside(FIRST) || outside(LAST)

function candidate(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    if (!handedOut.has(port) && (outside(port) || !someOutside)) return port
  }
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
 * again, and never the same one twice in a process.
 */
export async function freePort(hosts: readonly string[] = ['127.0.0.1']): Promise<number> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const port = candidate()
    handedOut.add(port)
    let free = true
    // One after the other: 0.0.0.0 would get in the way of 127.0.0.1.
    for (const host of hosts) free &&= await canListen(port, host)
    if (free && (await refuses(port))) return port
  }
  throw new Error(`no free port between ${FIRST} and ${LAST} on ${hosts.join(', ')}`)
}

/** A port that refuses connections for the rest of this process: an address at which nobody lives. */
export async function closedPort(): Promise<number> {
  return freePort()
}
