import type { Text } from './text.ts'

/** What is missing on this machine, why, and the one thing to do about it. */
export interface Missing {
  readonly what: Text
  readonly why: Text
  readonly remedy: Text
}

/**
 * Our side can't go on: a server binary, a user, a folder is missing. The grader turns it into the verdict
 * *unknown*, which never counts against the learner.
 */
export class Unavailable extends Error implements Missing {
  override readonly name = 'Unavailable'
  readonly what: Text
  readonly why: Text
  readonly remedy: Text

  constructor(missing: Missing, options?: ErrorOptions) {
    super(`${missing.what.en} ${missing.why.en} ${missing.remedy.en}`, options)
    this.what = missing.what
    this.why = missing.why
    this.remedy = missing.remedy
  }
}
