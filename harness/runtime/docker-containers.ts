import { PostgreSqlContainer } from '@testcontainers/postgresql'
import { RedisContainer } from '@testcontainers/redis'
import { GenericContainer, type WaitStrategy } from 'testcontainers'
import { eventuallyTrue, Fatal } from '../wait.ts'

type HostConfig = { PortBindings?: Record<string, { HostIp?: string; HostPort: string }[]> | null }

/**
 * Testcontainers maps ports on every interface; a learner's database has no business on the office network.
 * @param gateway this machine's address on the bridge, where other containers need the port too
 */
function onlyHere(hostConfig: HostConfig, gateway?: string): void {
  for (const [port, bindings] of Object.entries(hostConfig.PortBindings ?? {})) {
    const addresses = gateway ? ['127.0.0.1', gateway] : ['127.0.0.1']
    hostConfig.PortBindings![port] = bindings.flatMap(({ HostPort }) =>
      addresses.map((HostIp) => ({ HostIp, HostPort })),
    )
  }
}

export class LocalPostgres extends PostgreSqlContainer {
  readonly #gateway: string | undefined

  constructor(image: string, gateway: string | undefined) {
    super(image)
    this.#gateway = gateway
  }

  protected override async beforeContainerCreated(): Promise<void> {
    onlyHere(this.hostConfig as HostConfig, this.#gateway)
    // Testcontainers' own runs `pg_isready` in every container four times a second, all its life: with six of them that
    // took more than one of two processors. `AnswersFromHere` asks by a connection, until it has one.
    this.createOpts.Healthcheck = { Test: ['NONE'] }
  }
}

export class LocalRedis extends RedisContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    onlyHere(this.hostConfig as HostConfig)
  }
}

/** A container whose ports are given: the holder of a Redis Cluster's network, and its nodes, which share that. */
export class LocalContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    onlyHere(this.hostConfig as HostConfig)
  }
}

/** Docker puts a head of 8 bytes before each piece of a log: stream, three zeros, length. */
function text(log: Buffer): string {
  const pieces: string[] = []
  for (let at = 0; at + 8 <= log.length; at += 8 + log.readUInt32BE(at + 4)) {
    pieces.push(log.toString('utf8', at + 8, at + 8 + log.readUInt32BE(at + 4)))
  }
  return pieces.join('')
}

interface ContainerLike {
  inspect(): Promise<{ State: { Running: boolean; ExitCode: number } }>
  logs(options: { stdout: true; stderr: true; tail: number; follow?: false }): Promise<Buffer>
}

/** Ready when a client of this machine gets in: the only readiness that a test can use. */
export class AnswersFromHere implements WaitStrategy {
  readonly #what: string
  readonly #look: () => Promise<boolean>
  #within = 120_000

  constructor(what: string, look: () => Promise<boolean>) {
    this.#what = what
    this.#look = look
  }

  async waitUntilReady(container: ContainerLike): Promise<void> {
    let looks = 0
    await eventuallyTrue(
      `${this.#what} to accept connections`,
      async () => {
        if (await this.#look()) return true
        // Asking the daemon costs more than the look: once in a while is enough to notice a dead container.
        if (++looks % 20 === 0) await this.#stillRuns(container)
        return false
      },
      { within: this.#within },
    )
  }

  async #stillRuns(container: ContainerLike): Promise<void> {
    const { State } = await container.inspect()
    if (State.Running) return
    const last = await container.logs({ stdout: true, stderr: true, tail: 30 })
    throw new Fatal(
      new Error(`${this.#what} ended (exit status ${State.ExitCode}) before it was ready\n${text(last)}`),
    )
  }

  withStartupTimeout(ms: number): this {
    this.#within = ms
    return this
  }

  isStartupTimeoutSet(): boolean {
    return true
  }

  getStartupTimeout(): number {
    return this.#within
  }
}
