// #region lsn
/** A position in the WAL: a byte number of 64 bits, written by Postgres as two hexadecimal halves, `1/3A8`. */
export type Lsn = bigint

/** Undefined where the text is no position. */
export function parseLsn(text: string): Lsn | undefined {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text)
  return match ? (BigInt(`0x${match[1]}`) << 32n) + BigInt(`0x${match[2]}`) : undefined
}

export function formatLsn(lsn: Lsn): string {
  return `${hex(lsn >> 32n)}/${hex(lsn & 0xffffffffn)}`
}

/** Bytes between two positions, never negative: a replica that was asked later may be ahead of what the primary said. */
// #region seed-low-half
export function bytesBehind(primary: Lsn, replica: Lsn): number {
  const low = (lsn: Lsn): number => Number.parseInt(formatLsn(lsn).split('/')[1]!, 16)
  return low(primary) - low(replica)
}
// #endregion seed-low-half

export function later(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b
}

function hex(half: bigint): string {
  return half.toString(16).toUpperCase()
}
// #endregion lsn
