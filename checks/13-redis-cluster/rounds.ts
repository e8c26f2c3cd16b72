import type { NodeName, Registers } from '../../labs/13-redis-cluster/tests/registers.ts'

/** A node to which the second message about a key never comes. */
export interface Lossy {
  readonly lost: boolean
  stop(): void
}

/**
 * Cuts quorum-a's link to each of these nodes when the second message about the key is on its way there: the first is a
 * question, the second a write. What is under way is lost with the connection.
 */
export function loseSecond({ links }: Registers, key: string, names: readonly NodeName[]): Lossy[] {
  return names.map((name) => {
    const wire = links.link('quorum-a', name)
    let messages = 0
    const hook = wire.beforeForward(({ request, bytes }) => {
      if (!`${request?.text ?? ''}${bytes.toString('latin1')}`.includes(key)) return
      if (++messages === 2) wire.cut()
    })
    return {
      get lost() {
        return messages >= 2
      },
      stop: () => hook.stop(),
    }
  })
}
