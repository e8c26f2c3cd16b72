import { get } from 'node:http'

/** Whoever says more than this about its health may never stop. */
const MOST_BYTES = 64 * 1024

/** One look at `GET /health`: is it 200? */
export function healthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      { host: '127.0.0.1', port, path: '/health', agent: false, timeout: 1000 },
      (response) => {
        resolve(response.statusCode === 200)
        let size = 0
        response.on('data', (chunk: Buffer) => {
          if ((size += chunk.length) > MOST_BYTES) request.destroy()
        })
      },
    )
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
    request.on('close', () => resolve(false))
  })
}
