import type { Finding } from '../failure.ts'
import { say, type Text } from '../text.ts'
import { describeExit } from './ending.ts'
import type { Exit } from './process.ts'
import { whyNotReady } from './readiness.ts'

/** What has to be known of an instance to say why it did not start. */
interface Starting {
  role: string
  name: string
  port: number
  pid: number
  pids(): number[]
  tail(count: number): string[]
}

/** It ended before it answered. */
export function endedTooSoon(role: Starting, exit: Exit): Finding {
  const end = describeExit(exit, role.tail(50))
  return startFailure(role, say(`the process ended (${end.en})`, `プロセスが終了した（${end.ja}）`))
}

/**
 * It answers nothing, or not with 200.
 * @param since when the wait for it began, as `performance.now()` tells it
 */
export async function neverReady(role: Starting, since = 0): Promise<Finding> {
  const waited = Math.round(performance.now() - since)
  const timedOut = say(`timed out after ${waited} ms: `, `${waited}ミリ秒でタイムアウト。`)
  const observed = await whyNotReady({ pid: role.pid, pids: role.pids(), port: role.port, name: role.name })
  return startFailure(role, say(timedOut.en + observed.en, timedOut.ja + observed.ja))
}

function startFailure({ name, role }: Starting, observed: Text): Finding {
  return {
    outcome: 'error',
    when: say(`starting ${name} (src/${role}.ts)`, `${name}を起動した（src/${role}.ts）`),
    expected: say('GET /health answers 200', 'GET /healthが200を返す'),
    observed,
  }
}
