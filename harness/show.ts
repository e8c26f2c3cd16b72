import { inspect } from 'node:util'

/** Longest rendering of a value in a message; the rest is in the run's folder. */
const LONGEST = 500

/** A value as a learner reads it: JSON where it is data, shortened with a note of how much is missing. */
export function show(value: unknown): string {
  return shorten(render(value))
}

export function shorten(text: string): string {
  return text.length > LONGEST
    ? `${text.slice(0, LONGEST)}… (${text.length - LONGEST} more characters)`
    : text
}

function render(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof RegExp || typeof value === 'bigint') return String(value)
  if (value instanceof Set) return render([...value])
  if (value instanceof Map) return render(Object.fromEntries(value))
  if (value instanceof Error) return value.message
  if (typeof value === 'object' && value !== null && isAsymmetric(value)) return asymmetric(value)
  try {
    const json = JSON.stringify(value, (_, v: unknown) => {
      if (typeof v === 'bigint') return String(v)
      if (typeof v === 'object' && v !== null && isAsymmetric(v)) return `«${asymmetric(v)}»`
      return v
    })
    if (json !== undefined) return json.replaceAll(/"«(.*?)»"/g, '$1')
  } catch {
    // circular: fall through to inspect
  }
  return inspect(value, { depth: 3, breakLength: Infinity })
}

function isAsymmetric(value: object): value is { toAsymmetricMatcher?(): string } {
  return 'asymmetricMatch' in value
}

function asymmetric(value: { toAsymmetricMatcher?(): string }): string {
  return value.toAsymmetricMatcher?.() ?? inspect(value)
}
