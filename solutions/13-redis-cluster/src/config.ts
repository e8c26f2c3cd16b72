/** A role with half of its settings would do the wrong thing: better not to start. */
export function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`environment variable ${name} is missing`)
  return value
}

export const milliseconds = (name: string, fallback: number): number => Number(process.env[name] ?? fallback)

export const PORT = Number(required('PORT'))
export const SERVER_NAME = required('SERVER_NAME')
export const SHUTDOWN_MS = milliseconds('SHUTDOWN_MS', 10_000)
