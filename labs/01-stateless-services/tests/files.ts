import { createHash } from 'node:crypto'
import type { Answer, StartedRole } from '#harness'

/** Where a file is. */
export const pathOf = (name: string): string => `/api/files/${encodeURIComponent(name)}`
/** The connection stays the client's: an answer that comes before the last byte is not lost by a reset. */
export function put(app: StartedRole, name: string, body: Buffer | string, headers = {}): Promise<Answer> {
  const type = { 'content-type': 'application/octet-stream', connection: 'keep-alive' }
  return app.put(pathOf(name), body, { headers: { ...type, ...headers } })
}

/** Bytes as a learner can compare them: how many, and their hash. */
export const digest = (bytes: Buffer): string =>
  `${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}`
