import { ROOT } from '#harness/paths'
import { say, same, type Language, type Text } from '#harness/text'
import { Unavailable, type Missing } from '#harness/unavailable'
import { EXIT_STATUS } from '#grader/verdict'
import { argumentError, USAGE_STATUS, UsageError } from './usage.ts'

interface Explained extends Missing {
  status: number
}

/** What stopped the command, as what, why and the one thing to do; and the exit status that goes with it. */
export function explain(error: unknown, command: string): Explained {
  const usage = error instanceof UsageError ? error : argumentError(error, command)
  if (usage) return { ...told(usage), status: USAGE_STATUS }
  const known = isMissing(error) ? told(error) : systemError(error)
  return { ...(known ?? ownFault(error, command)), status: EXIT_STATUS.unknown }
}

/** Writes the explanation to stderr. */
export function report(error: unknown, command: string, lang: Language): number {
  const { what, why, remedy, status } = explain(error, command)
  const reason = why[lang] && `  ${why[lang].trim().replaceAll('\n', '\n  ')}\n`
  process.stderr.write(`✗ ${what[lang]}\n${reason}→ ${remedy[lang]}\n`)
  if (process.env.WORKBOOK_VERBOSE && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return status
}

function told({ what, why, remedy }: Missing): Missing {
  return { what, why, remedy }
}

/** An {@link Unavailable} keeps its name, not its class, on its way out of a thread. */
function isMissing(error: unknown): error is Missing {
  return error instanceof Unavailable || (error as Error | undefined)?.name === 'Unavailable'
}

/** Errors of the operating system, wherever in the chain of causes they stand; undefined where there is none. */
export function systemError(error: unknown): Missing | undefined {
  const texts: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // An exit status, which is a number, says nothing.
    const { code } = cause as { code?: unknown }
    texts.push(typeof code === 'string' ? `${code} ${cause.message}` : cause.message)
    if (cause instanceof AggregateError) texts.push(...cause.errors.map(String))
  }
  const text = texts.join('\n')
  const kind = KINDS.find(({ signs }) => signs.test(text))
  return kind && { what: kind.what, why: same(firstAndLast(texts[0] ?? '')), remedy: kind.remedy }
}

/** The message, and of a server's log the last lines: there it says why. */
function firstAndLast(message: string): string {
  const [first = '', ...rest] = message
    .replaceAll(ROOT, '.')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
  return [first, ...rest.slice(-LAST_LINES)].join('\n')
}

const LAST_LINES = 3

const KINDS: { signs: RegExp; what: Text; remedy: Text }[] = [
  {
    signs: /ENOSPC|EDQUOT|No space left on device|disk quota exceeded/i,
    what: say('The disk is full.', 'ディスクに空きがありません。'),
    remedy: say('Free 1 GB, then run the command again.', '1 GB空けて、もう一度実行してください。'),
  },
  {
    signs: /no free port|EADDRINUSE|EADDRNOTAVAIL/i,
    what: say('There is no free port on this machine.', 'このマシンに空いているポートがありません。'),
    remedy: say(
      'End programs that hold ports between 20000 and 32000: ss -ltnp',
      '20000〜32000番のポートを使っているプログラムを終了してください。一覧：ss -ltnp',
    ),
  },
  {
    signs: /EMFILE|ENFILE|too many open files/i,
    what: say('Too many files are open.', '開いているファイルが多すぎます。'),
    remedy: say(
      'Raise the limit of this shell: ulimit -n 4096',
      'このシェルの上限を上げてください：ulimit -n 4096',
    ),
  },
  {
    signs: /EACCES|EROFS|EPERM|permission denied/i,
    what: say(
      'A file or folder of this clone can’t be written.',
      'このcloneのファイルかフォルダーに書き込めません。',
    ),
    remedy: say(
      'Make the clone yours: sudo chown -R "$(id -un)" .',
      'cloneしたフォルダーを自分のものにしてください：sudo chown -R "$(id -un)" .',
    ),
  },
  {
    signs: /spawn \S+ EAGAIN|ENOMEM|Cannot allocate memory/i,
    what: say('The machine has no memory or processes left.', 'メモリかプロセスの上限に達しました。'),
    remedy: say(
      'Close other programs, then run the command again.',
      'ほかのプログラムを閉じて、もう一度実行してください。',
    ),
  },
  {
    signs:
      /No such image|pull access denied|manifest unknown|toomanyrequests|error pulling|failed to (resolve|do request)/i,
    what: say('Docker could not fetch an image.', 'Dockerがイメージを取得できませんでした。'),
    remedy: say(
      'Run on local servers instead: LAB_RUNTIME=native npm run lab',
      'ローカルのサーバーで動かしてください：LAB_RUNTIME=native npm run lab',
    ),
  },
  {
    signs: /docker|container runtime|\(HTTP code/i,
    what: say('Docker could not start the servers.', 'Dockerがサーバーを起動できませんでした。'),
    remedy: say(
      'Run on local servers instead: LAB_RUNTIME=native npm run lab',
      'ローカルのサーバーで動かしてください：LAB_RUNTIME=native npm run lab',
    ),
  },
  {
    signs: /before it was ready|to accept connections/i,
    what: say('A server did not start.', 'サーバーが起動しませんでした。'),
    remedy: say('Run: npm run doctor', '次を実行してください：npm run doctor'),
  },
]

function ownFault(error: unknown, command: string): Missing {
  const message = error instanceof Error ? error.message : String(error)
  return {
    what: say('The workbook itself has broken.', 'ワークブック自体に不具合が起きました。'),
    why: same(message.replaceAll(ROOT, '.').slice(0, 500)),
    remedy: say(
      `See where, and report it: npm run ${command} -- --verbose`,
      `場所を確かめて、報告してください：npm run ${command} -- --verbose`,
    ),
  }
}
