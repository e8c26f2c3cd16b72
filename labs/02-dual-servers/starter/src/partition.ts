// #region partition
/** Is this 1 to 64 characters: an ASCII letter, then ASCII letters, digits, `.`, `_`, `-`? */
export function isValidUserId(id: string): boolean {
  // TODO(split): an id that no server owns must be refused by both.
  throw new Error(`not implemented: is ${id} a user id?`)
}

/** Does the partition, such as `A-M`, hold this id? Both ends belong to it, upper and lower case alike. */
export function inPartition(partition: string, id: string): boolean {
  // TODO(split): look at the first letter.
  throw new Error(`not implemented: is ${id} in ${partition}?`)
}
// #endregion partition
