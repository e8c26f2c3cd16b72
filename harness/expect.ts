import { expect as vitestExpect } from 'vitest'
import { StepFailure } from './failure.ts'
import { showAnswer, type Answer } from './http.ts'
import { show } from './show.ts'
import { situation } from './situation.ts'
import { same, say, type Text } from './text.ts'

/** Vitest's matchers look at the `expect` that they are called on. */
const bound = <F extends (...args: never[]) => unknown>(matcher: F): F =>
  ((...args) => Reflect.apply(matcher, vitestExpect, args)) as F

/** Asymmetric matchers, for parts of a value: `any(String)`, `stringContaining('x')`. */
export const any = bound(vitestExpect.any)
export const anything = bound(vitestExpect.anything)
export const objectContaining = bound(vitestExpect.objectContaining)
export const arrayContaining = bound(vitestExpect.arrayContaining)
export const stringContaining = bound(vitestExpect.stringContaining)
export const stringMatching = bound(vitestExpect.stringMatching)
export const closeTo = bound(vitestExpect.closeTo)

/** Each matcher says what it expects, in both languages. The comparing is Vitest's. */
const MATCHERS = {
  toBe: (value: unknown) => same(show(value)),
  toEqual: (value: unknown) => same(show(value)),
  toMatchObject: (value: object) => say(`${show(value)} among others`, `${show(value)}を含む`),
  toContain: (value: unknown) => say(`something with ${show(value)}`, `${show(value)}を含む`),
  toContainEqual: (value: unknown) => say(`something with ${show(value)}`, `${show(value)}を含む`),
  toMatch: (value: RegExp | string) => say(`text like ${show(value)}`, `${show(value)}に合う文字列`),
  toHaveLength: (length: number) => say(`${length} of them`, `${length}個`),
  toHaveProperty: (path: string, ...value: unknown[]) =>
    say(
      `a field ${path}${value.length ? ` of ${show(value[0])}` : ''}`,
      `フィールド${path}${value.length ? `が${show(value[0])}` : ''}`,
    ),
  toBeLessThan: (limit: number | bigint) => say(`less than ${limit}`, `${limit}未満`),
  toBeLessThanOrEqual: (limit: number | bigint) => say(`at most ${limit}`, `${limit}以下`),
  toBeGreaterThan: (limit: number | bigint) => say(`more than ${limit}`, `${limit}より大きい`),
  toBeGreaterThanOrEqual: (limit: number | bigint) => say(`at least ${limit}`, `${limit}以上`),
  toBeCloseTo: (value: number) => say(`about ${value}`, `およそ${value}`),
  toBeUndefined: () => say('nothing', 'なし'),
  toBeDefined: () => say('something', '何らかの値'),
  toBeTruthy: () => say('true', '真'),
  toBeNull: () => same('null'),
} as const

type Matchers = { [M in keyof typeof MATCHERS]: (...args: Parameters<(typeof MATCHERS)[M]>) => void }

export interface Expectation extends Matchers {
  not: Matchers
  /** For an {@link Answer}: this status (or one of these), and this much of the body. */
  toAnswer(status: number | readonly number[], body?: unknown): void
}

export interface ExpectOptions {
  /** Rung of the step's ladder that fits when this does not hold. */
  hint?: 1 | 2 | 3
}

let asserted = 0

/** How many assertions have run: a test in which none ran has not passed. */
export function assertions(): number {
  return asserted
}

/** Counts something that asserts in its own way (`eventually`). */
export function countAssertion(): void {
  asserted++
}

/**
 * Vitest's `expect`, telling the learner: when (the last `when()`), expected, observed, in both languages.
 * @param label what is looked at: "rows of alice in pg-2"
 */
export function expect(actual: unknown, label?: Text, { hint }: ExpectOptions = {}): Expectation {
  const build = (negated: boolean): Matchers =>
    Object.fromEntries(
      Object.entries(MATCHERS).map(([name, describe]) => [
        name,
        (...args: unknown[]) => {
          const expected = (describe as (...args: unknown[]) => Text)(...args)
          check(label, negated ? negate(expected) : expected, observed(actual), hint, () => {
            const assertion = negated ? vitestExpect(actual).not : vitestExpect(actual)
            ;(assertion as unknown as Record<string, (...args: unknown[]) => void>)[name]!(...args)
          })
        },
      ]),
    ) as unknown as Matchers

  return {
    ...build(false),
    not: build(true),
    toAnswer(status, body) {
      const answer = actual as Answer
      const statuses = typeof status === 'number' ? [status] : status
      const wanted = same(`${statuses.join(' / ')}${body === undefined ? '' : ` ${show(body)}`}`)
      check(label, wanted, showAnswer(answer), hint, () => {
        vitestExpect(statuses).toContain(answer.status)
        if (body !== undefined) vitestExpect(answer.body).toMatchObject(body as object)
      })
    },
  }
}

/** Ends the test with a finding of its own words. */
export function fail(expected: Text, seen: Text, options: ExpectOptions = {}): never {
  throw new StepFailure({ outcome: 'fail', when: situation(), expected, observed: seen, hint: options.hint })
}

function check(
  label: Text | undefined,
  expected: Text,
  seen: Text,
  hint: number | undefined,
  compare: () => void,
): void {
  asserted++
  try {
    compare()
  } catch (error) {
    const finding = {
      outcome: 'fail' as const,
      when: situation(),
      expected: labelled(label, expected),
      observed: seen,
      hint,
    }
    throw new StepFailure(finding, { cause: error })
  }
}

function labelled(label: Text | undefined, text: Text): Text {
  return label ? say(`${label.en}: ${text.en}`, `${label.ja}：${text.ja}`) : text
}

function negate(text: Text): Text {
  return say(`not ${text.en}`, `次ではないこと：${text.ja}`)
}

function observed(value: unknown): Text {
  return isAnswer(value) ? showAnswer(value) : same(show(value))
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'status' in value && 'bytes' in value
}
