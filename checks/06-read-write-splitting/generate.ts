import type { Random } from '#harness'

/** A statement that says one thing and looks like another. */
export interface Generated {
  sql: string
  kind: 'read' | 'plain write' | 'hidden write'
  /** Of an INSERT: the note that must be there once. */
  note?: string
  /** Of an UPDATE: the account whose balance rises by one. */
  account?: number
}

const PHRASES = [
  'insert into accounts',
  'delete from accounts',
  'select 1 for update',
  'begin',
  'update accounts set',
  '; drop table x',
]

/** Known reads and writes in comments, odd case, parentheses, literals and names that hold keywords. */
export function generate(random: Random, m: string, index: number): Generated {
  const phrase = (): string => random.pick(PHRASES)
  const odd = (text: string): string =>
    text.replaceAll(/./g, (char) => (random.next() < 0.5 ? char.toUpperCase() : char.toLowerCase()))
  const literal = (): string =>
    random.pick([
      `'it''s ${phrase()}'`,
      `$$ ${phrase()} '$$`,
      `$q$ ${phrase()} -- $$ $q$`,
      `E'\\' ${phrase()}'`,
      `'/* ${phrase()}'`,
    ])
  const name = (): string => `"${phrase()}"`
  const comment = (): string =>
    random.pick(['', `-- ${phrase()}\n`, `/* ${phrase()} */ `, `/* a /* ${phrase()} */ ' */ `, ` \n\t`])
  const id = random.int(1, 50)
  const note = `note-${m.replaceAll(/\W/g, '')}-${index}`
  const dress = (sql: string): string => `${comment()}${sql} ${m}`
  switch (random.int(0, 6)) {
    case 0:
      return {
        kind: 'read',
        sql: dress(
          `${odd('select')} ${literal()} ${odd('as')} ${name()}, owner ${odd('from')} accounts WHERE id = ${id}`,
        ),
      }
    case 1:
      return {
        kind: 'read',
        sql: dress(
          `(${comment()}${odd('select')} note ${odd('from')} updates WHERE note <> ${literal()} LIMIT 1)`,
        ),
      }
    case 2:
      return {
        kind: 'read',
        sql: dress(
          `${odd('with')} ${name()} ${odd('as')} (SELECT ${literal()} AS x) ${odd('select')} 1 AS one`,
        ),
      }
    case 3:
      return {
        kind: 'plain write',
        note,
        sql: dress(`${odd('insert')} ${comment()}into audit_log (note) values ('${note}')`),
      }
    case 4:
      return {
        kind: 'plain write',
        account: id,
        sql: dress(
          `${odd('update')} accounts SET owner = ${literal()}, balance = balance + 1 WHERE id = ${id}`,
        ),
      }
    case 5:
      return {
        kind: 'hidden write',
        note,
        sql: dress(
          `${odd('with')} "select" AS (${comment()}${odd('insert')} INTO audit_log (note) VALUES ('${note}') RETURNING id) SELECT id FROM "select"`,
        ),
      }
    default:
      return {
        kind: 'hidden write',
        account: id,
        sql: dress(`${comment()}${odd('select')} ${literal()} AS ${name()}, credit(${id}, 1)`),
      }
  }
}
