// Proves that the images keep the contract of the official ones, and what the engine does with faults, through
// testcontainers. Usage: `node .ci/images-test.ts`, with the exports of `.ci/engine start` and `.ci/images`.
import { PostgreSqlContainer } from '@testcontainers/postgresql'
import { RedisContainer } from '@testcontainers/redis'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { getContainerRuntimeClient, Wait } from 'testcontainers'
import type { StartedTestContainer } from 'testcontainers'

const image = { postgres: process.env.LAB_POSTGRES_IMAGE, redis: process.env.LAB_REDIS_IMAGE }
assert(image.postgres && image.redis, 'export what .ci/images printed')

/** Testcontainers can't say where a port is bound; Docker's default is every address of the machine. */
function onLoopback(hostConfig: { PortBindings?: Record<string, { HostIp?: string }[]> }): void {
  for (const bindings of Object.values(hostConfig.PortBindings ?? {})) {
    for (const binding of bindings) binding.HostIp = '127.0.0.1'
  }
}
class Postgres extends PostgreSqlContainer {
  protected override beforeContainerCreated = async () => onLoopback(this.hostConfig)
}
class RedisServer extends RedisContainer {
  protected override beforeContainerCreated = async () => onLoopback(this.hostConfig)
}

const runtime = await getContainerRuntimeClient()
const dockerOf = (container: StartedTestContainer) => runtime.container.getById(container.getId())

/** The port that Docker maps to now; `getMappedPort` remembers the one of the first start. */
async function portOf(container: StartedTestContainer, port: string): Promise<number> {
  const { NetworkSettings } = await dockerOf(container).inspect()
  const [binding] = NetworkSettings.Ports[port] ?? []
  assert.equal(binding?.HostIp, '127.0.0.1')
  return Number(binding.HostPort)
}

/** Repeats until `attempt` succeeds; its last failure is the one reported. */
async function until<T>(attempt: () => Promise<T>, ms = 10_000): Promise<T> {
  for (const deadline = Date.now() + ms; ;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

async function sql(connectionString: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 2_000, query_timeout: 2_000 })
  client.on('error', () => {}) // the server is killed on purpose; the query reports it
  await client.connect()
  try {
    const { rows } = await client.query(text)
    return rows
  } finally {
    await client.end()
  }
}

async function command(port: number, password: string, name: string, ...args: string[]): Promise<unknown> {
  const options = {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    commandTimeout: 2_000,
  }
  const client = new Redis({ host: '127.0.0.1', port, password, ...options })
  let cause: Error | undefined // what the server said; `connect` only says that the connection is closed
  client.on('error', (error) => (cause ??= error))
  try {
    await client.connect()
    return await client.call(name, ...args)
  } catch (error) {
    throw cause ?? error
  } finally {
    client.disconnect()
  }
}

async function run(container: StartedTestContainer, script: string, user = 'root'): Promise<string> {
  const { exitCode, output } = await container.exec(['bash', '-c', script], { user })
  assert.equal(exitCode, 0, output)
  return output.trim()
}

async function refuses(host: string, port: number): Promise<void> {
  const socket = connect(port, host)
  await assert.rejects(once(socket, 'connect'), { code: 'ECONNREFUSED' })
}

const counts = { passed: 0, failed: 0 }
async function check(name: string, body: () => Promise<string | void>): Promise<void> {
  const start = performance.now()
  const line = await body().then(
    (note) => (counts.passed++, `ok      ${name}${note ? ` (${note})` : ''}`),
    (error: unknown) => (
      counts.failed++,
      `FAILED  ${name}\n${error instanceof Error ? error.stack : String(error)}`
    ),
  )
  console.log(`${(performance.now() - start).toFixed(0).padStart(6)} ms  ${line}`)
}

const { IPAM } = await runtime.network.getById('bridge').inspect()
const gateway = IPAM?.Config?.[0]?.Gateway
assert(gateway)
console.log(`engine ${runtime.info.containerRuntime.serverVersion}, bridge gateway ${gateway}`)

async function started<T>(name: string, start: () => Promise<T>): Promise<T> {
  const before = performance.now()
  const container = await start()
  console.log(`${(performance.now() - before).toFixed(0).padStart(6)} ms  started ${name}`)
  return container
}

const postgres = await started('Postgres, by its health check', async () =>
  new Postgres(image.postgres!).start(),
)
const url = (port: number) => `postgres://test:test@127.0.0.1:${port}/test`
const postgresUrl = async () => url(await portOf(postgres, '5432/tcp'))

