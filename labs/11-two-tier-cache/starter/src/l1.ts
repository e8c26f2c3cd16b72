/** What is known of a key: its value and version, or that it does not exist. */
export interface Entry {
  found: boolean
  value?: unknown
  version: number
}

/**
 * This process's own memory. Pure: it asks for the time, so a test can turn the clock. Using it is up to you.
 */
export class L1 {
  // TODO(read-through): remember an entry by its key.
  // TODO(races): what is to be known about a key while somebody fetches it?
  // TODO(expiry): an entry has an age, and the memory a size.
  get(_key: string): Entry | undefined {
    return undefined
  }
}
