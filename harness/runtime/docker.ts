import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Container } from 'dockerode'
import { CLONE_ID, RUNTIME_DIR } from '../paths.ts'
import { freePort } from '../ports.ts'
import { OWNER, ownContainers, ownFolder, ownerLives } from '../process/owned.ts'
import type { Text } from '../text.ts'
import { eventuallyTrue, Fatal } from '../wait.ts'
import { AnswersFromHere, LocalContainer, LocalPostgres, LocalRedis } from './docker-containers.ts'
import { FAR_SCRIPT, PRIMARY_SCRIPT, REPLICATION_RULE, RESEED, standbyScript } from './docker-scripts.ts'
import { IMAGES } from './images.ts'
import { postgresAnswers, redisAnswers } from './ready.ts'
import { getContainerRuntimeClient, type ContainerRuntimeClient, type GenericContainer } from 'testcontainers'
import { POSTGRES_SETTINGS, REDIS_SETTINGS, type Runtime, type ServerNode } from './runtime.ts'

const CLONE_LABEL = 'org.scaling-workbook.clone'
const OWNER_LABEL = 'org.scaling-workbook.owner'
const LABELS = { [CLONE_LABEL]: CLONE_ID, [OWNER_LABEL]: OWNER }

/** Servers in containers, through Testcontainers. */
export async function dockerRuntime(why: Text): Promise<Runtime> {
  // What is left behind is found by label at the next start: no further container (and image) for that.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true'
  // Ports are mapped to loopback, also where this command itself runs in a container.
  process.env.TESTCONTAINERS_HOST_OVERRIDE ??= '127.0.0.1'
  const client = await getContainerRuntimeClient()
  const logs = join(RUNTIME_DIR, 'docker', OWNER)
  ownContainers()
  ownFolder(logs)
  await mkdir(logs, { recursive: true })
  const nodes = new Set<DockerNode>()
  let count = 0
  // A daemon may finish what a killed command had asked for after that command's record was swept.
  await removeContainers(client, (owner) => owner !== OWNER && !ownerLives(owner))
  const gateway = await bridgeGateway(client)
  const listen = gateway ? ['127.0.0.1', gateway] : ['127.0.0.1']

  async function start(
    container: GenericContainer,
    name: string,
    port: number,
    ready: Ready,
  ): Promise<ServerNode> {
    const log = join(logs, `${name}-${++count}.log`)
    const started = await container
      .withLabels({ ...LABELS })
      .withLogConsumer((stream: Readable) => stream.pipe(createWriteStream(log, { flags: 'a' })))
      .withWaitStrategy(new AnswersFromHere(name, () => ready(port)))
      .withStartupTimeout(60_000)
      .start()
    const node = new DockerNode(
      name,
      port,
      log,
      client.container.getById(started.getId()),
      ready,
      (content) => started.copyContentToContainer([{ content, target: RESEED }]),
    )
    nodes.add(node)
    return node
  }

  return {
    kind: 'docker',
    why,
    reach: { listen, host: 'host.docker.internal' },

    async postgres({ name, settings, follow, far = false }) {
      const port = await freePort(listen)
      const all = Object.entries({ ...POSTGRES_SETTINGS, ...settings }).flatMap(([k, v]) => [
        '-c',
        `${k}=${v}`,
      ])
      const container = new LocalPostgres(IMAGES.postgres, gateway)
        .withUsername('postgres')
        .withDatabase('postgres')
        .withPassword('postgres')
        .withEnvironment({
          POSTGRES_HOST_AUTH_METHOD: 'trust',
          POSTGRES_INITDB_ARGS: `--no-sync --locale=C --encoding=UTF8${far ? ' --wal-segsize=1' : ''}`,
        })
        .withExposedPorts({ container: 5432, host: port })
        .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
      if (follow) container.withEntrypoint(['bash', '-c', standbyScript(name, follow.port), 'standby'])
      else {
        const rule = {
          content: REPLICATION_RULE,
          target: '/docker-entrypoint-initdb.d/replication.sh',
          mode: 0o755,
        }
        container.withCopyContentToContainer([rule])
        container.withEntrypoint(['bash', '-c', far ? FAR_SCRIPT : PRIMARY_SCRIPT, 'primary'])
      }
      return start(container.withCommand(['postgres', ...all]), name, port, postgresAnswers)
    },

    async redis({ name, settings }) {
      const port = await freePort()
      const container = new LocalRedis(IMAGES.redis)
        .withExposedPorts({ container: 6379, host: port })
        .withCommand(['redis-server', ...redisArguments(settings)])
      return start(container, name, port, redisAnswers)
    },

    async redisCluster({ name, nodes: count, settings, behindLinks }) {
      const ports = await Promise.all(Array.from({ length: count }, () => freePort()))
      // The nodes share one network: they reach each other, and clients reach them, by the same address and port.
      const holder = new LocalContainer(IMAGES.redis)
        .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
        .withCommand(['redis-server', '--port', '6379', '--save', ''])
        .withLabels({ ...LABELS })
        .withWaitStrategy(new AnswersFromHere(name, async () => true))
      const id = (await holder.start()).getId()
      return Promise.all(
        ports.map(async (port, i) => {
          const announced = behindLinks ? await freePort(listen) : undefined
          const own = { ...settings, port, 'cluster-enabled': 'yes', 'cluster-config-file': 'nodes.conf' }
          const announce = {
            'cluster-announce-ip': '127.0.0.1',
            'cluster-port': port + 10_000,
            'cluster-announce-bus-port': port + 10_000,
            ...(announced && { 'cluster-announce-port': announced }),
          }
          const container = new LocalContainer(IMAGES.redis)
            .withNetworkMode(`container:${id}`)
            .withCommand(['redis-server', ...redisArguments({ ...own, ...announce })])
          const node = await start(container, `${name}-${i + 1}`, port, redisAnswers)
          return Object.assign(node, { announced })
        }),
      )
    },

    async close() {
      await Promise.all([...nodes].map((node) => node.remove()))
      await removeContainers(client, (owner) => owner === OWNER)
      await rm(logs, { recursive: true, force: true })
    },
  }
}

