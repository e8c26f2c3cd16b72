import { SchemaError } from '#harness/databases'
import { same, say, type Text } from '#harness/text'
import { filesOfLab, type Lab } from './labs.ts'
import { SubjectError } from './subject.ts'
import type { Failure, Outcome, StepVerdict } from './verdict.ts'

/** Why no step of a subject could be run. */
export interface Refusal {
  outcome: Outcome
  failure: Failure
}

/** What the learner is told when the subject could not be prepared. @throws what is none of the subject's doing */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof SubjectError) return { outcome: 'error', failure: unreadable(error) }
  if (!(error instanceof SchemaError)) throw error
  // The lab's own data is the workbook's.
  return { outcome: error.file === 'data.sql' ? 'unknown' : 'error', failure: schemaFailure(error) }
}

function schemaFailure(error: SchemaError): Failure {
  const place = error.line ? `${error.file}:${error.line}` : error.file
  return beforeAnyStep({
    test: say('the database is made', 'データベースを作る'),
    when: say(`${error.file} was applied to an empty database`, `空のデータベースに${error.file}を適用した`),
    expected: say('Postgres accepts every statement', 'Postgresがすべての文を受け付ける'),
    observed: same(`${place}: ${error.message}`),
  })
}

function unreadable({ file, reason }: SubjectError): Failure {
  return beforeAnyStep({
    test: say('the files are read', 'ファイルを読む'),
    when: say(`${file} was read`, `${file}を読んだ`),
    expected: say(`${file} can be used`, `${file}を使える`),
    observed: reason,
  })
}

function beforeAnyStep(told: Record<'test' | 'when' | 'expected' | 'observed', Text>): Failure {
  return { ...told, hint: 1, evidence: [], logs: [], timeline: [] }
}

/** Notes what decides a verdict as it is now; the function tells which of it has changed since. */
export function watchFiles(lab: Lab): () => string[] {
  const before = filesOfLab(lab)
  return () => {
    const after = filesOfLab(lab)
    return [...new Set([...before.keys(), ...after.keys()])].filter(
      (name) => !before.get(name)?.equals(after.get(name) ?? EMPTY),
    )
  }
}

const EMPTY = Buffer.alloc(0)

/** A step that passed while what tests it was being changed: nobody knows what it was tested with. */
export function distrusted(step: StepVerdict, files: string[]): StepVerdict {
  const list = files.map((file) => file.replace(/^\//, '')).join(', ')
  const failure: Failure = {
    ...beforeAnyStep({
      test: say('the workbook’s own files', 'ワークブックのファイル'),
      when: say('the step was run', 'ステップを実行した'),
      expected: say('the workbook’s tests as they were when the run began', '実行の開始時と同じテスト'),
      observed: say(`changed during the run: ${list}`, `実行中に変更された：${list}`),
    }),
    remedy: say(
      'Run it again. If the program that is tested changed them, restore them: git checkout -- labs checks',
      'もう一度実行してください。テスト対象のプログラムが変更した場合は、元に戻してください：git checkout -- labs checks',
    ),
  }
  return { ...step, outcome: 'unknown', failure }
}
