import cluster, { type Worker } from 'node:cluster'
import { PROCESSES, SHUTDOWN_MS } from './config.ts'

// #region workers
/** Starts the workers, replaces those that die, and stops them all at SIGTERM. */
export function startWorkers(): void {
  let stopping = false
  let failed = false

  function start(index: number): void {
    const worker = cluster.fork({ WORKER_INDEX: index })
    let served = false
    worker.on('listening', () => (served = true))
    worker.on('exit', (code, signal) => {
      // One that can't even start would be started again for ever.
      if (!stopping) return served ? start(index) : process.exit(1)
      // One that was still starting has no handler for SIGTERM yet.
      failed ||= code !== 0 && signal !== 'SIGTERM'
      if (living().length === 0) process.exit(failed ? 1 : 0)
    })
  }

  for (let index = 0; index < PROCESSES; index++) start(index)

  process.on('SIGTERM', () => {
    if (stopping) return
    stopping = true
    for (const worker of living()) worker.process.kill('SIGTERM')
    setTimeout(() => {
      for (const worker of living()) worker.process.kill('SIGKILL')
      process.exit(1)
    }, SHUTDOWN_MS)
  })
}

const living = () =>
  Object.values(cluster.workers ?? {}).filter((worker) => worker && !worker.isDead()) as Worker[]
// #endregion workers
