/** Everything that the tests and checks of a lab may use. */
export { test, beforeAll, beforeEach, type TestTools } from './test.ts'
export { when } from './situation.ts'
export {
  expect,
  fail,
  any,
  anything,
  objectContaining,
  arrayContaining,
  stringContaining,
  stringMatching,
  closeTo,
} from './expect.ts'
export { eventually, throughout } from './eventually.ts'
export { say, same, type Text } from './text.ts'
export { startRole, StartedRole, type RoleOptions } from './role/role.ts'
export { describeExit } from './role/ending.ts'
export { command, startCommand, type StartedCommand } from './role/command.ts'
export type { Exit } from './role/process.ts'
export { http, showAnswer, type Answer, type RequestOptions } from './http.ts'
export { httpClient, type HttpClient } from './http-client.ts'
export { httpPeer } from './http-peer.ts'
export { powerDevice, type PowerCall, type PowerDevice } from './power-device.ts'
export { postgres, replicas, renew, addPostgres, StartedPostgres } from './postgres.ts'
export { Database, type Backend, type HeldLock } from './database.ts'
export type { Statement } from './statements.ts'
export { redis, clusterNodes, addRedis, StartedRedis, Monitor } from './redis.ts'
export { redisCluster, StartedCluster, type Migration } from './cluster.ts'
export { conninfo, follow, link, matrix, replicationLink } from './links.ts'
export { Capacity, type Exchange, type Link, type Matrix } from './link/index.ts'
export { burst, closedLoop, load, type LoadResult, type LoopResult } from './load.ts'
export { freePort, closedPort } from './ports.ts'
export { lsn, quoted, sqlOnce, type Row } from './sql.ts'
export { Random } from './random.ts'
export { ahead, atEnd, Lending, shared } from './scope.ts'
export { note } from './timeline.ts'
export { show } from './show.ts'
