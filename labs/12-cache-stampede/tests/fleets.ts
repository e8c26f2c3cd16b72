import { shared } from '#harness'
import { openFront, warmUp, type Env, type Front } from './front.ts'

/** At s3: nothing is refreshed before its end, which no step but `early` looks at. */
const NEVER_EARLY: Env = { XFETCH_BETA: 0 }
export const NEVER_EARLY_AT = 3

/** Four servers, warm, the same ones for all files of a run that ask for them. */
export const fourServers = (): Promise<Front> =>
  shared('four servers', async () => {
    const front = await openFront(4, {}, [{}, {}, {}, NEVER_EARLY])
    await warmUp(front)
    return front
  })

export const MAX = 4
export const QUEUE = 20

/**
 * Four servers that ask little of Postgres at once. Redis goes away here: whoever has asked it then waits no longer than
 * this. s3 gives it 300 ms, which is not enough on a busy machine where statements are counted.
 */
export const limitedServers = (): Promise<Front> =>
  shared('limited servers', async () => {
    const limits = { DB_MAX_CONCURRENCY: MAX, DB_QUEUE_MAX: QUEUE, REDIS_TIMEOUT_MS: 2000 }
    const front = await openFront(4, limits, [{}, {}, {}, { REDIS_TIMEOUT_MS: 300 }])
    await warmUp(front)
    return front
  })
