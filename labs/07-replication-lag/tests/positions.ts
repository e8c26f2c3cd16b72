import { atEnd, eventually, lsn, say, type Answer, type StartedRole } from '#harness'
import { newId, nextSegment, order, pass4GiB, setOnPrimary, type Shop } from './shop.ts'

/**
 * Both replicas stand still at a position that is less than the primary's as a number and greater as text: `1/3A8` and
 * `1/1000`. Segments are of 1 MB, so one of the next begins with one digit more.
 * @param before runs when the replicas still follow
 */
export async function crossingTexts(
  shop: Shop,
  before: () => Promise<void>,
): Promise<{ replica: string; primary: string }> {
  await pass4GiB(shop)
  await shop.db.sql("SELECT pg_logical_emit_message(true, 'test', repeat('x', 70000))")
  await before()
  await shop.caughtUp()
  await shop.pause()
  const replica = await shop.replica1.position()
  const primary = await eventually(
    say(`a position beyond ${replica} that is less as text`, `${replica}より先で、文字列では小さい位置`),
    async () => {
      await nextSegment(shop.db)
      await shop.db.sql("SELECT pg_logical_emit_message(true, 'test', '')")
      return shop.primary.position()
    },
    (position) => replica > position && lsn(replica) < lsn(position),
    { within: 15_000 },
  )
  return { replica, primary }
}

/**
 * An order whose commit was not yet in the WAL on disk: the role commits asynchronously, and nothing writes for it. Both
 * replicas stand still at what was on disk.
 * @param others servers that stand still meanwhile: a heartbeat of theirs would flush everybody's WAL
 */
export async function unwrittenCommit(
  shop: Shop,
  others: readonly StartedRole[],
): Promise<{ id: string; token: string }> {
  const { primary } = shop
  atEnd(async () => {
    await primary.sql('ALTER ROLE app RESET synchronous_commit')
    await shop.caughtUp()
  })
  await Promise.all([
    setOnPrimary(shop, 'wal_writer_delay', '10s'),
    primary.sql('ALTER ROLE app SET synchronous_commit = off'),
  ])
  // Its connections are new, so the role's setting holds for them.
  const server = await shop.server('server-async', { SAMPLE_MS: 10_000 })
  await Promise.all(others.map((other) => other.freeze()))
  const flushed = async (): Promise<unknown> =>
    (await shop.db.sql('SELECT pg_current_wal_flush_lsn()::text AS lsn'))[0]?.lsn
  const unwritten = await eventually(
    say('an order that is not yet in the WAL on disk', 'まだディスク上のWALにない注文'),
    async () => {
      await shop.resume()
      const id = newId()
      const before = await flushed()
      const token = await order(server, id)
      await primary.caughtUp()
      await shop.pause()
      // Nothing at all was flushed since before the order: they stand where the disk stood.
      return { id, token, asBefore: (await flushed()) === before }
    },
    ({ asBefore }) => asBefore,
    { within: 15_000 },
  )
  await Promise.all(others.map((other) => other.thaw()))
  return unwritten
}

export function statusAsNumber(answer: Answer): number {
  return answer.status === 200 ? Number(answer.body?.status) : -1
}
