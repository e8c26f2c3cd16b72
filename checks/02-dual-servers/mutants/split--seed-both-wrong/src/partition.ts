// #region partition
const USER_ID = /^[A-Za-z0-9._-]{1,64}$/

/** 1 to 64 characters that need no escaping anywhere. */
export function isValidUserId(id: string): boolean {
  return USER_ID.test(id)
}

/** Does the partition, such as `A-M`, hold this id? Both ends belong to it, upper and lower case alike. */
export function inPartition(partition: string, id: string): boolean {
  const [from = '', to = ''] = partition.split('-')
  const letter = id.charAt(0).toUpperCase()
  return from <= letter && letter <= to
}
// #endregion partition
