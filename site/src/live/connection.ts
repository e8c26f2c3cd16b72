import type { Verdict } from '../../../checks/grader/verdict.ts'
import { LIVE_META, TOKEN_HEADER, type BenchResult, type ServerEvent, type Session } from './protocol.ts'
import { NOTHING, receive, receiveVerdict, type LiveState } from './state.ts'

type Listener = () => void

/** Longest pause before a lost server is looked for again. */
const LONGEST_PAUSE_MS = 2_000

/** The page's line to the local server: one stream of events, re-opened when it breaks. */
class Connection {
  #state: LiveState = NOTHING
  readonly #listeners = new Set<Listener>()
  #source: EventSource | undefined
  #token = ''
  #pause = 250
  #started = false
  /** Chapters whose newest verdict is wanted after every reconnect. */
  readonly #watched = new Set<string>()

  readonly subscribe = (listener: Listener): Listener => {
    this.#listeners.add(listener)
    this.#start()
    return () => this.#listeners.delete(listener)
  }

  readonly state = (): LiveState => this.#state

  /** Asks for the newest verdict of a chapter now and after every reconnect. */
  watch(chapter: string): void {
    this.#watched.add(chapter)
    if (this.#state.mode === 'live') void this.#readVerdict(chapter)
  }

  /** Asks the server to do something; a message to show if it could not. */
  async ask(path: string, body: object): Promise<string | undefined> {
    try {
      const answer = await fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', [TOKEN_HEADER]: this.#token },
        body: JSON.stringify(body),
      })
      return answer.ok ? undefined : ((await answer.json()) as { error: string }).error
    } catch {
      return 'server_unreachable'
    }
  }

  async bench(chapter: string): Promise<BenchResult | undefined> {
    return await getJson<BenchResult>(`/api/labs/${chapter}/bench`)
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    if (!document.querySelector(`meta[name="${LIVE_META}"]`))
      return this.#set({ ...this.#state, mode: 'static' })
    void this.#open()
    // A hidden tab gives its stream back: browsers allow six connections to a server.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#close()
      else if (!this.#source) void this.#open()
    })
  }

  async #open(): Promise<void> {
    const session = await getJson<Session>('/api/session')
    if (!session) return this.#later()
    this.#token = session.token
    this.#source?.close()
    const source = new EventSource('/api/events')
    this.#source = source
    source.addEventListener('message', ({ data }) => this.#receive(JSON.parse(data as string) as ServerEvent))
    source.addEventListener('error', () => {
      this.#close()
      this.#later()
    })
  }

  #close(): void {
    this.#source?.close()
    this.#source = undefined
  }

  #later(): void {
    this.#set({ ...this.#state, mode: 'away' })
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS)
    setTimeout(() => !document.hidden && void this.#open(), this.#pause)
  }

  #receive(message: ServerEvent): void {
    this.#set(receive(this.#state, message))
    if (message.type !== 'hello') return
    this.#pause = 250
    for (const chapter of this.#watched) void this.#readVerdict(chapter)
  }

  async #readVerdict(chapter: string): Promise<void> {
    const found = await getJson<{ run: string; verdict: Verdict } | null>(`/api/labs/${chapter}/verdict`)
    if (found) this.#set(receiveVerdict(this.#state, found.run, found.verdict))
  }

  #set(state: LiveState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

async function getJson<T>(path: string): Promise<T | undefined> {
  try {
    const answer = await fetch(path)
    return answer.ok ? ((await answer.json()) as T) : undefined
  } catch {
    // The server is gone: the caller tries again later.
    return undefined
  }
}

export const connection = new Connection()
