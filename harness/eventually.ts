import { isDeepStrictEqual } from 'node:util'
import { countAssertion } from './expect.ts'
import { StepFailure } from './failure.ts'
import { show } from './show.ts'
import { scopeSignal } from './scope.ts'
import { situation } from './situation.ts'
import { say, same, type Text } from './text.ts'
import { eventuallyTrue, WaitTimeout } from './wait.ts'
import { waiting } from './waiting.ts'

export interface EventuallyOptions {
  /** Longest wait in milliseconds. Default 5000: a bound against a hang, far above what a correct solution needs. */
  within?: number
  /** Milliseconds between two looks. Default: {@link throughout} 5, {@link eventually} seldomer the longer it waits. */
  every?: number
  /** Rung of the step's ladder that fits when it never comes. */
  hint?: 1 | 2 | 3
}

/**
 * Looks until what is seen is accepted, and returns it.
 * @param label what is waited for, as a learner reads it: "the peer seen as healthy"
 * @param accept a value that must be equal, or a predicate; without one, anything truthy
 */
export async function eventually<T>(
  label: Text,
  look: () => T | Promise<T>,
  accept: T | ((seen: T) => boolean | Promise<boolean>) = Boolean as unknown as (seen: T) => boolean,
  { within = 5000, every, hint }: EventuallyOptions = {},
): Promise<T> {
  countAssertion()
  let last: { value: T } | undefined
  const accepted = async (value: T): Promise<boolean> =>
    typeof accept === 'function' ? (accept as (seen: T) => boolean)(value) : isDeepStrictEqual(value, accept)
  try {
    await waiting(label, () =>
      eventuallyTrue(label.en, async () => accepted((last = { value: await look() }).value), {
        within,
        every,
        signal: scopeSignal(),
      }),
    )
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error
    throw new StepFailure(
      { outcome: 'fail', when: situation(), expected: label, observed: gaveUp(within, last, error), hint },
      { cause: error },
    )
  }
  return last!.value
}

/**
 * Looks as long as `during` runs, and fails at the first look that is not accepted.
 * @returns what `during` returned
 */
export async function throughout<T, R>(
  label: Text,
  look: () => T | Promise<T>,
  accept: (seen: T) => boolean,
  during: () => Promise<R>,
  { hint, every = 5 }: EventuallyOptions = {},
): Promise<R> {
  countAssertion()
  let over = false
  const work = during().finally(() => (over = true))
  const watch = async (): Promise<void> => {
    do {
      const seen = await look()
      if (!accept(seen)) {
        throw new StepFailure({
          outcome: 'fail',
          when: situation(),
          expected: label,
          observed: same(show(seen)),
          hint,
        })
      }
      await new Promise((resolve) => setTimeout(resolve, every))
    } while (!over)
  }
  const [result] = await Promise.all([work, watch()])
  return result
}

function gaveUp(within: number, last: { value: unknown } | undefined, error: WaitTimeout): Text {
  const cause = error.cause instanceof Error ? error.cause.message : undefined
  const seen = last ? show(last.value) : (cause ?? '')
  return say(
    `timed out after ${within} ms; last seen: ${seen}`,
    `${within}ミリ秒でタイムアウト。最後に見えたもの：${seen}`,
  )
}
