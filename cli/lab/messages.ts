import { say, type Text } from '#harness/text'
import type { Holder } from '#grader/run-lock'
import { MESSAGES } from '../messages.ts'

/** What `npm run lab` says. */
export const LAB = {
  made: (chapter: string, files: string[]) =>
    say(
      `made workspace/${chapter} from the starter. Edit ${files.join(', ')}`,
      `スターターからworkspace/${chapter}を作りました。編集するファイル：${files.join('、')}`,
    ),
  watching: (chapter: string) => say(`watching workspace/${chapter}`, `workspace/${chapter}を監視中`),
  checking: say('checking…', '採点中…'),
  checkingSteps: (steps: string, passed: number) =>
    say(`checking ${steps}: ${tests(passed)} passed`, `${steps}を採点中：${passed}件のテストに合格`),
  saved: (files: string[]) => say(`saved ${names(files)}`, `${names(files)}を保存`),
  waiting: (holder: Holder) => MESSAGES.busy(holder),
  passedBefore: say('passed before', '前回は合格'),
  green: (next: string | undefined) =>
    next
      ? say(
          `Every step passes. s compares with our solution, n begins lab ${next}.`,
          `すべてのステップに合格しました。sで解答例と比べ、nでラボ${next}に進みます。`,
        )
      : say(
          'Every step passes. s compares with our solution. This was the last lab.',
          'すべてのステップに合格しました。sで解答例と比べられます。これが最後のラボです。',
        ),
  allGreen: say(
    'Every lab is green. Give the number of one to work on it again: npm run lab 02',
    'すべてのラボに合格しています。番号を指定すると、もう一度取り組めます：npm run lab 02',
  ),
  reset: (chapter: string, kept: string) =>
    say(
      `kept your work as ${kept}\nmade workspace/${chapter} anew`,
      `これまでのファイルを${kept}に残しました\nworkspace/${chapter}を作り直しました`,
    ),
  resetNothing: (chapter: string) =>
    say(`there was no workspace/${chapter}; made it`, `workspace/${chapter}はまだなかったので、作りました`),
  goOn: (number: string) =>
    say(`go on with: npm run lab ${number}`, `続きは次を実行してください：npm run lab ${number}`),
  left: (number: string) =>
    say(`go on later with: npm run lab ${number}`, `再開するには：npm run lab ${number}`),
  noLogs: say('The roles wrote nothing.', 'ロールは何も出力していません。'),
  logFiles: (dir: string) => say(`all of it: ${dir}`, `全文：${dir}`),
  noTimeline: say(
    'A timeline is kept of a step that did not pass, and every step passed.',
    'タイムラインは合格しなかったステップについて残ります。すべて合格しているので、ありません。',
  ),
  noFailures: say('Nothing has failed.', '失敗はありません。'),
  notRunYet: say('No run has ended yet.', 'まだ実行が終わっていません。'),
  noDifference: say(
    'Your files and our solution are the same.',
    'あなたのファイルと解答例に違いはありません。',
  ),
  compare: (lab: string) =>
    say(`From your lab ${lab} (-) to our solution (+)`, `あなたのラボ${lab}（-）から解答例（+）への差分`),
  mayGiveUp: say(
    'The solution opens once the lab is green. Give up and look at it now? Progress will remember it.\ny: yes    any other key: no',
    '解答例は、ラボに合格すると開きます。あきらめて今見ますか。進捗に記録されます。\ny：はい    ほかのキー：いいえ',
  ),
  lastHint: say('That was the last hint.', 'ヒントはこれで最後です。'),
  noNext: say('This is the last lab.', 'これが最後のラボです。'),
  runningAll: say('checking every step…', 'すべてのステップを採点中…'),
  back: say('any key: back', 'キーを押すと戻ります'),
  twoWords: {
    what: say('reset needs the number of a lab.', 'resetにはラボの番号が必要です。'),
    why: say('It sets one lab aside and makes it anew.', '指定したラボを脇に置き、作り直します。'),
    remedy: say('Run: npm run lab reset 02', '次を実行してください：npm run lab reset 02'),
  },
  oneLab: {
    what: say('One lab at a time.', '一度に取り組めるラボは一つです。'),
    why: say('npm run lab takes one number.', 'npm run labに指定できる番号は一つです。'),
    remedy: say('Run: npm run lab 02', '次を実行してください：npm run lab 02'),
  },
}

/** Keys in the order in which they are offered. */
export const KEYS: { key: string; does: Text; when: 'always' | 'failed' | 'green' }[] = [
  { key: 'h', does: say('next hint', '次のヒント'), when: 'failed' },
  { key: 'l', does: say('logs', 'ログ'), when: 'always' },
  { key: 't', does: say('timeline', 'タイムライン'), when: 'failed' },
  { key: 'a', does: say('all failures', 'すべての失敗'), when: 'failed' },
  { key: 's', does: say('solution', '解答例'), when: 'always' },
  { key: 'n', does: say('next lab', '次のラボ'), when: 'green' },
  { key: 'r', does: say('run', '実行'), when: 'always' },
  { key: 'q', does: say('quit', '終了'), when: 'always' },
]

const MOST = 3

function names(files: string[]): string {
  return files.length > MOST ? `${files.slice(0, MOST).join(', ')} …` : files.join(', ')
}

function tests(count: number): string {
  return count === 1 ? '1 test' : `${count} tests`
}
