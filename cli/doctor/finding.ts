import { same, type Text } from '#harness/text'
import type { Missing } from '#harness/unavailable'
import { systemError } from '../errors.ts'
import { DOCTOR } from './messages.ts'

export type Topic = keyof typeof DOCTOR.names

/** One thing that a lab needs, and how it stands with it here. */
export interface Finding {
  topic: Topic
  status: 'ok' | 'warn' | 'missing'
  text: Text
  /** The one thing that mends it. */
  remedy?: Text
}

const PATIENCE_MS = 10_000

/** Looks at one thing. What throws is missing; what hangs is said to hang. */
export async function look(topic: Topic, find: () => Promise<Omit<Finding, 'topic'>>): Promise<Finding> {
  const { promise: late, resolve } = Promise.withResolvers<Omit<Finding, 'topic'>>()
  const timer = setTimeout(
    () => resolve({ status: 'missing', text: DOCTOR.tookTooLong(PATIENCE_MS / 1000) }),
    PATIENCE_MS,
  )
  try {
    return { topic, ...(await Promise.race([find(), late])) }
  } catch (error) {
    return { topic, ...missing(error) }
  } finally {
    clearTimeout(timer)
  }
}

function missing(error: unknown): Omit<Finding, 'topic'> {
  const { what, why, remedy } = error as Partial<Missing>
  if (what && why && remedy)
    return { status: 'missing', text: { en: `${what.en} ${why.en}`, ja: what.ja + why.ja }, remedy }
  const known = systemError(error)
  if (known) return { status: 'missing', text: known.why, remedy: known.remedy }
  return { status: 'missing', text: same(error instanceof Error ? error.message : String(error)) }
}
