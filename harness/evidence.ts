import { basename } from 'node:path'
import { StepFailure, type Finding } from './failure.ts'
import { lastAnswer, REFUSED, showAnswer } from './http.ts'
import { describeExit } from './role/ending.ts'
import { logFile } from './role/output.ts'
import { startedRoles, type StartedRole } from './role/role.ts'
import { situation } from './situation.ts'
import { statementEvents } from './statements.ts'
import { same, say } from './text.ts'
import { eventsSince, now, type Event } from './timeline.ts'
import { WaitTimeout } from './wait.ts'

/** What stands beside a failure: the last words of the roles and what crossed between the parts. */
export interface Evidence {
  logs: { role: string; lines: string[]; file: string }[]
  timeline: Event[]
}

const LOG_LINES = 30

/** What a test throws that reads a field of an answer in which it is not: HTML for JSON, no list where one belongs. */
const STUMBLES = new Set(['TypeError', 'SyntaxError', 'RangeError'])
const TIMELINE_EVENTS = 60

/**
 * @param begun `performance.now()` at the begin of the test
 * @param fileBegun and of its file: what a role that files share said before belongs to another step
 */
export async function collectEvidence(begun: number, fileBegun: number): Promise<Evidence> {
  const since = performance.timeOrigin + begun
  const statements = await statementEvents(since)
  const timeline = [...eventsSince(since), ...statements]
    .toSorted((a, b) => a.at - b.at)
    .slice(-TIMELINE_EVENTS)
  const from = performance.timeOrigin + fileBegun
  const logs = startedRoles().map((role) => ({
    role: role.name,
    lines: role.tail(LOG_LINES, from),
    file: basename(logFile(role.name)),
  }))
  return { logs: logs.filter((log) => log.lines.length > 0), timeline }
}

/** Waits until roles that end just now have ended, and until all that they have written has been read. */
export async function lastWords(): Promise<void> {
  await Promise.all(startedRoles().map((role) => (brokeOff(role) ? role.ending() : role.said())))
}

/** The last thing that a client heard of it was the end of a connection. */
function brokeOff(role: StartedRole): boolean {
  const ports = new Set<unknown>(startedRoles().map(({ port }) => port))
  const heard = eventsSince(role.readyAt).filter(({ kind, to }) => kind === 'http' && to === role.name)
  // By its own port, or by a link to it; not by that of its namesake.
  const last = heard.findLast(({ port }) => port === role.port || !ports.has(port))
  return last?.failed === true && /connection|reset|half/.test(last.text)
}

/** A role that the test still waits for to be ready, as a finding. */
export async function unreadyRole(): Promise<Finding | undefined> {
  const findings = await Promise.all(startedRoles().map((role) => role.unready()))
  return findings.find((finding) => finding !== undefined)
}

/** Whatever a test threw, as the learner reads it. */
export function findingOf(error: unknown): Finding {
  const dead = startedRoles().find((role) => role.diedByItself)
  const told = error instanceof StepFailure && error.finding.outcome === 'error'
  if (dead && !told) return died(dead, error)
  if (error instanceof StepFailure) return error.finding
  if (isUnavailable(error)) {
    return {
      outcome: 'unknown',
      when: situation(),
      expected: error.what,
      observed: error.why,
      remedy: error.remedy,
    }
  }
  if (error instanceof WaitTimeout) {
    return { outcome: 'fail', when: situation(), expected: same(error.what), observed: same(error.message) }
  }
  const message = error instanceof Error ? error.message : String(error)
  const answered = lastAnswer()
  if (answered && error instanceof Error && STUMBLES.has(error.name)) {
    const seen = showAnswer(answered.answer)
    return {
      outcome: 'fail',
      when: situation(),
      expected: say(
        `an answer to ${answered.asked} that can be read (${message})`,
        `${answered.asked}への、読み取れる応答（${message}）`,
      ),
      observed: seen,
    }
  }
  return {
    outcome: 'unknown',
    when: situation(),
    expected: say('the test to run', 'テストが実行できる'),
    observed: same(message),
    stack: error instanceof Error ? error.stack : undefined,
  }
}

/** A role that ended although no test asked it to, as a finding. */
export function deadRole(): Finding | undefined {
  const dead = startedRoles().find((role) => role.diedByItself)
  return dead && died(dead, undefined)
}

/**
 * A role that ended by itself: *error* when nobody had asked anything of it since it was ready, *fail* when a request
 * or a fault of the test brought it down. A request that found nobody listening is none.
 */
function died(role: StartedRole, error: unknown): Finding {
  const exit = role.diedByItself!
  const provoked = eventsSince(role.readyAt || now()).some(
    (event) =>
      event.at < exit.at &&
      event.to === role.name &&
      (event.kind === 'signal' || (event.kind === 'http' && !event.text.endsWith(REFUSED.en))),
  )
  const end = describeExit(exit, role.tail(50))
  const seen = error instanceof StepFailure ? error.finding : undefined
  return {
    outcome: provoked ? 'fail' : 'error',
    when: situation(),
    expected: seen?.expected ?? say(`${role.name} lives on`, `${role.name}が動き続ける`),
    observed: say(`${role.name} ended by itself (${end.en})`, `${role.name}が自分で終了した（${end.ja}）`),
    hint: seen?.hint,
  }
}

function isUnavailable(
  error: unknown,
): error is Error & { what: Finding['when']; why: Finding['when']; remedy: Finding['when'] } {
  return error instanceof Error && error.name === 'Unavailable'
}
