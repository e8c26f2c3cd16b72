import type { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { createVitest, type Vitest } from 'vitest/node'
import { ROOT } from '#harness/paths'
import type { Collector } from './collector.ts'
import { LANES } from './lane.ts'
import type { WarmPool } from './warm-worker.ts'

/** The test runner, up and waiting: it tells the collector of the run under way what it sees. */
export async function openVitest(pool: WarmPool, collector: () => Collector | undefined): Promise<Vitest> {
  const withdraw = rememberSignals()
  const vitest = await createVitest(
    'test',
    {
      config: false,
      root: ROOT,
      watch: false,
      include: ['**/*.test.ts', '**/*.check.ts'],
      dir: ROOT,
      setupFiles: [join(ROOT, 'harness/setup.ts')],
      runner: join(ROOT, 'harness/runner.ts'),
      isolate: false,
      maxWorkers: LANES,
      fileParallelism: LANES > 1,
      disableConsoleIntercept: true,
      pool,
      // Given in the order in which they must run.
      sequence: { sequencer: InOrder },
      // Node loads the harness itself: already there when the learner saves, and one copy of it.
      server: { deps: { external: [/[\\/]harness[\\/]/], inline: [] } },
      reporters: [
        {
          onTestModuleStart: (module) => collector()?.onTestModuleStart(module),
          onTestCaseResult: (test) => collector()?.onTestCaseResult(test),
          onTestModuleEnd: (module) => collector()?.onTestModuleEnd(module),
        },
      ],
    },
    { server: { watch: null, middlewareMode: true }, logLevel: 'error' },
    // Its own words would stand in the middle of the learner's screen.
    process.env.WORKBOOK_DEBUG ? {} : { stdout: silence(), stderr: silence() },
  )
  withdraw()
  await vitest.standalone()
  return vitest
}

/** Vitest would end the process within a millisecond of a signal; how a command ends is the command's. */
function rememberSignals(): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'unhandledRejection'] as const
  const events: EventEmitter = process
  const before = new Map(signals.map((signal) => [signal, events.listeners(signal)]))
  return () => {
    for (const signal of signals)
      for (const listener of events.listeners(signal))
        if (!before.get(signal)?.includes(listener)) events.off(signal, listener as () => void)
  }
}

function silence(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}

class InOrder {
  shard<T>(files: T[]): T[] {
    return files
  }
  sort<T>(files: T[]): T[] {
    return files
  }
}
