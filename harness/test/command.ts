import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '../context.ts'
import { postgres, renew, startRole } from '../index.ts'
import { sweep, sweepOwn } from '../process/owned.ts'
import { chooseRuntime } from '../runtime/choose.ts'
import { scopes } from '../scope.ts'
import { StartedTopology } from '../topology.ts'
import { contextOf, hostOf, ownHome } from './stage.ts'

/** A command as a reader starts it, to be killed at any moment: servers, databases, roles that leave children, the end. */
const stage = (name: string): number => writeSync(1, `${name}\n`)

stage('begin')
await sweep()
ownHome()
const runtime = await chooseRuntime()
const topology = await StartedTopology.start(runtime, {
  pg: { kind: 'replicated', replicas: 1 },
  cache: { kind: 'redis' },
})
stage('servers')
await connect(hostOf(topology, contextOf(join(import.meta.dirname, 'subject'), runtime)))
scopes.openTest()
const [server] = await Promise.all([startRole('server'), postgres('pg').database()])
for (const kind of ['child', 'daemon', 'stranger']) await server.get(`/${kind}`)
await server.freeze()
stage('roles')
await renew('pg')
stage('renewed')
await scopes.closeTest()
await topology.heal()
stage('healed')
await topology.close()
await sweepOwn()
stage('end')
process.exit()
