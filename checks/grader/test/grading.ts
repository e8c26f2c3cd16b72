import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, RUNTIME_DIR } from '#harness/paths'
import { environmentHas, processTable } from '#harness/process/table'
import type { Verdict } from '#grader/verdict'
import type { How } from './grade.ts'

interface Graded {
  verdict: Verdict
  /** How long the command took, the clean-up that it waits for included. */
  ms: number
}

type Message = Partial<Graded> & { ready?: string; error?: string }

/** A command of its own that grades one folder after the other, on a copy of the labs of this folder. */
export class Grading {
  readonly home: string
  readonly labs: string
  #command!: ChildProcess
  #owner!: string

  private constructor(home: string) {
    this.home = home
    this.labs = join(home, 'labs')
  }

  /** @param lab number of a lab of this folder @param more environment of the command */
  static async start(lab = '01', more: NodeJS.ProcessEnv = {}): Promise<Grading> {
    await mkdir(join(RUNTIME_DIR, 'test'), { recursive: true })
    const grading = new Grading(await mkdtemp(join(RUNTIME_DIR, 'test', 'grading-')))
    await cp(join(import.meta.dirname, 'labs'), grading.labs, { recursive: true })
    const env = {
      ...process.env,
      ...more,
      WORKBOOK_LABS: grading.labs,
      WORKBOOK_WORKSPACE: join(grading.home, 'workspace'),
    }
    // Vitest's own settings would make the inner Vitest think that it is a worker of the outer one.
    for (const name of Object.keys(env))
      if (/^(VITEST|TEST$)/.test(name)) delete env[name as keyof typeof env]
    const file = join(import.meta.dirname, 'grade.ts')
    grading.#command = fork(file, [lab], {
      cwd: ROOT,
      env,
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    grading.#owner = (await grading.#reply()).ready!
    return grading
  }

  /** The project's own solution of the tiny lab. */
  get solution(): string {
    return join(this.labs, 'solutions/01-tiny')
  }

  async grade(dir: string, how: How = {}): Promise<Graded> {
    this.#command.send({ dir, whole: true, limit: 15_000, ...how })
    return (await this.#reply()) as Graded
  }

  /** A file that the last run has left. */
  evidence(file: string): Buffer {
    return readFileSync(join(this.home, 'workspace/.runs/01-tiny/latest', file))
  }

  /** Processes of roles that still run, and whatever else works in the folder of a machine. */
  left(): string[] {
    return processTable()
      .filter(({ pid, state }) => state !== 'Z' && environmentHas(pid, this.#owner))
      .filter(({ pid }) => environmentHas(pid, 'WORKBOOK_ROLE=') && !waits(pid))
      .map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
  }

  async close(): Promise<void> {
    const exited = once(this.#command, 'exit')
    this.#command.send({})
    await exited
    await rm(this.home, { recursive: true, force: true })
  }

  async #reply(): Promise<Message> {
    const over = new AbortController()
    const { signal } = over
    const gone = once(this.#command, 'exit', { signal }).then(([code]) => {
      throw new Error(`the grader's command ended with status ${String(code)}`)
    })
    gone.catch(() => {}) // lost the race
    const [message] = (await Promise.race([once(this.#command, 'message', { signal }), gone])) as [Message]
    over.abort()
    if (message.error) throw new Error(message.error)
    return message
  }
}

/** A process that the next run holds ready: nothing has been copied to its machine yet. */
function waits(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/cwd`).length === 0
  } catch {
    return false // it has ended, or has deleted its own folder
  }
}
