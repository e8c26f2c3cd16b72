export { Capacity, type CapacityLimit } from './capacity.ts'
export { Link, openLink, type Directions, type LinkOptions } from './link.ts'
export { matrix, Matrix, type Isolation } from './matrix.ts'
export type {
  Address,
  ConnectionState,
  Counts,
  Direction,
  Exchange,
  HoldOn,
  Hook,
  HttpRecord,
  LinkEvent,
  LostReplies,
  Match,
  Outcome,
  Passing,
  Protocol,
} from './types.ts'
