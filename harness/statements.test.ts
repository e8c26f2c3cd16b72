import { describe, expect, it } from 'vitest'
import { parseStatements } from './statements.ts'

const line = (rest: string, pid = 42) => `1700000000.250|${pid}|s0|lab_1| ${rest}`

describe('statements of a log', () => {
  it('carries the parameters that follow, and nobody else’s', () => {
    const log = [
      line('LOG:  execute <unnamed>: SELECT value FROM data WHERE key = $1'),
      line("DETAIL:  Parameters: $1 = 'front'"),
      line('LOG:  statement: SELECT 1', 43),
      line('ERROR:  terminating connection due to administrator command'),
      line("DETAIL:  Parameters: $1 = 'stray'"),
    ].join('\n')
    expect(parseStatements(log).map(({ pid, text, parameters }) => [pid, text, parameters])).toEqual([
      [42, 'SELECT value FROM data WHERE key = $1', "$1 = 'front'"],
      [43, 'SELECT 1', ''],
    ])
  })

  it('reads a statement over several lines, then its parameters', () => {
    const log = [
      line('LOG:  execute <unnamed>: SELECT value'),
      '\tFROM data',
      line("DETAIL:  Parameters: $1 = 'front', $2 = '7'"),
    ].join('\n')
    const [statement] = parseStatements(log)
    expect(statement).toMatchObject({
      text: 'SELECT value\nFROM data',
      parameters: "$1 = 'front', $2 = '7'",
      at: 1_700_000_000_250,
    })
  })
})
