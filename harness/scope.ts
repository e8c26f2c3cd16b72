import { AsyncLocalStorage } from 'node:async_hooks'

/** Something to be undone when the test, or the test file, ends. */
export type Undo = () => unknown

/** What the running test, and below it the running file, has started and must end. */
export class Scope {
  readonly #undo: Undo[] = []
  readonly abort = new AbortController()
  /** Begun and not awaited by anybody yet: what it starts must be known before all is undone. */
  readonly underway: Promise<unknown>[] = []

  add(undo: Undo): void {
    this.#undo.push(undo)
  }

  /** In reverse: what was built on top goes first. Every one is tried; the first failure is reported. */
  async close(): Promise<void> {
    this.abort.abort(new Error('the test is over'))
    await Promise.allSettled(this.underway)
    const failures: unknown[] = []
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}

let file = new Scope()
let test: Scope | undefined
let run = new Scope()
/** What the files of this run share at the moment; it ends with the scope of the run. */
let sharing: { name: string; begun: Promise<unknown> } | undefined
/** The file's scope for work that must outlive the test beside which it runs. */
const outliving = new AsyncLocalStorage<Scope>()

const current = (): Scope => outliving.getStore() ?? test ?? file

/** Where things started now will end: for handles that begin something later, on first use. */
export function currentScope(): Pick<Scope, 'add'> {
  return current()
}

/**
 * Begins what a later test of the file needs, while this one runs: it ends with the file. A failure is told to whoever
 * awaits it.
 */
export function ahead<T>(begin: () => Promise<T>): Promise<T> {
  const begun = outliving.run(file, begin)
  file.underway.push(begun)
  begun.catch(() => {}) // nobody may need it after all
  return begun
}

/**
 * What several files of a run need alike: the first that asks begins it, the others get the same. It ends with the run,
 * with a step that fails, or when a file asks for another name: one set of roles is enough for a laptop at a time.
 */
export async function shared<T>(name: string, begin: () => Promise<T>): Promise<T> {
  if (sharing?.name !== name) {
    await scopes.closeShared()
    const begun = outliving.run(run, begin)
    run.underway.push(begun)
    sharing = { name, begun }
  }
  return sharing.begun as Promise<T>
}

/** Things by name, each begun by the first who asks for it. They end with what the lending was made in: in {@link shared}, with the run. */
export class Lending<T> {
  readonly #outliving = AsyncLocalStorage.snapshot()
  readonly #begun = new Map<string, Promise<T>>()

  lend(name: string, begin: () => Promise<T>): Promise<T> {
    const one = this.#begun.get(name) ?? this.#outliving(begin)
    this.#begun.set(name, one)
    return one
  }

  /** What was begun under this name, if anybody has asked for it. */
  begun(name: string): Promise<T> | undefined {
    return this.#begun.get(name)
  }

  /** All that was begun. */
  all(): Promise<T[]> {
    return Promise.all(this.#begun.values())
  }

  /** Who asks for it next begins it anew. */
  forget(name: string): void {
    this.#begun.delete(name)
  }
}

/** Runs `undo` when the test ends; outside a test, in `beforeAll`, when the file ends. */
export function atEnd(undo: Undo): void {
  current().add(undo)
}

/** Aborted when the test is over, by its end or by the step's time limit: every wait of the harness listens. */
export function scopeSignal(): AbortSignal {
  return current().abort.signal
}

/** Ends all waits of the running test at once, and of what it shares with others: a step that failed shares nothing. */
export function abortScope(reason: Error): void {
  ;(test ?? file).abort.abort(reason)
  run.abort.abort(reason)
}

export const scopes = {
  openTest(): Scope {
    test = new Scope()
    return test
  },
  /** Ends a test's scope, by default that of the running test; a second time it is nothing. */
  async closeTest(scope = test): Promise<void> {
    if (test === scope) test = undefined
    await scope?.close()
  },
  async closeFile(): Promise<void> {
    const ended = file
    file = new Scope()
    await ended.close()
  },
  async closeShared(): Promise<void> {
    const ended = run
    run = new Scope()
    sharing = undefined
    await ended.close()
  },
}
