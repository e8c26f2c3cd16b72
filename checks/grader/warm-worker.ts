import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import {
  ThreadsPoolWorker,
  type PoolOptions,
  type PoolRunnerInitializer,
  type WorkerRequest,
} from 'vitest/node'
import type { RunApi } from '#harness/context'
import { ROOT } from '#harness/paths'

const NAME = 'warm'
const STOP_MS = 1000
/** Longest wait for a thread to end what its files have shared. */
const ENDING_MS = 10_000
const PRELOAD = pathToFileURL(join(ROOT, 'harness/preload.ts')).href

/** What a thread asks about itself. */
type EndingApi = Pick<RunApi, 'over' | 'ended'>

export interface WarmPoolOptions {
  /** Serves the calls of the tests of a lane. */
  answer: (line: MessagePort, lane: number, ending: EndingApi) => void
  /** The files that one thread must run, one after the other, where Vitest was given the first of them. */
  filesOf: (first: string) => string[]
}

/**
 * Vitest's thread pool with the next threads started in advance: they have loaded Vitest and the harness before the
 * learner saves. Each run still gets threads of its own, so no run sees what the last one left in memory.
 */
export class WarmPool implements PoolRunnerInitializer {
  readonly name = NAME
  readonly #how: WarmPoolOptions
  readonly #next = new Map<number, Thread>()
  readonly #busy = new Map<number, WarmWorker>()
  #options: PoolOptions | undefined

  constructor(how: WarmPoolOptions) {
    this.#how = how
  }

  createPoolWorker(options: PoolOptions): ThreadsPoolWorker {
    this.#options = options
    let lane = 1
    while (this.#busy.has(lane)) lane++
    const thread = this.#next.get(lane) ?? this.#start(options, lane, false)
    this.#next.delete(lane)
    const worker = new WarmWorker(options, thread, this.#how.filesOf)
    this.#busy.set(lane, worker)
    return worker
  }

  /**
   * Resolves when the threads of the run have ended, with all that their files have shared; those of the next run start.
   * @throws what went wrong with that
   */
  async next(): Promise<void> {
    const ended = [...this.#busy.values()].map((worker) => worker.over)
    for (const lane of this.#busy.keys())
      if (!this.#next.has(lane)) this.#next.set(lane, this.#start(this.#options!, lane, true))
    await Promise.all(ended)
    this.#busy.clear()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#next.values()].map(({ worker }) => worker.terminate()))
  }

  /** @param ahead of the run that it is for */
  #start(options: PoolOptions, lane: number, ahead: boolean): Thread {
    const { port1, port2 } = new MessageChannel()
    const worker = new Worker(join(options.distPath, 'workers/threads.js'), {
      env: options.env,
      execArgv: [...options.execArgv, '--import', PRELOAD],
      stdout: true,
      stderr: true,
      workerData: { workbook: port2, lane, ahead },
      transferList: [port2],
    })
    const thread = new Thread(worker)
    this.#how.answer(port1, lane, thread)
    worker.once('exit', () => port1.close())
    return thread
  }
}

/** A thread, and how it ends: what its files have shared goes first. */
class Thread implements EndingApi {
  readonly worker: Worker
  readonly #over = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<string | undefined>()
  #listens = false

  constructor(worker: Worker) {
    this.worker = worker
    worker.once('exit', () => this.#ended.resolve(undefined))
  }

  over(): Promise<void> {
    this.#listens = true
    return this.#over.promise
  }

  async ended(problem?: string): Promise<void> {
    this.#ended.resolve(problem)
  }

  /** @returns what went wrong */
  async end(): Promise<string | undefined> {
    this.#over.resolve()
    // One that has run no file has nothing to end.
    if (!this.#listens) return undefined
    return Promise.race([this.#ended.promise, pause(ENDING_MS, LATE, { ref: false })])
  }
}

const LATE = `what the tests of a lab share has not ended within ${ENDING_MS} ms`

class WarmWorker extends ThreadsPoolWorker {
  /** Of the pool: a thread goes on with the next step only where the names are the same. */
  override readonly name = NAME
  readonly #mine: Thread
  readonly #filesOf: (first: string) => string[]
  readonly #stopped = Promise.withResolvers<string | undefined>()

  constructor(options: PoolOptions, thread: Thread, filesOf: (first: string) => string[]) {
    super(options)
    this.#mine = thread
    this.#filesOf = filesOf
    // Vitest makes a thread of its own only where there is none yet.
    ;(this as unknown as { _thread: Worker })._thread = thread.worker
    // Vitest stops no thread that broke.
    thread.worker.once('exit', () => this.#stopped.resolve(undefined))
  }

  /** Vitest deals out single files; those of one step belong together. */
  override send(message: WorkerRequest): void {
    if (message.type !== 'run') return super.send(message)
    const files = message.context.files.flatMap((file) =>
      this.#filesOf(file.filepath).map((filepath) => ({ ...file, filepath })),
    )
    super.send({ ...message, context: { ...message.context, files } })
  }

  /** Resolves when it has ended. @throws what its files have shared and could not end */
  get over(): Promise<void> {
    return this.#stopped.promise.then((problem) => {
      if (problem !== undefined) throw new Error(problem)
    })
  }

  override async stop(): Promise<void> {
    this.#stopped.resolve(await this.#mine.end())
    // A thread that will not end must not hold up the verdict: it goes with the command. Known cause of one: a handle
    // that Node has lost (see `reset` of the links).
    const ended = await Promise.race([super.stop().then(() => true), pause(STOP_MS, false, { ref: false })])
    if (!ended && process.env.WORKBOOK_DEBUG) console.error(`a thread has not ended within ${STOP_MS} ms`)
  }
}
