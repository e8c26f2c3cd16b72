import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { ThreadsPoolWorker, type PoolOptions, type PoolRunnerInitializer } from 'vitest/node'
import { setTimeout as pause } from 'node:timers/promises'
import { ROOT } from '#harness/paths'

const STOP_MS = 1000
const PRELOAD = pathToFileURL(join(ROOT, 'harness/preload.ts')).href

/**
 * Vitest's thread pool with the next worker started in advance: it has loaded Vitest and the harness before the learner
 * saves. Each run still gets a worker of its own, so no run sees what the last one left in memory.
 */
export class WarmPool implements PoolRunnerInitializer {
  readonly name = 'warm'
  readonly #answer: (line: MessagePort) => void
  #next: Worker | undefined
  #options: PoolOptions | undefined

  /** @param answer serves the calls of a worker's tests */
  constructor(answer: (line: MessagePort) => void) {
    this.#answer = answer
  }

  createPoolWorker(options: PoolOptions): ThreadsPoolWorker {
    this.#options = options
    const thread = this.#next ?? this.#start(options)
    this.#next = undefined
    return new WarmWorker(options, thread)
  }

  /** Starts the worker of the next run. */
  prepareNext(): void {
    if (this.#options) this.#next ??= this.#start(this.#options)
  }

  async close(): Promise<void> {
    await this.#next?.terminate()
  }

  #start(options: PoolOptions): Worker {
    const { port1, port2 } = new MessageChannel()
    this.#answer(port1)
    const worker = new Worker(join(options.distPath, 'workers/threads.js'), {
      env: options.env,
      execArgv: [...options.execArgv, '--import', PRELOAD],
      stdout: true,
      stderr: true,
      workerData: { workbook: port2 },
      transferList: [port2],
    })
    worker.once('exit', () => port1.close())
    return worker
  }
}

class WarmWorker extends ThreadsPoolWorker {
  constructor(options: PoolOptions, thread: Worker) {
    super(options)
    // Vitest makes a thread of its own only where there is none yet.
    ;(this as unknown as { _thread: Worker })._thread = thread
  }

  override async stop(): Promise<void> {
    // A thread that will not end must not hold up the verdict: it goes with the command. Known cause of one: a handle
    // that Node has lost (see `reset` of the links).
    const ended = await Promise.race([super.stop().then(() => true), pause(STOP_MS, false, { ref: false })])
    if (!ended && process.env.WORKBOOK_DEBUG) console.error(`a thread has not ended within ${STOP_MS} ms`)
  }
}
