import type { MessagePort } from 'node:worker_threads'

/**
 * Calls across threads: the tests run in a worker, the topology lives in the command. Only plain data crosses; an
 * exception comes back with its name, message and own fields.
 */
type Call = { id: number; method: string; args: unknown[] }
type Reply = { id: number; value?: unknown; error?: { name: string; message: string } }

type Methods = Record<string, (...args: never[]) => Promise<unknown>>

/** Answers the calls that arrive at this port. */
export function serve(port: MessagePort, methods: Methods): void {
  port.on('message', ({ id, method, args }: Call) => {
    const answer = async (): Promise<unknown> => methods[method]!(...(args as never[]))
    answer().then(
      (value) => port.postMessage({ id, value } satisfies Reply),
      (error: Error) =>
        port.postMessage({
          id,
          error: Object.assign({}, error, { name: error.name, message: error.message }),
        } satisfies Reply),
    )
  })
}

/** Methods of the other side, each a promise. */
export function remote<T extends object>(port: MessagePort): T {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let count = 0
  port.on('message', ({ id, value, error }: Reply) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error) call?.reject(Object.assign(new Error(error.message), error))
    else call?.resolve(value)
  })
  port.unref() // an open line must not keep a finished worker alive
  return new Proxy({} as T, {
    get:
      (_, method) =>
      (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          const id = ++count
          waiting.set(id, { resolve, reject })
          port.postMessage({ id, method: String(method), args } satisfies Call)
        }),
  })
}
