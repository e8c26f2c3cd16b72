import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { CLONE_ID, RUNTIME_DIR } from '../paths.ts'
import { freePort } from '../ports.ts'
import { OWNER, ownContainers, ownFolder, ownerLives } from '../process/owned.ts'
import type { Text } from '../text.ts'
import { AnswersFromHere, LocalContainer, LocalPostgres, LocalRedis } from './docker-containers.ts'
import { LABELS, removeOwned } from './docker-left.ts'
import { DockerNode, type Ready } from './docker-node.ts'
import { BASE, REPLICATION_RULE, RESEED, startScript } from './docker-scripts.ts'
import { IMAGES } from './images.ts'
import { postgresAnswers, redisAnswers } from './ready.ts'
import { getContainerRuntimeClient, type ContainerRuntimeClient, type GenericContainer } from 'testcontainers'
import { POSTGRES_SETTINGS, REDIS_SETTINGS, type Runtime, type ServerNode } from './runtime.ts'

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
  await removeOwned(client, (owner) => owner !== OWNER && !ownerLives(owner))
  const gateway = await bridgeGateway(client)
  const listen = gateway ? ['127.0.0.1', gateway] : ['127.0.0.1']

  /** The volume with the data folder that every Postgres of this command begins with. */
  async function base(far: boolean): Promise<string> {
    const Name = `scaling-workbook-${CLONE_ID}-${OWNER}${far ? '-far' : ''}`
    await client.container.dockerode.createVolume({ Name, Labels: { ...LABELS } })
    return Name
  }

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
      const conninfo =
        follow && `host=host.docker.internal port=${follow.port} user=postgres application_name=${name}`
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
        .withBindMounts([{ source: await base(far), target: BASE, mode: 'rw' }])
        .withCopyContentToContainer([REPLICATION_RULE])
        .withEntrypoint(['bash', '-c', startScript({ far, conninfo }), name])
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
      await removeOwned(client, (owner) => owner === OWNER)
      await rm(logs, { recursive: true, force: true })
    },
  }
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
