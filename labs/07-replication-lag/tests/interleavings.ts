import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, expect, say, type Answer, type Random, type StartedRole, type Text } from '#harness'
import { statusAsNumber } from './positions.ts'
import { newId, order, read, tokenOf, type Shop } from './shop.ts'

/** What came of so many writes, each read back at a random server while replay is paused and resumed at random. */
export interface Interleavings {
  reads: number
  /** Reads that were older than the user's last write. */
  stale: string[]
}

/**
 * Users write at a server of their own and read at any, while the replay of one replica at a time stands still for some
 * reads and goes on.
 */
export async function interleave(
  shop: Shop,
  servers: readonly StartedRole[],
  random: Random,
  { users = 10, times = 8 } = {},
): Promise<Interleavings> {
  const orders = Array.from({ length: users }, () => ({ id: newId(), home: random.pick(servers) }))
  await Promise.all(orders.map(({ id, home }) => order(home, id)))
  await shop.caughtUp()
  const stale: string[] = []
  let done = 0
  let over = false
  const user = async ({ id, home }: { id: string; home: StartedRole }): Promise<void> => {
    for (let n = 1; n <= times; n++) {
      const written = await served(PUT, () => home.put(`/orders/${id}`, { status: String(n) }))
      expect(written).toAnswer(200)
      const token = tokenOf(written)
      const reader = random.pick(servers)
      const answer = await served(GET, () => read(reader, id, { token }))
      if (statusAsNumber(answer) !== n) stale.push(`${id}: wrote ${n}, read ${answer.status} ${answer.text}`)
      done++
    }
  }
  const disturb = async (): Promise<void> => {
    while (!over) {
      const replica = random.pick([shop.replica1, shop.replica2])
      await replica.pauseReplay()
      const enough = done + users
      while (!over && done < enough) await sleep(1)
      await replica.resumeReplay()
    }
  }
  await Promise.all([Promise.all(orders.map(user)).finally(() => (over = true)), disturb()])
  return { reads: users * times, stale }
}

const PUT = say('an answer to PUT /orders/:id that is no 503', 'PUT /orders/:idへの503でない応答')
const GET = say('an answer to GET /orders/:id that is no 503', 'GET /orders/:idへの503でない応答')

/** The answer to a request that is sent again after a 503: a server that gets no connection in time may say that. */
async function served(label: Text, ask: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined
  await eventually(
    label,
    async () => (answer = await ask()).status,
    (status) => status !== 503,
  )
  return answer!
}
