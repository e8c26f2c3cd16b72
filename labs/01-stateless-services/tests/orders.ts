import type { Agent } from 'node:http'
import { eventually, say, type Answer, type Database, type RequestOptions, type StartedRole } from '#harness'

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

/** Each was answered, or waits in Postgres. */
export async function inProgress(db: Database, sent: Sent, count: number): Promise<void> {
  await eventually(
    say(
      `${count} of the orders in progress: answered, or waiting in Postgres`,
      `注文${count}件が処理中になる(応答済み、またはPostgresで待機中)`,
    ),
    async () => {
      const waiting = await db.activity({ waiting: true })
      return sent.answered + waiting.filter(({ application }) => sent.names.includes(application)).length
    },
    (seen) => seen >= count,
    { hint: 2 },
  )
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
