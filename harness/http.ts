import {
  request as httpRequest,
  type Agent,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http'
import { say, type Text } from './text.ts'
import { scopeSignal } from './scope.ts'
import { note, now } from './timeline.ts'
import { waiting } from './waiting.ts'

/** What a client saw. A broken connection is an observation like any other, so it is no exception. */
export interface Answer {
  /** 0 when no answer came. */
  status: number
  headers: IncomingHttpHeaders
  text: string
  bytes: Buffer
  /** The body as JSON; undefined where it is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what the learner's service said, field by field
  body: any
  /** Milliseconds until the last byte. */
  ms: number
  /** Why there is no answer. */
  broken?: Text
}

export interface RequestOptions {
  method?: string
  headers?: OutgoingHttpHeaders
  /** Sent as JSON unless it is a string or bytes. */
  body?: unknown
  /** Longest wait for the whole answer in milliseconds. Default 5000. */
  within?: number
  /** Name of the role in the timeline. */
  to?: string
  /** Ends the request from the client's side. */
  signal?: AbortSignal
  /** Default: a connection of its own for this request. */
  agent?: Agent
}

let last: { asked: string; answer: Answer } | undefined

/** The answer that the running test got last: what it could not read, where it stumbled. */
export function lastAnswer(): { asked: string; answer: Answer } | undefined {
  return last
}

export function forgetAnswer(): void {
  last = undefined
}

/** One request on a connection of its own, so that what an earlier test did to a connection can't disturb it. */
export async function http(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'GET', to = new URL(url).host } = options
  const started = now()
  const { pathname, search, port } = new URL(url)
  const asked = `${method} ${pathname}${search}`
  const label = say(`the answer of ${to} to ${asked}`, `${to}の${asked}への応答`)
  const answer = await waiting(label, () => exchange(url, { ...options, method }))
  last = { asked, answer }
  const outcome = answer.broken ? answer.broken.en : String(answer.status)
  note({
    at: started,
    from: 'test',
    to,
    kind: 'http',
    text: `${asked} → ${outcome}`,
    ms: answer.ms,
    port: Number(port),
    ...((answer.broken || answer.status >= 500) && { failed: true }),
  })
  return answer
}

function exchange(url: string, options: RequestOptions): Promise<Answer> {
  const { within = 5000 } = options
  const started = performance.now()
  const payload = encode(options.body)
  const headers = { ...(payload.json && { 'content-type': 'application/json' }), ...options.headers }
  return new Promise((resolve) => {
    let status = 0
    let received: IncomingHttpHeaders = {}
    let size = 0
    const chunks: Buffer[] = []
    const end = (broken?: Text): void => {
      clearTimeout(timer)
      const bytes = Buffer.concat(chunks)
      const text = bytes.toString('utf8')
      const ms = performance.now() - started
      resolve({
        status: broken ? 0 : status,
        headers: received,
        text,
        bytes,
        body: parse(text),
        ms,
        ...(broken && { broken }),
      })
      request.destroy()
    }
    const signal = options.signal ? AbortSignal.any([options.signal, scopeSignal()]) : scopeSignal()
    const request = httpRequest(
      url,
      { method: options.method, headers, agent: options.agent ?? false, signal },
      (response) => {
        status = response.statusCode ?? 0
        received = response.headers
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          if ((size += chunk.length) > MOST_BYTES) end(ENDLESS)
        })
        response.on('end', () => end(response.complete ? undefined : HALF))
        response.on('error', (error) => end(status ? HALF : broken(error)))
      },
    )
    const timer = setTimeout(() => end(timedOut(within, status)), within)
    request.on('error', (error) => end(broken(error)))
    request.end(payload.data)
  })
}

/** Nobody listens. */
export const REFUSED = say('connection refused', '接続を拒否された')

/** An answer without an end must not fill our memory. */
const MOST_BYTES = 64 * 1024 * 1024
const ENDLESS = say(
  'an answer of more than 64 MB, not read to its end',
  '64MBを超える応答。最後まで読んでいない',
)

const HALF = say('half an answer, then the connection ended', '応答の途中で接続が切れた')

function timedOut(ms: number, status: number): Text {
  return status
    ? say(`half an answer, and no more within ${ms} ms`, `応答の途中で止まり、${ms}ミリ秒待っても続きがない`)
    : say(`no answer within ${ms} ms`, `${ms}ミリ秒以内に応答なし`)
}

function broken(error: NodeJS.ErrnoException): Text {
  switch (error.code) {
    case 'ECONNREFUSED':
      return REFUSED
    case 'ECONNRESET':
    case 'EPIPE':
      return say('connection reset', '接続がリセットされた')
    case 'ABORT_ERR':
      return say('given up by the test', 'テストが打ち切った')
    default:
      return say(
        `broken connection (${error.code ?? error.message})`,
        `接続の異常（${error.code ?? error.message}）`,
      )
  }
}

function encode(body: unknown): { data?: string | Buffer; json: boolean } {
  if (body === undefined) return { json: false }
  if (typeof body === 'string' || body instanceof Uint8Array)
    return { data: Buffer.from(body as string), json: false }
  return { data: JSON.stringify(body), json: true }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** An answer as a learner reads it: `421 {"error":"misdirected_request"}`. */
export function showAnswer(answer: Answer): Text {
  if (answer.broken) return answer.broken
  const body = answer.text.length > 300 ? `${answer.text.slice(0, 300)}…` : answer.text
  const line = `${answer.status} ${body}`.trim()
  return { en: line, ja: line }
}
