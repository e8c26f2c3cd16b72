import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Queue, QueuedRun } from '../src/live/protocol.ts'

const LONGEST_QUEUE = 4
const KEPT_OUTPUT = 4_000

/** Command that grades a chapter; tests give another. */
export type CheckCommand = (chapter: string) => [file: string, ...args: string[]]

/** Checks that pages asked for, one at a time. */
export class RunQueue {
  readonly #root: string
  readonly #command: CheckCommand
  readonly #changed: (queue: Queue) => void
  #waiting: QueuedRun[] = []
  #running: QueuedRun | undefined
  #child: ChildProcess | undefined
  #problem: Queue['problem']

  constructor(root: string, command: CheckCommand, changed: (queue: Queue) => void) {
    this.#root = root
    this.#command = command
    this.#changed = changed
  }

  state(): Queue {
    return {
      waiting: this.#waiting,
      ...(this.#running && { running: this.#running }),
      ...(this.#problem && { problem: this.#problem }),
    }
  }

  /** Takes a chapter in; a chapter that is waiting already keeps its place. Nothing when the queue is full. */
  add(chapter: string): QueuedRun | undefined {
    const same = [...this.#waiting, this.#running].find((run) => run?.chapter === chapter)
    if (same) return same
    if (this.#waiting.length >= LONGEST_QUEUE) return undefined
    const run = { id: randomUUID(), chapter }
    this.#waiting = [...this.#waiting, run]
    this.#next()
    return run
  }

  /** Ends the check that is running, when the server ends. */
  async stop(): Promise<void> {
    this.#waiting = []
    const child = this.#child
    if (!child || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }

  #next(): void {
    const [first, ...rest] = this.#waiting
    if (!this.#running && first) {
      this.#waiting = rest
      this.#running = first
      this.#problem = undefined
      this.#start(first)
    }
    this.#changed(this.state())
  }

  #start(run: QueuedRun): void {
    const [file, ...args] = this.#command(run.chapter)
    const child = spawn(file, args, { cwd: this.#root, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let [said, complained] = ['', '']
    child.stdout.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-KEPT_OUTPUT)))
    child.stderr.on(
      'data',
      (data: Buffer) => (complained = (complained + data.toString()).slice(-KEPT_OUTPUT)),
    )
    const end = (problem: string | undefined) => {
      if (this.#running !== run) return
      this.#running = undefined
      this.#problem = problem === undefined ? undefined : { chapter: run.chapter, message: problem }
      this.#next()
    }
    child.once('error', (error) => end(error.message))
    // Pass, fail, error and unknown are verdicts, and the feed has told them; anything else is a check that broke.
    child.once('close', (code, signal) => {
      const graded = code !== null && code <= 3 && said.includes('{')
      end(
        graded
          ? undefined
          : lastLine(complained) ||
              lastLine(said) ||
              `the check ended with ${signal ?? `exit status ${code}`}`,
      )
    })
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
