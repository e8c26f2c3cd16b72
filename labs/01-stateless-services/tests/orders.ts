import type { Agent } from 'node:http'
import { eventually, say, type Answer, type Database, type RequestOptions, type StartedRole } from '#harness'
import { giveTime } from './waits.ts'

type Options = Pick<RequestOptions, 'headers' | 'agent' | 'within'>

/** Posts an order with an idempotency key. */
export function order(app: StartedRole, key: string, body: unknown, options: Options = {}): Promise<Answer> {
  return app.post('/api/orders', body, { ...options, headers: { 'idempotency-key': key } })
}

export const ROWS = say('rows in orders', 'ordersの行数')

/** Orders of this item in Postgres. */
export async function ordersOf(db: Database, item: string): Promise<number> {
  const [row] = await db.sql('SELECT count(*)::int AS count FROM orders WHERE item = $1', [item])
  return row?.count as number
}

/** Repeats an order as a client does, as long as it is told that the first one is still in progress; its id. */
export async function untilTaken(
  app: StartedRole,
  key: string,
  body: object,
  agent?: Agent,
): Promise<number> {
  const taken = await eventually(
    say(`201 for the repeated order at ${app.name}`, `${app.name}に繰り返した注文が201になる`),
    async () =>
      order(app, key, body, { agent }).then(({ status, body: seen, broken }) => ({
        status,
        ...(broken ?? seen),
      })),
    ({ status }) => status === 201,
    { hint: 2 },
  )
  return taken.id
}

export interface Sent {
  names: string[]
  answers: Promise<Answer>[]
  answered: number
}

/** Sends the same order to several instances at once, and keeps an eye on the answers. */
export function sendBoth(apps: StartedRole[], key: string, body: object): Sent {
  const sent: Sent = { names: apps.map((app) => app.name), answers: [], answered: 0 }
  sent.answers = apps.map(async (app) => {
    const answer = await order(app, key, body, { within: 15_000 })
    sent.answered++
    return answer
  })
  return sent
}

/** One of the orders waits for the locked table, and the others have had time to do whatever they do meanwhile. */
export async function inProgress(db: Database, sent: Sent): Promise<void> {
  await eventually(
    say('an order waits in Postgres', '注文がPostgresで待っている'),
    () => waitingOrAnswered(db, sent),
    (seen) => seen >= 1,
    { hint: 2 },
  )
  await timeFor(db, sent)
}

/**
 * Time for these orders to wait in Postgres or to be told 409. They may wait elsewhere, too, for a lock in Redis or by
 * asking again and again, and nobody sees that: so no longer than this, and it is no failure.
 */
export function timeFor(db: Database, sent: Sent): Promise<void> {
  return giveTime(1000, async () => (await waitingOrAnswered(db, sent)) >= sent.answers.length)
}

async function waitingOrAnswered(db: Database, { names, answered }: Sent): Promise<number> {
  const backends = await db.activity({ waiting: true })
  return answered + backends.filter(({ application }) => names.includes(application)).length
}

/** So many clients work through the list side by side. */
export async function inLanes<T>(
  clients: number,
  list: T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = [...list]
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: clients }, lane))
}
