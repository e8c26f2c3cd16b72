import { say, type Text } from '../text.ts'
import type { Machine } from './machine.ts'
import type { Exit } from './process.ts'

/** `file:///…/app/src/server.ts:3` is the learner's `src/server.ts:3`. */
export function shortened(line: string, { dir }: Machine): string {
  return line
    .replaceAll(`file://${dir}/`, '')
    .replaceAll(`${dir}/`, '')
    .replace(/ imported from $/, '')
}

/**
 * How a process ended, for people.
 * @param lines what it wrote: the error that it died of is named
 */
export function describeExit(exit: Exit, lines: readonly string[] = []): Text {
  if (exit.memory)
    return say(
      'ended by the harness: it used more than 1 GB of memory',
      'メモリが1GBを超えたため、ハーネスが停止した',
    )
  if (exit.flood)
    return say(
      'ended by the harness: it wrote more than 512 MB of log',
      'ログが512MBを超えたため、ハーネスが停止した',
    )
  if (exit.missing === 'folder')
    return say('the folder that it runs in has been deleted', '実行フォルダーが削除されている')
  if (exit.missing) return say(`there is no program ${exit.missing}`, `プログラム${exit.missing}がない`)
  const end = exit.signal
    ? say(`signal ${exit.signal}`, `シグナル${exit.signal}`)
    : say(`exit status ${exit.code}`, `終了コード${exit.code}`)
  const reason = exit.code === 0 ? undefined : deathCause(lines)
  return reason ? say(`${end.en}: ${reason}`, `${end.ja}：${reason}`) : end
}

/** The last line that names an error: `SyntaxError [ERR_…]: Expression expected`, `error: too many clients` of pg. */
function deathCause(lines: readonly string[]): string | undefined {
  if (lines.slice(-50).some((line) => line.startsWith('FATAL ERROR:') && line.includes('out of memory')))
    return 'out of memory'
  return lines.slice(-50).findLast((line) => /^(?:[\w.]*(?:Error|Exception)|error)\b/.test(line))
}
