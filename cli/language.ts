import { say, type Language } from '#harness/text'
import { UsageError } from './usage.ts'

/** `--lang`, else the system's: Japanese where the reader's system is Japanese, else English. */
export function language(asked?: string): Language {
  if (asked !== undefined && asked !== 'en' && asked !== 'ja') {
    throw new UsageError({
      what: say(`There is no language "${asked}".`, `言語「${asked}」はありません。`),
      why: say('The workbook speaks English and Japanese.', 'ワークブックの言語は英語と日本語です。'),
      remedy: say('Give --lang en or --lang ja.', '--lang enまたは--lang jaを指定してください。'),
    })
  }
  const { LC_ALL, LC_MESSAGES, LANG } = process.env
  const system = LC_ALL || LC_MESSAGES || LANG || Intl.DateTimeFormat().resolvedOptions().locale
  return (asked ?? system).startsWith('ja') ? 'ja' : 'en'
}
