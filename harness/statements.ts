import { open, stat } from 'node:fs/promises'
import { lab } from './context.ts'
import { look } from './look.ts'
import { scopeSignal } from './scope.ts'
import type { Event } from './timeline.ts'
import type { NodeInfo } from './topology.ts'
import { eventuallyTrue } from './wait.ts'

/** One statement that a Postgres executed, from its own log. */
export interface Statement {
  /** Milliseconds since 1970. */
  at: number
  pid: number
  application: string
  database: string
  text: string
  /** Its parameters as Postgres logs them, `$1 = 'a', $2 = '7'`; empty where it has none. */
  parameters: string
}

export interface StatementFilter {
  application?: string
  database?: string
  text?: RegExp
}

/** A place in a node's log. */
export type LogPosition = number

let markers = 0

/**
 * A place in the node's log that is certain: everything the node executed before this call stands before it. To claim
 * "was not asked", read up to a marker, never for a time.
 */
export async function logMarker(node: NodeInfo): Promise<LogPosition> {
  const text = `marker ${process.pid}.${++markers}.${Date.now()}`
  // The log of a warm topology grows with every run: only what is new is read.
  const { size: before } = await stat(node.log)
  await look(node, `SELECT '${text}'`)
  return eventuallyTrue(
    `the log of ${node.name} up to a marker`,
    async () => {
      const { size } = await stat(node.log)
      const log = (await read(node.log, before, size)).toString('latin1')
      const at = log.indexOf(text)
      const end = log.indexOf('\n', at)
      return at >= 0 && end >= 0 && before + end + 1
    },
    { signal: scopeSignal() },
  )
}

/** Statements between two places of the node's log; without an end, up to a marker that is set now. */
export async function statementsOf(
  node: NodeInfo,
  { application, database, text }: StatementFilter = {},
  from: LogPosition = 0,
  to?: LogPosition,
): Promise<Statement[]> {
  const end = to ?? (await logMarker(node))
  return parseStatements(await slice(node.log, from, end)).filter(
    (statement) =>
      statement.application !== 'harness' &&
      (application === undefined || statement.application === application) &&
      (database === undefined || statement.database === database) &&
      (text === undefined || text.test(statement.text)),
  )
}

/** What all Postgres nodes executed since then, for the timeline. Whatever their logs show by now is enough. */
export async function statementEvents(since: number): Promise<Event[]> {
  const nodes = [...lab().nodes.values()].filter((node) => node.kind === 'postgres')
  const perNode = await Promise.all(
    nodes.map(async (node) => {
      const log = await tail(node.log, 512 * 1024)
      return parseStatements(log)
        .filter((s) => s.at >= since && s.application && s.application !== 'harness')
        .map((s): Event => ({
          at: s.at,
          from: s.application,
          to: node.name,
          kind: 'sql',
          text: oneLine(s.text),
        }))
    }),
  )
  return perNode.flat()
}

const PREFIX = /^(\d+\.\d+)\|(\d+)\|([^|]*)\|([^|]*)\| (\w+): {2}(?:statement|execute [^:]*): (.*)$/

/** Postgres writes it in one piece with the line of its statement: nobody else's line comes between. */
const PARAMETERS = /^\d+\.\d+\|\d+\|[^|]*\|[^|]*\| DETAIL: {2}parameters: (.*)$/i

/** Reads the lines of `log_statement=all` with the harness's `log_line_prefix`; a statement may run over lines. */
export function parseStatements(log: string): Statement[] {
  const statements: Statement[] = []
  let open: Statement | undefined
  for (const line of log.split('\n')) {
    const match = PREFIX.exec(line)
    if (match) {
      const [, at, pid, application, database, , text] = match
      open = {
        at: Number(at) * 1000,
        pid: Number(pid),
        application: application!,
        database: database!,
        text: text!,
        parameters: '',
      }
      statements.push(open)
    } else if (open && PARAMETERS.test(line)) open.parameters = PARAMETERS.exec(line)![1]!
    else if (open && line.startsWith('\t')) open.text += `\n${line.slice(1)}`
    else open = undefined
  }
  return statements
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 160 ? `${line.slice(0, 160)}…` : line
}

async function slice(path: string, from: number, to: number): Promise<string> {
  return (await read(path, from, to)).toString('utf8')
}

async function read(path: string, from: number, to: number): Promise<Buffer> {
  const file = await open(path)
  try {
    const buffer = Buffer.alloc(Math.max(0, to - from))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function tail(path: string, bytes: number): Promise<string> {
  try {
    const file = await open(path)
    const { size } = await file.stat()
    await file.close()
    return await slice(path, Math.max(0, size - bytes), size)
  } catch {
    return '' // the node never wrote a line
  }
}
