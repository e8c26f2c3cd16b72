export const SLOTS = 16_384

// #region crc16
/** CRC16 as Redis Cluster uses it (XMODEM: polynomial 0x1021, begun with 0). */
export function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return crc
}
// #endregion crc16

// #region hash-tag
/** What is hashed of a key: what stands between its first `{` and the next `}`, if that is anything. */
export function hashedPart(key: string): string {
  const open = key.indexOf('{')
  const close = key.indexOf('}', open + 1)
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key
}

export function slotOf(key: string): number {
  return crc16(new TextEncoder().encode(hashedPart(key))) % SLOTS
}
// #endregion hash-tag
