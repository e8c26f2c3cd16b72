import {
  eventually,
  expect,
  say,
  type Answer,
  type Database,
  type Exit,
  type StartedRole,
  type Text,
} from '#harness'

/** Connections that Postgres counts for an instance, all its processes together. */
export async function connectionsOf(db: Database, app: StartedRole): Promise<number> {
  return (await db.activity({ application: app.name })).length
}

/**
 * The most of them, looked at between further requests to its processes: none has an idle moment to open more. A
 * `/health` that asks the database gets no answer now, and none is waited for.
 */
export async function mostConnections(db: Database, app: StartedRole): Promise<number> {
  let most = 0
  for (let look = 0; look < 5; look++) {
    await Promise.all(Array.from({ length: 6 }, () => app.get('/health', { within: 200 })))
    most = Math.max(most, await connectionsOf(db, app))
  }
  return most
}

const processOf = (answer: Answer): number => Number(answer.headers['x-process'])

/** Asks until three processes have answered; their ids. */
export async function processesOf(
  app: StartedRole,
  ask: (within: number) => Promise<Answer>,
  without?: number,
): Promise<number[]> {
  let seen = new Set<number>()
  await eventually(
    say('answers of three processes', '3つのプロセスが応答する'),
    async () => {
      // A connection that was meant for a process which has just died may never be answered.
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(250)))
      seen = new Set([...seen, ...answers.filter(({ status }) => status > 0).map(processOf)])
      if (without !== undefined) seen.delete(without)
      return seen.size
    },
    (size) => size >= 3,
    { hint: 2 },
  )
  const strangers = [...seen].filter((pid) => !app.pids().includes(pid))
  expect(
    strangers.length,
    say('ids in X-Process that are no process of the instance', 'インスタンスのプロセスでないX-Process'),
  ).toBe(0)
  return [...seen]
}

/** Waits for an instance's end after SIGTERM; how it ended, as a learner reads it. */
export async function ended(app: StartedRole, within: number, hint?: 1 | 2 | 3): Promise<string> {
  const label = say(`${app.name} ends within ${within} ms`, `${app.name}が${within}ミリ秒以内に終了する`)
  return eventually(
    label,
    () => (app.exit ? describe(app.exit) : RUNNING),
    (seen) => seen !== RUNNING,
    { within, hint },
  )
}

const RUNNING = 'running'

export const EXIT: Text = say('how it ended', '終了のしかた')

function describe({ code, signal }: Exit): string {
  return signal ?? `exit ${code}`
}
