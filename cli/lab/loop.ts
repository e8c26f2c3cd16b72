import type { Holder } from '#grader/run-lock'
import type { Grader } from '#grader/grader'
import type { Lab } from '#grader/labs'
import { openHint, recordVerdict, surrender, type KnownProgress } from '#grader/progress'
import { withRun } from '#grader/run-lock'
import type { StepVerdict, Verdict } from '#grader/verdict'
import { explain } from '../errors.ts'
import { LAB } from './messages.ts'
import { firstFailure, type Change, type Display, type LabState, type Phase, type View } from './state.ts'
import { watchFolder } from './watch.ts'

/** Editors save in two steps, formatters once more: what follows so soon belongs to the same save. */
const SETTLE_MS = 15
const FALLEN = new Set<string>(['fail', 'error', 'unknown'])
const COMMAND = 'npm run lab'

/** What the learner wants when the loop ends. */
export type Wish = 'quit' | 'next'

/** Runs a lab at every save until the learner wants something else. */
export class LabLoop {
  readonly #state: LabState
  readonly #grader: Grader
  readonly #display: Display
  readonly #seed: number | undefined
  readonly #done = Promise.withResolvers<Wish>()
  #timer: NodeJS.Timeout | undefined
  #wanted = false
  #everything = false
  #running = false
  #cancelled = false
  #waiting: AbortController | undefined
  #lastFailed: string | undefined

  constructor(state: LabState, grader: Grader, display: Display, seed: number | undefined) {
    this.#state = state
    this.#grader = grader
    this.#display = display
    this.#seed = seed
  }

  /** Resolves with what comes next; the run under way is over by then. */
  async watch(): Promise<Wish> {
    const stop = watchFolder(this.#state.lab.workspace, (files) => this.#request(files))
    this.#request([])
    const wish = await this.#done.promise
    stop()
    clearTimeout(this.#timer)
    this.#wanted = false
    this.#waiting?.abort()
    if (this.#running) {
      this.#cancelled = true
      this.#grader.cancel()
    }
    return wish
  }

  /** A key was pressed. */
  press(key: string): void {
    const { view } = this.#state
    if (view === 'give-up') return void this.#giveUp(key === 'y')
    if (view !== 'main' && key !== 'q') return this.#view('main')
    this.#state.message = ''
    const act = this.#keys()[key]
    act?.()
  }

  #keys(): Record<string, () => void> {
    return {
      q: () => this.#done.resolve('quit'),
      r: () => this.#request([]),
      h: () => void this.#nextHint(),
      l: () => this.#view('logs'),
      t: () => this.#view('timeline'),
      a: () => this.#allFailures(),
      s: () => this.#view(this.#state.maySeeSolution ? 'solution' : 'give-up'),
      n: () => (this.#state.next ? this.#done.resolve('next') : this.#say(LAB.noNext[this.#state.lang])),
    }
  }

  /** A save is acknowledged at once; what runs already is cancelled and begins anew. */
  #request(files: string[]): void {
    this.#wanted = true
    this.#state.view = 'main'
    this.#state.message = ''
    // Whoever saves has read what stood there.
    if (files.length > 0) this.#state.notices = []
    this.#phase({ kind: 'checking', files, passed: {} })
    if (this.#running && !this.#waiting) {
      this.#cancelled = true
      this.#grader.cancel()
    }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#work(), SETTLE_MS)
  }

  async #work(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      while (this.#wanted) await this.#run()
    } catch (error) {
      const { lang } = this.#state
      const { what, why, remedy } = explain(error, 'lab')
      this.#phase({ kind: 'idle' })
      if (!this.#waiting?.signal.aborted) this.#say(`✗ ${what[lang]}\n  ${why[lang]}\n→ ${remedy[lang]}`)
    } finally {
      this.#running = false
      this.#waiting = undefined
    }
  }

