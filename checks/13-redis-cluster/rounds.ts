import { eventually, expect, say } from '#harness'
import {
  copies,
  numberOf,
  put,
  type NodeName,
  type Registers,
} from '../../labs/13-redis-cluster/tests/registers.ts'

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

/** Puts a version on some nodes by hand, as a writer would have that died on its way. */
export async function plant(
  { node }: Registers,
  key: string,
  value: string,
  n: number,
  names: readonly NodeName[],
): Promise<void> {
  for (const name of names)
    await node[name].client.hset(`reg:${key}`, { n, w: 'planted', d: JSON.stringify(value) })
}

/** A value that all five nodes hold; the number of its version. */
export async function everywhere(to: Registers, key: string, value: string): Promise<number> {
  const answer = await put(to.a, key, value)
  expect(answer).toAnswer(200)
  await eventually(say('nodes that hold it', '値を持つノードの数'), () => copies(to, key, value), 5)
  return numberOf(answer.body.version)
}
