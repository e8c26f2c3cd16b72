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
    if (json !== undefined)
      return json.replaceAll(/"«(.*?)»"/g, (_, inner: string) => JSON.parse(`"${inner}"`) as string)
  } catch {
    // circular: fall through to inspect
  }
  return inspect(value, { depth: 3, breakLength: Infinity })
}

type Asymmetric = { toAsymmetricMatcher?(): string; sample?: unknown }

function isAsymmetric(value: object): value is Asymmetric {
  return 'asymmetricMatch' in value
}

/** `<Number>`, `≈0.3`, `/^a/`: what a part of a value may be, without the library's own names. */
function asymmetric(value: Asymmetric): string {
  const told = value.toAsymmetricMatcher?.()
  if (told) return told.replace(/^Any(<\w+>)$/, '$1').replace(/^NumberCloseTo (\S+).*$/, '≈$1')
  return value.sample === undefined ? inspect(value) : render(value.sample)
}
