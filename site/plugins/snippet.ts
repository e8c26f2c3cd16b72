/**
 * Cuts a named region out of a file: from the line with `#region name` to the line with `#endregion name`, markers and
 * the markers of inner regions left out, common indent removed. Without a name: the whole file.
 */
export function cutRegion(source: string, region: string | undefined, file: string): string {
  const lines = source.replaceAll('\r\n', '\n').split('\n')
  const chosen = region === undefined ? lines : between(lines, region, file)
  return dedent(chosen.filter((line) => !MARKER.test(line))).join('\n')
}

const MARKER = /#(?:end)?region\b/

function between(lines: string[], region: string, file: string): string[] {
  const mark = (word: string) => new RegExp(`#${word}\\s+${escape(region)}(?![\\w-])`)
  const starts = lines.flatMap((line, i) => (mark('region').test(line) ? [i] : []))
  const [start] = starts
  if (start === undefined) throw new Error(`${file} has no "#region ${region}"`)
  if (starts.length > 1) throw new Error(`${file} has "#region ${region}" ${starts.length} times`)
  const end = lines.findIndex((line, i) => i > start && mark('endregion').test(line))
  if (end === -1) throw new Error(`${file} has "#region ${region}" but no "#endregion ${region}"`)
  return lines.slice(start + 1, end)
}

/** Common indent off, blank lines at both ends off. */
function dedent(lines: string[]): string[] {
  const indent = Math.min(...lines.filter((l) => l.trim()).map((l) => l.length - l.trimStart().length), 80)
  const cut = lines.map((line) => line.slice(indent).trimEnd())
  const first = cut.findIndex(Boolean)
  return first === -1 ? [] : cut.slice(first, cut.findLastIndex(Boolean) + 1)
}

const escape = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
