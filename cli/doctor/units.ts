export const GIGABYTE = 1024 ** 3

/** With one decimal where that says something. */
export function gigabytes(bytes: number): string {
  const value = bytes / GIGABYTE
  return value < 10 ? value.toFixed(1) : String(Math.round(value))
}
