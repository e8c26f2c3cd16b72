import cluster, { type Worker } from 'node:cluster'
import { DB_POOL_MAX, PROCESSES, SHUTDOWN_MS } from './config.ts'

// #region workers
/** Between the end of a worker and the start of the next: one that can't start must not keep a core busy. */
const RESTART_MS = 100

/** Starts the workers, replaces those that die, and stops them all at SIGTERM. */
export function startWorkers(): void {
  if (DB_POOL_MAX < PROCESSES) {
    console.error(`DB_POOL_MAX=${DB_POOL_MAX} connections are not enough for PROCESSES=${PROCESSES}`)
    process.exit(1)
  }
  let served = false
  let stopping = false
  let failed = false

  function start(index: number): void {
    if (stopping) return
    const worker = cluster.fork({ WORKER_INDEX: index })
    worker.on('listening', () => (served = true))
    worker.on('exit', (code, signal) => {
      // One that was still starting has no handler for SIGTERM yet.
      if (stopping) failed ||= code !== 0 && signal !== 'SIGTERM'
      // Where none has ever served, none will.
      else if (!served) process.exit(1)
      else setTimeout(start, RESTART_MS, index)
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
