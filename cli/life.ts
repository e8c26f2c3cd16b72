import { setTimeout as pause } from 'node:timers/promises'
import { sweep, sweepOwn } from '#harness/process/owned'
import type { Language } from '#harness/text'
import { MESSAGES } from './messages.ts'

/** Exit status after Ctrl-C. */
export const INTERRUPTED = 130

/** Longest time for an orderly end; whatever is left then is killed, or found by the next command. */
const END_WITHIN_MS = 10_000

const closings = new Set<() => unknown>()
let ending: Promise<never> | undefined

/** Does this before the command ends, however it ends: last in, first out. Returns what withdraws it. */
export function beforeEnd(close: () => unknown): () => void {
  closings.add(close)
  return () => closings.delete(close)
}

/** Ends everything that the command started, within a bound, and then the command. */
export function end(status: number): Promise<never> {
  ending ??= endNow(status)
  return ending
}

/**
 * Ends the command by what it could not go on after. While it is ending already, that is nobody's news: what runs still
 * misses the servers that have gone.
 * @param report tells of it, and says the status
 */
export function endBy(error: unknown, report: (error: unknown) => number): Promise<never> {
  return ending ?? end(report(error))
}

/** As `end`, for those who can't wait: a second Ctrl-C leaves the rest to the next command. */
export function interrupt(status: number): void {
  if (ending) process.exit(status)
  void end(status)
}

async function endNow(status: number): Promise<never> {
  const orderly = async (): Promise<void> => {
    for (const close of [...closings].toReversed()) await Promise.resolve(close()).catch(() => {})
  }
  await Promise.race([orderly(), pause(END_WITHIN_MS)])
  await Promise.race([sweepOwn().catch(() => {}), pause(END_WITHIN_MS)])
  await Promise.all([process.stdout, process.stderr].map(flushed))
  process.exit(status)
}

const SIGNALS = { SIGINT: INTERRUPTED, SIGTERM: 143, SIGHUP: 129 } as const

/** From now on no signal, no crash and no closed pipe ends the command without an orderly end. */
export function guard(report: (error: unknown) => number): void {
  for (const [signal, status] of Object.entries(SIGNALS)) process.on(signal, () => interrupt(status))
  process.on('uncaughtException', (error) => void endBy(error, report))
  process.on('unhandledRejection', (error) => void endBy(error, report))
  for (const stream of [process.stdout, process.stderr]) {
    // `| head` has seen enough, or the terminal is gone.
    stream.on('error', () => void end(SIGNALS.SIGHUP))
  }
}

/** Ends what commands that were killed have left behind, and says so in one line. */
export async function sweepLeftovers(lang: Language, tell: (line: string) => void): Promise<void> {
  const removed = await sweep()
  if (removed.length > 0) tell(MESSAGES.removed(removed)[lang])
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })
}
