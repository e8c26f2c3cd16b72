import { eventually, say, type Answer, type HeldLock, type StartedRole } from '#harness'
import type { Service } from './instances.ts'

/** Where the messages of a channel are. */
export function channel(name: string): string {
  return `/api/channels/${encodeURIComponent(name)}/messages`
}

/** The texts of a channel as an instance lists them; what it says instead, if it says something else. */
export async function textsAt(app: StartedRole, name: string): Promise<unknown> {
  const answer = await app.get(channel(name))
  const list: unknown = answer.body?.messages
  return Array.isArray(list) ? list.map((message) => message?.text) : (answer.broken?.en ?? answer.status)
}

/** Messages posted at once, which stay in progress as long as the test holds the table. */
export interface HeldMessages {
  lock: HeldLock
  answers: Promise<Answer>[]
  /** Those that have been answered already. */
  answered: Answer[]
}

/**
 * Lets so many messages get stuck in Postgres at `app`: reads pass, inserts wait. Of several processes one may get fewer
 * messages than it has connections: more are sent then, until enough wait.
 */
export async function holdMessages(
  { db }: Pick<Service, 'db'>,
  app: StartedRole,
  { count = 1, waiting = count, post = send }: HoldOptions = {},
): Promise<HeldMessages> {
  const lock = await db.holdLock('messages', 'SHARE')
  const held: HeldMessages = { lock, answers: [], answered: [] }
  const another = async (): Promise<Answer> => {
    const answer = await post(app, held.answers.length)
    held.answered.push(answer)
    return answer
  }
  while (held.answers.length < count) held.answers.push(another())
  const label = say(
    `${waiting} of the messages in progress: ${app.name} waits for the locked table`,
    `メッセージ${waiting}件が処理中になる（${app.name}がロックされた表を待つ）`,
  )
  await eventually(
    label,
    async () => {
      const { length } = await db.activity({ application: app.name, waiting: true })
      if (length < waiting && waiting < count) held.answers.push(another())
      return length
    },
    (seen) => seen >= waiting,
    { every: 20 },
  )
  return held
}

interface HoldOptions {
  count?: number
  /** How many backends must wait for the lock; default all. */
  waiting?: number
  post?: (app: StartedRole, index: number) => Promise<Answer>
}

function send(app: StartedRole, index: number): Promise<Answer> {
  return app.post(channel('held'), { author: 'ann', text: `message ${index}` }, { within: 10_000 })
}
