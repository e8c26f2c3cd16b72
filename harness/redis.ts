import { Redis, type RedisOptions } from 'ioredis'
import { lab } from './context.ts'
import type { RedisSpec } from './lab.ts'
import { atEnd, currentScope, scopeSignal } from './scope.ts'
import { note, type Event } from './timeline.ts'
import type { NodeInfo, Verb } from './topology.ts'
import { eventuallyTrue } from './wait.ts'

/** The Redis of this name in the lab's topology, or a node of its cluster (`cache-1`). */
export function redis(name: string): StartedRedis {
  const info = lab().nodes.get(name)
  if (info?.kind !== 'redis') throw new Error(`this lab's topology has no Redis ${name}`)
  return new StartedRedis(info)
}

/** The nodes of a Redis Cluster, in the order of their slots. */
export function clusterNodes(component: string): StartedRedis[] {
  return [...lab().nodes.values()]
    .filter((info) => info.component === component)
    .map((info) => new StartedRedis(info))
}

/** One more Redis beside the lab's topology, for this run. */
export async function addRedis(name: string, spec: Omit<RedisSpec, 'kind'> = {}): Promise<StartedRedis> {
  for (const info of await lab().host.add(name, { kind: 'redis', ...spec })) lab().nodes.set(info.name, info)
  return redis(name)
}

/** A command that Redis received, with Redis's own time. */
export interface MonitoredCommand {
  at: number
  /** Address of the client, `lua` for a script's. */
  client: string
  args: string[]
}

/** One Redis server, as an operator sees it. What is done to it is undone when the test ends. */
export class StartedRedis {
  readonly info: NodeInfo
  readonly #scope = currentScope()
  #client: Redis | undefined

  constructor(info: NodeInfo) {
    this.info = info
  }

  get name(): string {
    return this.info.name
  }

  get host(): string {
    return this.info.host
  }

  get port(): number {
    return this.info.port
  }

  /** What a role gets as `REDIS_URL`. */
  url(via: { host: string; port: number } = this): string {
    return `redis://${via.host}:${via.port}`
  }

  /** The test's own client, straight at the server. */
  get client(): Redis {
    this.#client ??= this.connect({}, this.#scope)
    return this.#client
  }

  /** A further client, ended with the test. */
  connect(options: RedisOptions = {}, scope = currentScope()): Redis {
    const client = new Redis({ host: this.host, port: this.port, connectionName: 'harness', ...options })
    client.on('error', () => {}) // the command that was under way reports it
    scope.add(() => client.disconnect())
    return client
  }

  /** SIGKILL. It is started again when the test ends, empty. */
  async kill(): Promise<void> {
    atEnd(() => this.#act('start').catch(() => {})) // it runs already
    await this.#act('kill', 'SIGKILL')
  }

  async start(): Promise<void> {
    await this.#act('start', 'start')
  }

  async freeze(): Promise<void> {
    atEnd(() => this.#act('thaw').catch(() => {})) // killed meanwhile
    await this.#act('freeze', 'SIGSTOP')
  }

  async thaw(): Promise<void> {
    await this.#act('thaw', 'SIGCONT')
  }

  /** Everything that Redis receives from now on. */
  async monitor(): Promise<Monitor> {
    // Not ioredis's `monitor()`: it fails when somebody's command comes together with the answer to MONITOR.
    const feed = this.connect({ monitor: true })
    let monitoring = false
    feed.once('monitoring', () => (monitoring = true))
    await eventuallyTrue(`MONITOR of ${this.name} to begin`, () => monitoring, { signal: scopeSignal() })
    return new Monitor(this, feed)
  }

  async #act(verb: Verb, signal?: string): Promise<void> {
    if (signal) note({ from: 'test', to: this.name, kind: 'signal', text: signal })
    await lab().host.act(this.name, verb)
  }
}

/** A running `MONITOR`. */
export class Monitor {
  readonly #redis: StartedRedis
  readonly #commands: MonitoredCommand[] = []
  #markers = 0

  constructor(redis: StartedRedis, feed: Redis) {
    this.#redis = redis
    feed.on('monitor', (time: string, args: string[], client: string) => {
      const command = { at: Number(time) * 1000, client, args }
      this.#commands.push(command)
      if (!isMarker(command)) note(asEvent(command, redis.name))
    })
    atEnd(() => feed.disconnect())
  }

  /** All that Redis has received when this is called: read up to a marker, so "was not asked" can be claimed. */
  async commands(): Promise<MonitoredCommand[]> {
    const text = `marker ${process.pid}.${++this.#markers}`
    await this.#redis.client.echo(text)
    await eventuallyTrue(
      `MONITOR of ${this.#redis.name} up to a marker`,
      () => this.#commands.some((command) => command.args[1] === text),
      { signal: scopeSignal() },
    )
    return this.#commands.filter((command) => !isMarker(command))
  }

  /** Forgets what came so far. */
  async clear(): Promise<void> {
    await this.commands()
    this.#commands.length = 0
  }
}

function isMarker({ args }: MonitoredCommand): boolean {
  return args[0]?.toLowerCase() === 'echo' && args[1]?.startsWith('marker ') === true
}

function asEvent({ at, client, args }: MonitoredCommand, to: string): Event {
  const text = args.map((arg) => (arg.length > 40 ? `${arg.slice(0, 40)}…` : arg)).join(' ')
  return { at, from: client, to, kind: 'redis', text }
}
