import type { ProgressWriter } from './app.ts'

/** Writes what a page may change of the learner's progress, by the grader's own store. */
export function progressWriter(_root: string): ProgressWriter {
  return { openHints: async () => undefined, surrender: async () => undefined }
}
