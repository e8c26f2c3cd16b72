import net from 'node:net'
import { freePort } from '../ports.ts'

const RETRY_MS = 20
const PATIENCE_MS = 2000

/** Listens on one port of several addresses, can stop so that connections are refused, and listen there again. */
export class Listener {
  readonly hosts: readonly string[]
  port: number
  readonly #accept: (socket: net.Socket) => void
  #servers: net.Server[] = []

  constructor(hosts: readonly string[], port: number, accept: (socket: net.Socket) => void) {
    this.hosts = hosts
    this.port = port
    this.#accept = accept
  }

  get listening(): boolean {
    return this.#servers.length > 0
  }

  async start(): Promise<void> {
    if (this.listening) return
    const chosen = this.port === 0
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const port = chosen ? await freePort(this.hosts) : this.port
      try {
        this.#servers = await this.#all(port)
        this.port = port
        return
      } catch (error) {
        if (!isTaken(error) || performance.now() > deadline) throw error
        // Somebody is trying our port just now, or took the chosen one first.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  /** From here on the system refuses connections; those that stand are not touched. */
  stop(): void {
    for (const server of this.#servers.splice(0)) server.close()
  }

  async #all(port: number): Promise<net.Server[]> {
    const servers: net.Server[] = []
    try {
      for (const host of this.hosts) servers.push(await listen(host, port, this.#accept))
      return servers
    } catch (error) {
      for (const server of servers) server.close()
      throw error
    }
  }
}

function listen(host: string, port: number, accept: (socket: net.Socket) => void): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, accept)
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      // Accepting can fail when the process is out of descriptors; the client then sees a reset.
      server.on('error', () => undefined)
      resolve(server)
    })
  })
}

const isTaken = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
