import {
  eventually,
  freePort,
  matrix,
  redis,
  say,
  shared,
  startRole,
  type Answer,
  type Matrix,
  type StartedRedis,
  type StartedRole,
} from '#harness'

export const NODES = ['q1', 'q2', 'q3', 'q4', 'q5'] as const
export type NodeName = (typeof NODES)[number]
type Env = Record<string, string | number>

/** Two processes of the role, and a link from each to each node. */
export interface Registers {
  a: StartedRole
  b: StartedRole
  links: Matrix
  node: Record<NodeName, StartedRedis>
}

/** Starts both, A and B seeing all five nodes. They end with the test, or with the file. */
export async function openRegisters(more: Env = {}): Promise<Registers> {
  const node = Object.fromEntries(NODES.map((name) => [name, redis(name)])) as Registers['node']
  const links = await matrix(
    ['quorum-a', 'quorum-b'],
    NODES.map((name) => node[name]),
  )
  const [a, b] = await Promise.all([start(links, 'quorum-a', more), start(links, 'quorum-b', more)])
  return { a, b, links, node }
}

/** The same two processes for all files of a run that ask for them. */
export const sharedRegisters = (): Promise<Registers> => shared('registers', () => openRegisters())

/** Both see all five nodes, whatever an earlier file did to the links. */
export async function seeAll(registers: Registers): Promise<void> {
  const { a, b } = registers
  await Promise.all([a, b].map((role) => sees(registers, role, NODES)))
}

/** Environment of a process that reaches the nodes by these links. */
export function envOf(links: Matrix, name: string, more: Env = {}): Record<string, string> {
  const urls = NODES.map((to) => links.link(name, to)).map(({ host, port }) => `redis://${host}:${port}`)
  const env = { NODE_URLS: urls.join(','), WRITE_QUORUM: 3, READ_QUORUM: 3, QUORUM_TIMEOUT_MS: 1000, ...more }
  return Object.fromEntries(Object.entries(env).map(([key, value]) => [key, String(value)]))
}

export async function start(links: Matrix, name: string, more: Env = {}): Promise<StartedRole> {
  return startRole('quorum', { name, env: envOf(links, name, more), port: await freePort() })
}

let keys = 0

/** A key that no other test has written. */
export const newKey = (): string => `key-${process.pid}-${++keys}`

export const put = (server: StartedRole, key: string, value: unknown): Promise<Answer> =>
  server.put(`/reg/${key}`, { value }, { within: 5000 })

export const read = (server: StartedRole, key: string): Promise<Answer> => server.get(`/reg/${key}`)

/** What a node holds: undefined, or the value with its version, `7.quorum-a`. */
export async function heldBy(
  node: StartedRedis,
  key: string,
): Promise<{ value: unknown; version: string } | undefined> {
  const { n, w, d } = await node.client.hgetall(`reg:${key}`)
  return n && d ? { value: JSON.parse(d), version: `${n}.${w}` } : undefined
}

/** Number of a version. */
export const numberOf = (version: unknown): number => Number(/^\d+/.exec(String(version))?.[0] ?? Number.NaN)

/** A version, as it is ordered: by number, then by the bytes of the writer's name. */
export type Version = [n: number, writer: string]

export const versionOf = (version: string): Version => [
  numberOf(version),
  version.slice(version.indexOf('.') + 1),
]

export function isOlder([n, writer]: Version, [otherN, otherWriter]: Version): boolean {
  return n === otherN ? Buffer.compare(Buffer.from(writer), Buffer.from(otherWriter)) < 0 : n < otherN
}

/** On how many of the five nodes the key has this value. */
export async function copies({ node }: Registers, key: string, value: unknown): Promise<number> {
  const held = await Promise.all(NODES.map((name) => heldBy(node[name], key)))
  return held.filter((entry) => entry && JSON.stringify(entry.value) === JSON.stringify(value)).length
}

/** A process sees these nodes and no others, by its own account. */
export async function sees(
  { links }: Registers,
  role: StartedRole,
  names: readonly NodeName[],
): Promise<void> {
  for (const name of NODES) {
    const link = links.link(role.name, name)
    if (names.includes(name)) await link.open()
    else link.cut()
  }
  await connected(role, names.length)
}

/** A process is connected to so many nodes, by its own account. */
export async function connected(role: StartedRole, nodes: number): Promise<void> {
  await eventually(
    say(`/health of ${role.name} with nodes: ${nodes}`, `${role.name}の/healthがnodes: ${nodes}になる`),
    async () => (await role.get('/health')).body?.nodes,
    nodes,
  )
}
