import cluster, { type Worker } from 'node:cluster'
import { DB_POOL_MAX, PROCESSES, SHUTDOWN_MS } from './config.ts'

// #region workers
/** Starts the workers, and stops them all at SIGTERM. */
export function startWorkers(): void {
  if (DB_POOL_MAX < PROCESSES) {
    console.error(`DB_POOL_MAX=${DB_POOL_MAX} connections are not enough for PROCESSES=${PROCESSES}`)
    process.exit(1)
  }
  let stopping = false
  let failed = false

  function start(index: number): void {
    const worker = cluster.fork({ WORKER_INDEX: index })
    worker.on('exit', (code, signal) => {
      // One that was still starting has no handler for SIGTERM yet.
      if (stopping) failed ||= code !== 0 && signal !== 'SIGTERM'
      endIfAlone()
    })
  }

  function endIfAlone(): void {
    if (stopping && living().length === 0) process.exit(failed ? 1 : 0)
  }

  for (let index = 0; index < PROCESSES; index++) start(index)

  process.on('SIGTERM', () => {
    if (stopping) return
    stopping = true
    for (const worker of living()) worker.process.kill('SIGTERM')
    endIfAlone()
    setTimeout(() => {
      for (const worker of living()) worker.process.kill('SIGKILL')
      process.exit(1)
    }, SHUTDOWN_MS)
  })
}

const living = () =>
  Object.values(cluster.workers ?? {}).filter((worker) => worker && !worker.isDead()) as Worker[]
// #endregion workers