await check('Postgres answers a query', async () => {
  const [row] = await sql(await postgresUrl(), 'select version() as version')
  return String(row?.version).split(' on ')[0]
})
await check('a wrong password is refused', async () => {
  const wrong = (await postgresUrl()).replace(':test@', ':wrong@')
  await assert.rejects(sql(wrong, 'select 1'), { code: '28P01' })
})
await check('the server is user postgres, process 1, and text sorts as in the official image', async () => {
  assert.equal(
    await run(postgres, "stat -c %U /proc/1 && tr '\\0' ' ' </proc/1/cmdline"),
    'postgres\npostgres',
  )
  const [row] = await sql(
    await postgresUrl(),
    "select datcollate as c from pg_database where datname = 'test'",
  )
  assert.equal(row?.c, 'en_US.utf8')
})
await check('pg_basebackup, psql, pg_isready, pg_ctl and gosu are on the PATH', async () => {
  await run(postgres, 'pg_basebackup -U test -D /tmp/copy -X stream -c fast', 'postgres')
  await run(
    postgres,
    'gosu postgres psql -U test -c "select 1" && pg_isready && type pg_ctl initdb pg_rewind',
  )
  return await run(postgres, 'du -sh /tmp/copy | cut -f1')
})
await check('a first start without a password says what to set', async () => {
  const script = 'env -u POSTGRES_PASSWORD PGDATA=/tmp/none docker-entrypoint.sh postgres'
  const { exitCode, output } = await postgres.exec(['bash', '-c', script])
  assert.equal(exitCode, 1)
  assert.match(output, /POSTGRES_PASSWORD/)
})
await check('a row survives pause, and the paused server is silent', async () => {
  await sql(await postgresUrl(), 'create table kept (n int); insert into kept values (1)')
  await dockerOf(postgres).pause()
  await assert.rejects(sql(await postgresUrl(), 'select 1'), /timeout/i)
  await dockerOf(postgres).unpause()
  assert.deepEqual(await until(async () => sql(await postgresUrl(), 'select n from kept')), [{ n: 1 }])
})
await check('a row survives kill and start', async () => {
  const before = await portOf(postgres, '5432/tcp')
  await dockerOf(postgres).kill()
  await refuses('127.0.0.1', before)
  const start = performance.now()
  await dockerOf(postgres).start()
  assert.deepEqual(await until(async () => sql(await postgresUrl(), 'select n from kept')), [{ n: 1 }])
  return `${(performance.now() - start).toFixed(0)} ms from start to a row; port ${before} → ${await portOf(postgres, '5432/tcp')}`
})
await check('the mapped port is on loopback only', async () => {
  await refuses(gateway, await portOf(postgres, '5432/tcp'))
})
await postgres.stop()

await check('first start: arguments, scripts, log line twice, the host by host-gateway', async () => {
  const host = createServer((socket) => socket.end('hello\n'))
  await once(host.listen(0, gateway), 'listening')
  const scripts = {
    '1.sql': 'create table seeded (n int); insert into seeded values (1)',
    '2.sh': 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "insert into seeded values (2)"\n',
  }
  const container = await new Postgres(image.postgres!)
    .withUsername('owner')
    .withDatabase('shop')
    .withEnvironment({
      POSTGRES_INITDB_ARGS: '--data-checksums --locale=C',
      PGDATA: '/var/lib/postgresql/other',
    })
    .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
    .withCommand(['-c', 'max_connections=23', '-c', 'fsync=off'])
    .withCopyContentToContainer(
      Object.entries(scripts).map(([name, content]) => ({
        content,
        target: `/docker-entrypoint-initdb.d/${name}`,
      })),
    )
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .start()
  const uri = container.getConnectionUri()
  assert.deepEqual(await sql(uri, 'select n from seeded order by n'), [{ n: 1 }, { n: 2 }])
  const settings = ['data_checksums', 'data_directory', 'fsync', 'max_connections']
  const shown = await sql(
    uri,
    `select ${settings.map((name) => `current_setting('${name}') as ${name}`).join()}`,
  )
  assert.deepEqual(Object.values(shown[0] ?? {}), ['on', '/var/lib/postgresql/other', 'off', '23'])
  const address = host.address()
  assert(address !== null && typeof address === 'object')
  assert.equal(await run(container, `cat <>/dev/tcp/host.docker.internal/${address.port}`), 'hello')
  await container.stop()
  host.close()
})

const redis = await started('Redis, by its log', async () =>
  new RedisServer(image.redis!)
    .withPassword('secret')
    .withCommand(['--appendonly', 'yes', '--appendfsync', 'always'])
    .start(),
)
const redisPort = () => portOf(redis, '6379/tcp')

await check('Redis answers on loopback, with the password', async () => {
  assert.equal(await command(await redisPort(), 'secret', 'SET', 'kept', '1'), 'OK')
  await assert.rejects(command(await redisPort(), 'wrong', 'PING'), /WRONGPASS/)
  assert.match(await run(redis, 'redis-cli -a secret --no-auth-warning info server'), /redis_version/)
  assert.equal(await run(redis, 'stat -c %U /proc/1'), 'redis')
  await refuses(gateway, await redisPort())
})
await check('Redis: a key survives pause and unpause', async () => {
  await dockerOf(redis).pause()
  await assert.rejects(command(await redisPort(), 'secret', 'GET', 'kept'), /timed out/i)
  await dockerOf(redis).unpause()
  assert.equal(await until(async () => command(await redisPort(), 'secret', 'GET', 'kept')), '1')
})
await check('Redis: a key survives kill and start', async () => {
  const before = await redisPort()
  await dockerOf(redis).kill()
  await refuses('127.0.0.1', before)
  const start = performance.now()
  await dockerOf(redis).start()
  assert.equal(await until(async () => command(await redisPort(), 'secret', 'GET', 'kept')), '1')
  return `${(performance.now() - start).toFixed(0)} ms from start to a key; port ${before} → ${await redisPort()}`
})
await redis.stop()
await check('Redis with its default command is open to clients outside the container', async () => {
  const container = await new RedisServer(image.redis!).start()
  assert.equal(await command(container.getPort(), '', 'PING'), 'PONG')
  await container.stop()
})

console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed ? 1 : 0
