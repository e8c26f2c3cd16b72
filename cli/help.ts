import { say, type Language, type Text } from '#harness/text'

const COMMON = say(
  '  --lang en|ja      language; default: the system’s\n  --verbose         where an error comes from',
  '  --lang en|ja      言語。指定がなければシステムの言語\n  --verbose         エラーの発生元を表示',
)

const HELP: Record<string, Text> = {
  lab: say(
    `npm run lab [NN]        work on a lab: its tests run again at every save
npm run lab reset NN    keep the work so far aside, and begin anew

  NN                number of the lab; default: the first that is not green
  --surrender       give up: shows the solution, and progress remembers it
  --seed N          random inputs as in an earlier run`,
    `npm run lab [NN]        ラボに取り組む。保存のたびにテストを実行
npm run lab reset NN    今のファイルを残して、最初から始める

  NN                ラボの番号。指定がなければ、まだ合格していない最初のラボ
  --surrender       あきらめて解答例を見る（進捗に記録されます）
  --seed N          以前の実行と同じ乱数を使う`,
  ),
  check: say(
    `npm run check [NN …] [-- flags]     grade labs; default: all that you have begun

  --subject WHAT    workspace (default), solution, starter, or the path of a folder
  --steps a,b       only these steps
  --seed N          random inputs as in an earlier run
  --all             every failure in full, not only the first
  --json            verdicts as JSON: an object for one lab, else an array
  --junit FILE      verdicts as JUnit XML; - for the standard output

Exit status: 0 passed, 1 failed, 2 error, 3 unknown, 64 the command was not understood`,
    `npm run check [NN …] [-- フラグ]     ラボを採点する。指定がなければ、始めたものすべて

  --subject WHAT    workspace（既定）、solution、starter、またはフォルダーのパス
  --steps a,b       このステップだけ
  --seed N          以前の実行と同じ乱数を使う
  --all             最初の一つだけでなく、すべての失敗を詳しく表示
  --json            判定をJSONで出力（ラボが一つならオブジェクト、ほかは配列）
  --junit FILE      判定をJUnitのXMLで出力（-なら標準出力）

終了コード：0 合格、1 不合格、2 エラー、3 判定不能、64 コマンドの誤り`,
  ),
  doctor: say(
    `npm run doctor     what this machine has, what is missing, and the command that mends it

  --json            the same as JSON`,
    `npm run doctor     このマシンにあるもの、足りないもの、その直し方を表示

  --json            同じ内容をJSONで出力`,
  ),
  start: say(
    `npm start          serve the chapters on this machine

  --port N          default: 3000, or the next free one
  --no-open         do not open a browser
  --no-build        serve what was built before`,
    `npm start          このマシンで章を開く

  --port N          ポート。既定は3000、使用中なら次の空き
  --no-open         ブラウザーを開かない
  --no-build        前に生成したページをそのまま使う`,
  ),
  bench: say(
    `npm run bench NN [-- flags]   measure a subject under load, with the source’s figures beside
npm run bench loop            how long a learner waits between save and verdict
npm run bench site            how long the pages take to build, and what one weighs

  --subject WHAT    workspace (default), solution, starter, or the path of a folder
  --row ID          only this row; may be given several times
  --full            load for as long as the source names, where that takes a while
  --json            the figures as JSON`,
    `npm run bench NN [-- フラグ]   負荷をかけて測定し、元の資料の数字と並べる
npm run bench loop             保存してから判定までの待ち時間
npm run bench site             ページの生成にかかる時間と、1ページの重さ

  --subject WHAT    workspace（既定）、solution、starter、またはフォルダーのパス
  --row ID          この行だけ。複数回指定できます
  --full            短縮せず、資料と同じ長さの負荷をかける
  --json            数字をJSONで出力`,
  ),
}

/** What a command does and which flags it knows. */
export function helpOf(command: string, lang: Language): string {
  return `${HELP[command]?.[lang] ?? `npm run ${command}`}\n\n${COMMON[lang]}`
}
