import type { Random, StartedRole } from '#harness'
import { newId, order, read, tokenOf, type Shop } from './shop.ts'
import { statusAsNumber } from './positions.ts'

/** What came of so many writes, each read back at a random server while replay is paused and resumed at random. */
export interface Interleavings {
  reads: number
  /** Reads that were older than the user's last write. */
  stale: string[]
}

/** Users write and read at random servers, while the replay of one replica at a time is paused and resumed. */
export async function interleave(
  shop: Shop,
  servers: readonly StartedRole[],
  random: Random,
  { users = 10, times = 8, bringToken = true } = {},
): Promise<Interleavings> {
  const ids = Array.from({ length: users }, () => newId())
  await Promise.all(ids.map((id) => order(random.pick(servers), id)))
  await shop.caughtUp()
  const stale: string[] = []
  let over = false
  const user = async (id: string): Promise<void> => {
    for (let n = 1; n <= times; n++) {
      const written = await random.pick(servers).put(`/orders/${id}`, { status: String(n) })
      const answer = await read(random.pick(servers), id, bringToken ? { token: tokenOf(written) } : {})
      if (statusAsNumber(answer) !== n) stale.push(`${id}: wrote ${n}, read ${answer.status} ${answer.text}`)
    }
  }
  const disturb = async (): Promise<void> => {
    while (!over) {
      const replica = random.pick([shop.replica1, shop.replica2])
      await replica.pauseReplay()
      await shop.row(newId())
      await replica.resumeReplay()
    }
  }
  await Promise.all([Promise.all(ids.map(user)).finally(() => (over = true)), disturb()])
  return { reads: users * times, stale }
}
