import { ALERT_AFTER, ALERT_LAG_BYTES, ALERT_LAG_SECONDS, ALERT_URL } from './config.ts'
import { bytesBehind, type Lsn } from './lsn.ts'
import type { Replica } from './nodes.ts'

/** The webhook's own time limit: it must not pile up requests that nobody answers. */
const WEBHOOK_MS = 2000

// #region alert
/** An alert is a change of state: it changes when so many samples in a row say the other thing. */
export function countAlert(replica: Replica, head: Lsn): void {
  const lagBytes = replica.replayed === null ? null : bytesBehind(head, replica.replayed)
  const { lagSeconds } = replica
  const lagging = lagBytes === null || lagBytes > ALERT_LAG_BYTES || (lagSeconds ?? 0) > ALERT_LAG_SECONDS
  const resolved = replica.alert && !lagging
  replica.contrary = lagging ? replica.contrary + 1 : 0
  replica.alert = replica.contrary >= ALERT_AFTER
  if (!replica.alert && !resolved) return
  post({ replica: replica.name, state: lagging ? 'firing' : 'resolved', lagBytes, lagSeconds })
}

/** Told, not awaited: samples and reads go on whatever the webhook does. */
function post(alert: object): void {
  if (!ALERT_URL) return
  fetch(ALERT_URL, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alert),
    signal: AbortSignal.timeout(WEBHOOK_MS),
  })
    .then((answer) => answer.body?.cancel())
    .catch((error: Error) => console.error(`webhook: ${error.message}`))
}
// #endregion alert
