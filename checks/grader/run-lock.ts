import { takeLock, type Holder, type LockOptions } from './lock.ts'

/**
 * One run at a time in a clone: two would share processors, and so measure each other. Held during a run, the healing of
 * its servers included, not while `npm run lab` only watches.
 */
export async function withRun<T>(options: LockOptions, run: () => Promise<T>): Promise<T> {
  const release = await takeLock('run', options)
  try {
    return await run()
  } finally {
    release()
  }
}

export type { Holder }
