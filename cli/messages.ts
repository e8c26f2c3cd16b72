import { say, type Text } from '#harness/text'
import type { Holder } from '#grader/run-lock'

/**
 * What the commands say, in both languages: `say` takes both, so that a missing one is a type error. The words of a verdict
 * stand with its rendering, in `checks/grader/report/words.ts`.
 */
export const MESSAGES = {
  removed: (what: string[]) =>
    say(
      `removed what an earlier command left behind: ${shorten(what)}`,
      `前のコマンドが残したものを片付けました：${shorten(what)}`,
    ),
  looking: say('looking for Docker', 'Dockerを探しています'),
  runtime: (kind: string, why: Text) =>
    say(`${RUNTIMES[kind]?.en ?? kind}: ${why.en}`, `${RUNTIMES[kind]?.ja ?? kind}:${why.ja}`),
  starting: (servers: string[]) =>
    servers.length > 0
      ? say(`starting ${servers.join(', ')}`, `${servers.join('、')}を起動しています`)
      : say('starting the tests', 'テストを準備しています'),
  images: say(' (the first time, images are fetched)', '(初回はイメージを取得します)'),
  checking: (chapter: string) => say(`checking ${chapter}`, `${chapter}を採点しています`),
  busy: ({ command, pid, since }: Holder) =>
    say(
      `${command} (process ${pid}) has been running since ${clock(since)}; waiting for it. Ctrl-C ends the wait.`,
      `${command}（プロセス${pid}）が${clock(since)}から実行中です。終わるのを待っています。待たずに終えるにはCtrl-Cを押してください。`,
    ),
  ownTests: (chapter: string) =>
    say(
      `workspace/${chapter}/tests is not used: the project’s own tests grade you.`,
      `workspace/${chapter}/testsは使われません。採点にはプロジェクトのテストを使います。`,
    ),
  nothingBegun: {
    what: say('There is nothing to check yet.', '採点するものがまだありません。'),
    why: say('No lab has a folder in workspace/.', 'workspace/にラボのフォルダーがありません。'),
    remedy: say('Run: npm run lab', '次を実行してください：npm run lab'),
  },
  noLab: (name: string, chapters: string[]) => ({
    what: say(`There is no lab "${name}".`, `ラボ「${name}」はありません。`),
    why: say(`The labs: ${chapters.join(', ')}.`, `ラボの一覧：${chapters.join('、')}`),
    remedy: say('Give the number of one of them.', 'このうちの番号を指定してください。'),
  }),
  noStep: (name: string, chapter: string, steps: string[]) => ({
    what: say(`${chapter} has no step "${name}".`, `${chapter}にステップ「${name}」はありません。`),
    why: say(`Its steps: ${steps.join(', ')}.`, `ステップの一覧：${steps.join('、')}`),
    remedy: say(
      'Give their ids with commas between: --steps a,b',
      'IDをコンマで区切って指定してください：--steps a,b',
    ),
  }),
  badSeed: (value: string) => ({
    what: say(`"${value}" is no seed.`, `「${value}」はシードではありません。`),
    why: say(
      'A seed is a whole number, as a failed run prints it.',
      'シードは、失敗した実行が表示する整数です。',
    ),
    remedy: say('Give it like this: --seed 1234', '次のように指定してください：--seed 1234'),
  }),
  twoOutputs: {
    what: say(
      '--json and --junit - both want the standard output.',
      '--jsonと--junit -は、どちらも標準出力に書きます。',
    ),
    why: say('One output can hold one format.', '一つの出力に書ける形式は一つだけです。'),
    remedy: say(
      'Give --junit a file: --junit report.xml',
      '--junitにはファイルを指定してください：--junit report.xml',
    ),
  },
  unknownCommand: (name: string, known: string[]) => ({
    what: name
      ? say(`There is no command "${name}".`, `コマンド「${name}」はありません。`)
      : say('No command was given.', 'コマンドがありません。'),
    why: say(`The commands: ${known.join(', ')}.`, `コマンドの一覧：${known.join('、')}`),
    remedy: say('Run: npm run lab', '次を実行してください：npm run lab'),
  }),
  swallowed: (flag: string, command: string) => ({
    what: say(`npm has kept --${flag} for itself.`, `npmが--${flag}を自分のものとして受け取りました。`),
    why: say('Flags for the workbook stand after --.', 'ワークブックのフラグは -- のあとに書きます。'),
    remedy: say(
      `Run: npm run ${command} -- --${flag} …`,
      `次を実行してください：npm run ${command} -- --${flag} …`,
    ),
  }),
  total: (earned: number, possible: number, labs: number) =>
    say(`${earned} of ${possible} points in ${labs} labs`, `${labs}個のラボで${possible}点中${earned}点`),
}

const RUNTIMES: Record<string, Text> = {
  docker: say('Docker', 'Docker'),
  native: say('native servers', 'ローカルのサーバー'),
}

const MOST_NAMES = 4

function shorten(names: string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ')
  return names.length > MOST_NAMES ? `${shown} … (${names.length})` : shown
}

function clock(time: string): string {
  return new Date(time).toTimeString().slice(0, 8)
}
