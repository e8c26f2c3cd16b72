import { DatabaseError } from 'pg'

/** Was Postgres out of reach? Otherwise it has answered, and what it said is our mistake. */
export function isOutOfReach(error: Error & { code?: string }): boolean {
  // SQLSTATE classes: connection exception, insufficient resources, operator intervention.
  if (error instanceof DatabaseError) return /^(08|53|57)/.test(error.code ?? '')
  // Errors of the socket have a code, such as ECONNREFUSED; those that pg makes itself have only a text.
  return /^E(?!RR_)/.test(error.code ?? '') || /connect|timeout|not queryable/i.test(error.message)
}
