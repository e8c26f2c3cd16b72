import { PostgreSqlContainer } from '@testcontainers/postgresql'
import { RedisContainer } from '@testcontainers/redis'
import { GenericContainer, type WaitStrategy } from 'testcontainers'
import { eventuallyTrue } from '../wait.ts'

type HostConfig = { PortBindings?: Record<string, { HostIp?: string; HostPort: string }[]> | null }

/** Testcontainers maps ports on every interface; a learner's database has no business on the office network. */
function onLoopback(hostConfig: HostConfig): void {
  for (const bindings of Object.values(hostConfig.PortBindings ?? {})) {
    for (const binding of bindings) binding.HostIp = '127.0.0.1'
  }
}

export class LocalPostgres extends PostgreSqlContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    onLoopback(this.hostConfig as HostConfig)
  }
}

export class LocalRedis extends RedisContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    onLoopback(this.hostConfig as HostConfig)
  }
}

/** Holds the network that the nodes of a Redis Cluster share. */
export class LocalHolder extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    onLoopback(this.hostConfig as HostConfig)
  }
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

  async waitUntilReady(container: { inspect(): Promise<{ State: { Running: boolean } }> }): Promise<void> {
    let looks = 0
    await eventuallyTrue(
      `${this.#what} to accept connections`,
      async () => {
        if (await this.#look()) return true
        // Asking the daemon costs more than the look: once in a while is enough to notice a dead container.
        if (++looks % 20 === 0 && !(await container.inspect()).State.Running)
          throw new Error('the container ended')
        return false
      },
      { within: this.#within },
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
