import type { Text } from './text.ts'

const open: Text[] = []

/** What the test waits for at this moment, for a time-out that can be understood: the outermost of its waits. */
export function currentWait(): Text | undefined {
  return open[0]
}

/** Does some work that may take long, and says what for. */
export async function waiting<T>(label: Text, work: () => Promise<T>): Promise<T> {
  open.push(label)
  try {
    return await work()
  } finally {
    open.splice(open.lastIndexOf(label), 1)
  }
}
