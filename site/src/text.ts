import useDocusaurusContext from '@docusaurus/useDocusaurusContext'
import type { Language, Text } from '../../harness/text.ts'

/** Chooses the page's language: `t('Open a hint', 'ヒントを開く')`. Both stand together, so neither can be missing. */
export type Say = (en: string, ja: string) => string

export function useLanguage(): Language {
  return useDocusaurusContext().i18n.currentLocale === 'ja' ? 'ja' : 'en'
}

export function useSay(): Say {
  const language = useLanguage()
  return language === 'ja' ? (_, ja) => ja : (en) => en
}

/** Shows a text of the grader in the page's language. */
export function useText(): (text: Text) => string {
  const language = useLanguage()
  return (text) => text[language]
}
