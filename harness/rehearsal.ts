import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { http } from './http.ts'
import { openLink } from './link/index.ts'

/** A first time is slow, a second one nearly, a third one no more. */
const TIMES = 3

/**
 * Does, in a thread that waits for its run, what the first test will do: Node loads and compiles code when it first runs,
 * and a learner would wait for that at every save.
 */
class Rehearsal {
  #underway: Promise<void> | undefined

  begin(): void {
    this.#underway = rehearse().catch(() => {}) // the first test is then as slow as it would have been
  }

  /** Nothing of it is in the way of a test any more. */
  async over(): Promise<void> {
    await this.#underway
  }
}

export const rehearsal = new Rehearsal()

/** Requests over a link. */
async function rehearse(): Promise<void> {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const wire = await openLink({
    name: 'rehearsal',
    target: () => ({ host: '127.0.0.1', port }),
    protocol: 'http',
    hosts: ['127.0.0.1'],
    record: () => {},
  })
  for (let i = 0; i < TIMES; i++)
    await http(`http://127.0.0.1:${wire.port}/`, { method: 'POST', body: { i }, to: 'rehearsal' })
  await wire.close()
  server.closeAllConnections()
  server.close()
}
