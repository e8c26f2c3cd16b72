import { lab } from './context.ts'
import { matrix as openMatrix, openLink, type Link, type LinkOptions, type Matrix } from './link/index.ts'
import type { StartedPostgres } from './postgres.ts'
import { atEnd, scopeSignal } from './scope.ts'
import { note } from './timeline.ts'
import { eventuallyTrue } from './wait.ts'

type Options = Pick<LinkOptions, 'port' | 'protocol'>

/** Where a link may lead: a server of the topology, a role, a scripted peer. */
type Target = { name: string; host?: string; port: number; info?: { kind: 'postgres' | 'redis' } }

/** A link from a role to a server of the topology or to another role. It is closed when the test ends. */
export async function link(from: string, to: Target, options: Options = {}): Promise<Link> {
  const opened = await openLink({
    name: `${from} → ${to.name}`,
    // Asked again for every connection: a server that was renewed has another port.
    target: () => ({ host: to.host ?? '127.0.0.1', port: to.port }),
    protocol: to.info?.kind ?? 'http',
    hosts: lab().reach.listen,
    record: ({ at, kind, text, ms, failed, from: f = from, to: t = to.name }) =>
      note({ at, from: f, to: t, kind, text, ms, failed }),
    ...options,
  })
  atEnd(() => opened.close())
  return opened
}

/** A link from each to each, so that any two can be parted. They are closed when the test ends. */
export function matrix(
  from: readonly string[],
  to: readonly Target[],
  options: Options = {},
): Promise<Matrix> {
  return openMatrix(from, to, (name, target) => link(name, target, options))
}

/** A link on the path by which a replica follows its primary. The straight path is back when the test ends. */
export async function replicationLink(replica: StartedPostgres, primary: StartedPostgres): Promise<Link> {
  const wire = await link(replica.name, primary)
  const [before] = await replica.sql('SHOW primary_conninfo')
  await follow(replica, `${conninfo(wire)} application_name=${replica.name}`)
  atEnd(() => follow(replica, String(before?.primary_conninfo)).catch(() => {})) // killed, or another one by now
  await eventuallyTrue(`${replica.name} to follow through the link`, () => wire.counts.open > 0, {
    signal: scopeSignal(),
  })
  return wire
}

/** How a server of the topology reaches another one by this link, as `primary_conninfo` says it. */
export function conninfo(wire: Link): string {
  return `host=${lab().reach.host} port=${wire.port} user=postgres`
}

/** Read again at a reload: the connection that stands is given up, and a new one made. */
export async function follow(replica: StartedPostgres, conninfo: string): Promise<void> {
  await replica.sql(`ALTER SYSTEM SET primary_conninfo = '${conninfo.replaceAll("'", "''")}'`)
  await replica.sql('SELECT pg_reload_conf()')
}
