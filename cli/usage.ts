import { say, type Text } from '#harness/text'
import type { Missing } from '#harness/unavailable'

/** Nothing was graded: the command was not understood. Not 2, which says that a role did not run. */
export const USAGE_STATUS = 64

/** The command can't be understood: what, why, and the one thing to type instead. */
export class UsageError extends Error implements Missing {
  override readonly name = 'UsageError'
  readonly what: Text
  readonly why: Text
  readonly remedy: Text

  constructor({ what, why, remedy }: Missing) {
    super(what.en)
    this.what = what
    this.why = why
    this.remedy = remedy
  }
}

/** An error of `parseArgs` as the reader understands it; undefined where it is none. */
export function argumentError(error: unknown, command: string): UsageError | undefined {
  const { code, message } = error as NodeJS.ErrnoException
  // That of a program which failed is a number.
  if (typeof code !== 'string' || !code.startsWith('ERR_PARSE_ARGS_')) return undefined
  const flag = /'(-[^' <]*)/.exec(message)?.[1] ?? ''
  const missing = code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE'
  return new UsageError({
    what: missing
      ? say(`The flag ${flag} is not complete.`, `フラグ${flag}の書き方が正しくありません。`)
      : say(
          `${command} does not know "${flag || message}".`,
          `${command}に「${flag || message}」はありません。`,
        ),
    why: missing
      ? say('It needs a value, or must stand without one.', '値が必要か、値を付けられないフラグです。')
      : say(
          'Flags stand after --, each as the help lists it.',
          'フラグは -- のあとに、ヘルプのとおりに書きます。',
        ),
    remedy: say(`Run: npm run ${command} -- --help`, `次を実行してください：npm run ${command} -- --help`),
  })
}
