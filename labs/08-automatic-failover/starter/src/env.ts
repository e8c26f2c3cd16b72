/** A process that lacks a setting has nothing to do: better not to start. */
export function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`environment variable ${name} is missing`)
  return value
}

export const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback)

export const PORT = Number(required('PORT'))
export const SERVER_NAME = required('SERVER_NAME')
export const SHUTDOWN_MS = number('SHUTDOWN_MS', 5000)
export const REDIS_URL = required('REDIS_URL')
