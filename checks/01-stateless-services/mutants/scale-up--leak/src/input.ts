import type { Context } from 'hono'

/** The body as an object; one without fields if it is none, or no JSON at all. */
export async function bodyOf(c: Context): Promise<Record<string, unknown>> {
  return Object(await c.req.json().catch(() => null))
}

/** Is this text of so many characters at most? */
export function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= longest
}