type Ready = (port: number) => Promise<boolean>

class DockerNode implements ServerNode {
  readonly host = '127.0.0.1'
  readonly name: string
  readonly port: number
  announced?: number
  readonly log: string
  readonly #container: Container
  readonly #ready: Ready
  readonly #write: (reseed: string) => Promise<void>
  #starting: Promise<void> | undefined

  /** @param write puts this into the container's file {@link RESEED} */
  constructor(
    name: string,
    port: number,
    log: string,
    container: Container,
    ready: Ready,
    write: (reseed: string) => Promise<void>,
  ) {
    this.name = name
    this.port = port
    this.log = log
    this.#container = container
    this.#ready = ready
    this.#write = write
  }

  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined))
    return this.#starting
  }

  async #start(): Promise<void> {
    // Attached twice, each line would stand twice in its log.
    if ((await this.#container.inspect()).State.Running) return
    // Attached before the start, so that not one line of its log is missed.
    const output = await this.#container.attach({ stream: true, stdout: true, stderr: true })
    const file = createWriteStream(this.log, { flags: 'a' })
    this.#container.modem.demuxStream(output, file, file)
    output.once('end', () => file.end())
    await this.#container.start()
    let looks = 0
    const look = async (): Promise<boolean> => {
      if (await this.#ready(this.port)) return true
      // Asking the daemon costs more than the look: once in a while is enough to notice a dead container.
      if (++looks % 20 === 0 && !(await this.#container.inspect()).State.Running)
        throw new Fatal(new Error(`${this.name} ended before it was ready`))
      return false
    }
    await eventuallyTrue(`${this.name} to accept connections`, look, { within: 30_000 })
  }

  async kill(): Promise<void> {
    const ended = this.#container.wait()
    // Frozen, it is killed frozen: thawed first, it might still answer somebody.
    await this.#container.kill().catch(alreadySo)
    await this.thaw()
    await this.#container.kill().catch(alreadySo)
    await ended
  }

  async freeze(): Promise<void> {
    // On cgroups of version 1 a busy container now and then escapes the freezer; runc lets it go on and says so.
    await eventuallyTrue(`${this.name} to be frozen`, async () => {
      await this.#container.pause().catch(alreadySo)
      return (await this.#container.inspect()).State.Paused
    })
  }

  async thaw(): Promise<void> {
    await this.#container.unpause().catch(alreadySo)
  }

  async reseed(from: ServerNode, conninfo: string): Promise<void> {
    await this.#starting?.catch(() => {}) // whoever started it was told
    if ((await this.#container.inspect()).State.Running) throw new Error(`${this.name} runs`)
    await this.#write(`${from.port}\n${conninfo}\n`)
    await this.start()
  }

  async remove(): Promise<void> {
    await this.#container.remove({ force: true, v: true }).catch(alreadySo)
  }
}

/** Not running, not paused, already paused, already gone: what was asked for holds. */
function alreadySo(error: { statusCode?: number; message?: string }): void {
  const settled =
    [304, 404, 409].includes(error.statusCode ?? 0) ||
    /not paused|already paused|not running/.test(error.message ?? '')
  if (!settled) throw error
}

/** Removes the containers of a command of this clone. Returns their names. */
export async function sweepContainers(owner: string): Promise<string[]> {
  return removeContainers(await getContainerRuntimeClient(), (other) => other === owner)
}

async function removeContainers(
  client: ContainerRuntimeClient,
  mine: (owner: string) => boolean,
): Promise<string[]> {
  const filters = { label: [`${CLONE_LABEL}=${CLONE_ID}`] }
  const all = await client.container.dockerode.listContainers({ all: true, filters })
  const left = all.filter((c) => mine(c.Labels[OWNER_LABEL] ?? ''))
  await Promise.all(
    left.map((c) => client.container.getById(c.Id).remove({ force: true, v: true }).catch(alreadySo)),
  )
  return left.map((c) => `container ${c.Names[0] ?? c.Id}`)
}

/** The address of this machine as containers see it, where it is one of this machine's own (not so on Docker Desktop). */
async function bridgeGateway(client: ContainerRuntimeClient): Promise<string | undefined> {
  const bridge = await client.container.dockerode.getNetwork('bridge').inspect()
  const gateway: string | undefined = bridge.IPAM?.Config?.[0]?.Gateway
  return gateway && (await isOwn(gateway)) ? gateway : undefined
}

/** Asked by listening there: the list of interfaces leaves a bridge out as long as no container is on it. */
function isOwn(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(0, address, () => server.close(() => resolve(true)))
  })
}

function redisArguments(settings: Record<string, string | number> = {}): string[] {
  return Object.entries({ ...REDIS_SETTINGS, ...settings }).flatMap(([k, v]) => [`--${k}`, String(v)])
}
