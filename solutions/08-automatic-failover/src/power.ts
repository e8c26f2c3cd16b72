import { POWER_URL } from './config.ts'

/** Copying a database takes its time. */
const ANSWER_MS = 30_000

/** Resolves when the node can no longer answer anybody. */
export const fence = (node: string): Promise<void> => ask(`/nodes/${node}/fence`)

/** Resolves when the node runs as a standby of `from`, on fresh data. */
export const reseed = (node: string, from: string): Promise<void> => ask(`/nodes/${node}/reseed`, { from })

async function ask(path: string, body: object = {}): Promise<void> {
  const answer = await fetch(POWER_URL + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS),
  })
  await answer.body?.cancel()
  if (answer.status !== 204) throw new Error(`power device: ${answer.status} to ${path}`)
}
