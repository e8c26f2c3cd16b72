/** The server programs of the native runtime: where they are, and who runs them in which folder. */
export { postgresBinaries, type PostgresBinaries } from './postgres-binaries.ts'
export { redisBinary, type RedisBinary } from './redis-binary.ts'
export { dataRoot, identity, unprivilegedUser, type DataRoot, type User } from './user.ts'