  async #run(): Promise<void> {
    const { lab } = this.#state
    this.#waiting = new AbortController()
    const command = `${COMMAND} ${lab.chapter.slice(0, 2)}`
    const onWait = (holder: Holder): void => this.#phase({ kind: 'waiting', holder })
    await withRun({ command, onWait, signal: this.#waiting.signal }, async () => {
      this.#waiting = undefined
      this.#wanted = false
      this.#cancelled = false
      if (this.#state.phase.kind === 'waiting') this.#phase({ kind: 'checking', files: [], passed: {} })
      const verdict = await this.#grade(lab)
      if (!this.#cancelled) await this.#ended(verdict)
      await this.#grader.settled()
    })
  }

  #grade(lab: Lab): Promise<Verdict> {
    const { rows } = this.#state
    const ids = lab.spec.steps.map(({ id }) => id)
    const first = this.#lastFailed
    const order = first && !this.#everything ? [first, ...ids.filter((id) => id !== first)] : ids
    const everything = this.#everything
    this.#everything = false
    this.#state.rows = rows.map((row) => ({ ...row, outcome: 'not-run' }))
    this.#begin(order[0])
    return this.#grader.run({
      subject: { name: 'workspace', dir: lab.workspace },
      order,
      stopAtFailure: !everything,
      ...(this.#seed !== undefined && { seed: this.#seed }),
      onBegin: (step) => {
        // After a failure the others are only passed over.
        const over = !everything && this.#state.rows.some(({ outcome }) => FALLEN.has(outcome))
        if (this.#cancelled || over) return
        this.#begin(step)
        this.#show({ type: 'begin' })
      },
      onTest: (step, test) => {
        if (this.#cancelled) return
        const { phase } = this.#state
        if (phase.kind === 'checking') {
          phase.passed[step] = (phase.passed[step] ?? 0) + (test.outcome === 'pass' ? 1 : 0)
        }
        this.#show({ type: 'test', step, test })
      },
      onStep: (step) => {
        if (this.#cancelled) return
        this.#enter(step)
        this.#show({ type: 'step', step })
      },
    })
  }

  #begin(id: string | undefined): void {
    this.#state.rows = this.#state.rows.map((row) => (row.id === id ? { ...row, outcome: 'running' } : row))
  }

  #enter(step: StepVerdict): void {
    this.#state.rows = this.#state.rows.map((row) => (row.id === step.id ? step : row))
    if (step.outcome === 'pass') this.#state.passed.add(step.id)
    else if (step.outcome !== 'not-run') this.#state.passed.delete(step.id)
  }

  async #ended(verdict: Verdict): Promise<void> {
    this.#state.verdict = verdict
    this.#state.rows = verdict.steps
    this.#lastFailed = firstFailure(this.#state)?.id
    if (verdict.status === 'pass') this.#state.maySeeSolution = true
    this.#state.phase = { kind: 'idle' }
    this.#know(await recordVerdict(verdict))
    this.#show({ type: 'ended' })
  }

  #know({ notices }: KnownProgress): void {
    const { lang } = this.#state
    const fresh = notices
      .map((notice) => notice[lang])
      .filter((notice) => !this.#state.notices.includes(notice))
    this.#state.notices.push(...fresh)
    if (fresh.length > 0) this.#say(fresh.join('\n'))
  }

  async #nextHint(): Promise<void> {
    const { lab, opened, lang } = this.#state
    const step = firstFailure(this.#state)
    const ladder = lab.spec.steps.find(({ id }) => id === step?.id)?.hints.length ?? 0
    if (!step?.failure?.hintText) return
    const seen = Math.max(step.failure.hint, opened[step.id] ?? 0)
    if (seen >= ladder) return this.#say(LAB.lastHint[lang])
    opened[step.id] = seen + 1
    this.#show({ type: 'view' })
    this.#know(await openHint(lab.id, step.id, seen + 1))
  }

  /** Runs every step once, whatever fails, and shows all failures. */
  #allFailures(): void {
    const { verdict } = this.#state
    const complete = verdict && !verdict.steps.some(({ outcome }) => outcome === 'not-run')
    if (complete) return this.#view('failures')
    this.#everything = true
    this.#request([])
    this.#say(LAB.runningAll[this.#state.lang])
  }

  async #giveUp(yes: boolean): Promise<void> {
    if (!yes) return this.#view('main')
    this.#state.maySeeSolution = true
    this.#view('solution')
    this.#know(await surrender(this.#state.lab.id))
  }

  #view(view: View): void {
    this.#state.view = view
    this.#show({ type: 'view' })
  }

  #say(text: string): void {
    this.#state.message = text
    this.#show({ type: 'message' })
  }

  #phase(phase: Phase): void {
    this.#state.phase = phase
    this.#show({ type: 'phase' })
  }

  #show(change: Change): void {
    this.#display.show(this.#state, change)
  }
}
