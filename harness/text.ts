/** A sentence that a learner reads, in both languages of the workbook. */
export interface Text {
  readonly en: string
  readonly ja: string
}

export type Language = keyof Text

/** Both languages of one sentence. Japanese is written first-hand, not translated word by word. */
export function say(en: string, ja: string): Text {
  return { en, ja }
}

/** The same text in both languages: values, names, SQL. */
export function same(value: string): Text {
  return { en: value, ja: value }
}
