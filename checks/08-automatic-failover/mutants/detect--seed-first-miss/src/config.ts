import { number, required } from './env.ts'

/** Between two checks, and the longest that one may take. */
export const CHECK_INTERVAL_MS = number('CHECK_INTERVAL_MS', 1000)
export const CHECK_TIMEOUT_MS = number('CHECK_TIMEOUT_MS', 1000)
/** So many failed checks in a row before an observer counts a node as down. */
export const FAIL_THRESHOLD = 1
/** Observers that must agree. */
export const QUORUM = 1
export const LEASE_TTL_MS = number('LEASE_TTL_MS', 5000)
/** Replicas that must have answered with their position before one may be chosen. */
export const MIN_CANDIDATES = number('MIN_CANDIDATES', 1)
/** No automatic failover that would lose more of what the primary was seen to have. */
export const MAX_LOST_BYTES = number('MAX_LOST_BYTES', 1_048_576)
export const POWER_URL = required('POWER_URL')

export interface NodeConfig {
  name: string
  /** How this controller reaches it, as superuser. */
  url: string
  /** How clients reach it. */
  clientUrl: string
  /** How it reaches each other node. */
  upstream: Record<string, string>
}

export const NODES = JSON.parse(required('NODES')) as NodeConfig[]
