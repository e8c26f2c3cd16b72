import type { Context } from 'hono'

/** The body as an object; one without fields if it is none, or no JSON at all. */
export async function bodyOf(c: Context): Promise<Record<string, unknown>> {
  return Object(await c.req.json().catch(() => null))
}

/** Is this text of so many characters at most? Postgres can't store the character NUL. */
export function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= longest && !value.includes('\0')
}

/** May a store take this as an `Idempotency-Key`? 1 to 255 visible characters. */
export function isKey(value: string): boolean {
  return /^[\x21-\x7e]{1,255}$/.test(value)
}
