/** A position in the WAL: a number of 64 bits, written as two hexadecimal halves, `1/B88`. */
export type Lsn = bigint

export function parseLsn(text: string): Lsn {
  const [high = '0', low = '0'] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)
}

/** A replica that has answered. */
export interface Position {
  name: string
  /** What it has received, or replayed where that is more. */
  lsn: Lsn
}

export interface Limits {
  minCandidates: number
  maxLostBytes: number
  /** An operator has decided: both limits are off. */
  force: boolean
}

export type Choice =
  | { candidate: string; lostBytes: bigint }
  | { blocked: 'too_few_candidates' | 'max_lost_bytes' }

// #region choose
/**
 * The replica that has received most, or the reason why none may be taken. Equal ones are taken by name, so that two
 * controllers choose the same.
 * @param last where the dead primary was last seen; null: never
 */
export function choose(positions: readonly Position[], last: Lsn | null, limits: Limits): Choice {
  const { minCandidates, maxLostBytes, force } = limits
  const [best] = positions.toSorted((a, b) => (asText(a.lsn) > asText(b.lsn) ? -1 : 1))
  if (!best || (positions.length < minCandidates && !force)) return { blocked: 'too_few_candidates' }
  const lostBytes = last !== null && last > best.lsn ? last - best.lsn : 0n
  if (lostBytes > BigInt(maxLostBytes) && !force) return { blocked: 'max_lost_bytes' }
  return { candidate: best.name, lostBytes }
}
// #endregion choose

function asText(lsn: Lsn): string {
  const hex = (half: bigint) => half.toString(16).toUpperCase()
  return `${hex(lsn >> 32n)}/${hex(lsn & 0xffffffffn)}`
}
