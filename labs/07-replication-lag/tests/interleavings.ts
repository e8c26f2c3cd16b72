import { setTimeout as sleep } from 'node:timers/promises'
import type { Random, StartedRole } from '#harness'
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
      const written = await home.put(`/orders/${id}`, { status: String(n) })
      const answer = await read(random.pick(servers), id, { token: tokenOf(written) })
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
