import type { Text } from '../../../harness/text.ts'
import type { FeedEvent, Progress } from '../../../checks/grader/verdict.ts'

/** A check that was asked for from a page. */
export interface QueuedRun {
  id: string
  chapter: string
}

export interface Queue {
  running?: QueuedRun
  waiting: QueuedRun[]
  /** Why the last one ended without a verdict: the check could not be started. */
  problem?: { chapter: string; message: string }
}

/** What `GET /api/session` answers. */
export interface Session {
  /** Given back in `x-workbook-token` with everything that changes something. */
  token: string
}

/** One message of `GET /api/events`. */
export type ServerEvent =
  | { type: 'hello'; progress: Progress; queue: Queue }
  | { type: 'progress'; progress: Progress }
  | { type: 'queue'; queue: Queue }
  | { type: 'feed'; event: FeedEvent }

/** Result of `npm run bench NN`, as the page shows it beside the seed's figures. */
export interface BenchResult {
  at: string
  rows: Record<string, { text: Text }>
}

export const TOKEN_HEADER = 'x-workbook-token'
/** The local server marks its pages, so that a page on a static host asks for nothing. */
export const LIVE_META = 'workbook-live'
