import { execFile, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Unavailable } from '../unavailable.ts'
import { identity, postgresBinaries, redisBinary, unprivilegedUser } from './binaries.ts'
import { linked } from './postgres-binaries.ts'
import { canFetch, fetchRedis, packageNames } from './redis-apt.ts'
import { installRedis, systemFamily } from './system.ts'
import { chooseDataRoot, chooseUser, type User } from './user.ts'

const run = promisify(execFile)
const asRoot = process.getuid?.() === 0
const NOBODY: User = { uid: 65534, gid: 65534, name: 'nobody' }

let work: string
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'binaries-'))
  chmodSync(work, 0o755)
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** A folder of its own in the test's, entered by everybody or by us alone. */
function folder(name: string, mode = 0o755): string {
  const path = join(work, name)
  mkdirSync(path)
  chmodSync(path, mode)
  return path
}

function program(path: string, says: string): string {
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 })
  return path
}

describe('postgres', () => {
  test('runs as the user that it will have', async () => {
    const { initdb, postgres, pgCtl, version } = await postgresBinaries()
    expect(version).toMatch(/^18\.\d+$/)
    for (const file of [initdb, postgres, pgCtl]) {
      const { stdout } = await run(file, ['--version'], { ...identity(unprivilegedUser()), cwd: '/' })
      expect(stdout).toContain(version)
    }
  })

  test.skipIf(!asRoot)('a package that its user can’t reach is copied, links made', async () => {
    const { postgres } = await postgresBinaries()
    const closed = folder('closed', 0o700)
    const original = dirname(dirname(dirname(postgres)))
    cpSync(original, join(closed, 'package'), { recursive: true, verbatimSymlinks: true })
    removeLinks(join(closed, 'package/native/lib'))
    const open = folder('open')
    const native = await linked(join(closed, 'package'), NOBODY, () => open)
    expect(native.startsWith(open)).toBe(true)
    const { stdout } = await run(join(native, 'bin/initdb'), ['--version'], { ...identity(NOBODY), cwd: '/' })
    expect(stdout).toContain('18.')
    expect(readdirSync(open)).toHaveLength(1)
  })

  test('links that an install without scripts leaves out are made in place', async () => {
    const { postgres } = await postgresBinaries()
    const copy = folder('in-place')
    cpSync(dirname(dirname(dirname(postgres))), copy, { recursive: true, verbatimSymlinks: true })
    removeLinks(join(copy, 'native/lib'))
    const elsewhere = () => {
      throw new Error('no copy needed')
    }
    expect(await linked(copy, null, elsewhere)).toBe(join(copy, 'native'))
    await run(join(copy, 'native/bin/initdb'), ['--version'])
  })
})

function removeLinks(lib: string): void {
  for (const name of readdirSync(lib)) {
    const path = join(lib, name)
    if (lstatSync(path).isSymbolicLink()) rmSync(path)
  }
}

describe('redis', () => {
  const without = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }

  test('REDIS_SERVER that doesn’t run says so and looks no further', async () => {
    const missing = redisBinary({ env: { ...without, REDIS_SERVER: join(work, 'nowhere') } })
    await expect(missing).rejects.toThrow(Unavailable)
    await expect(missing).rejects.toThrow(/REDIS_SERVER is .*nowhere/)
  })

  test('the PATH’s server, Valkey too, with its cli', async () => {
    const bin = folder('path')
    const server = program(
      join(bin, 'valkey-server'),
      'Valkey server v=8.1.3 sha=00000000:0 malloc=jemalloc-5.3.0',
    )
    const cli = program(join(bin, 'valkey-cli'), 'valkey-cli 8.1.3')
    expect(await redisBinary({ env: { PATH: bin } })).toEqual({
      server,
      cli,
      version: '8.1.3',
      source: 'PATH',
    })
  })

  test('one that is too old is named', async () => {
    const bin = folder('old')
    const server = program(join(bin, 'redis-server'), 'Redis server v=6.0.16 sha=00000000:0')
    const options = { env: { PATH: bin }, folder: join(work, 'never') }
    await expect(redisBinary(options)).rejects.toThrow(`${server} 6.0.16`)
    await expect(redisBinary({ env: { REDIS_SERVER: server } })).rejects.toThrow(
      'REDIS_SERVER is Redis 6.0.16',
    )
  })

  test('no server and no apt: the one command', async () => {
    const nothing = redisBinary({ env: { PATH: folder('empty') }, folder: join(work, 'never') })
    const error = await nothing.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Unavailable)
    expect((error as Unavailable).remedy).toEqual(installRedis())
  })

  test.skipIf(!canFetch())(
    'is fetched, found again, and runs as an unprivileged user',
    { timeout: 120_000 },
    async () => {
      const said: string[] = []
      const options = {
        folder: join(work, 'fetched'),
        env: { PATH: bare() },
        onProgress: ({ en }: { en: string }) => said.push(en),
      }
      const redis = await redisBinary(options)
      expect(redis.source).toBe('fetched')
      expect(said).toHaveLength(1)
      const { stdout } = await run(redis.server, ['--version'], {
        env: { ...process.env, ...redis.env },
        cwd: '/',
        ...(asRoot ? identity(NOBODY) : {}),
      })
      expect(stdout).toContain(redis.version)
      expect(await redisBinary(options)).toEqual(redis)
      expect(said).toHaveLength(1)
      expect(readdirSync(work).filter((name) => name.includes('.fetch-'))).toEqual([])
    },
  )

  test.skipIf(!asRoot || !canFetch())('is fetched by an unprivileged user too', { timeout: 120_000 }, () => {
    const own = folder('nobody', 0o777)
    // A clone of its own: ours, with what we note down in it, belongs to root.
    cpSync(dirname(import.meta.dirname), join(own, 'harness'), { recursive: true })
    writeFileSync(join(own, 'package.json'), '{ "type": "module" }')
    const code = `
      import { fetchRedis } from ${JSON.stringify(join(own, 'harness/runtime/redis-apt.ts'))}
      const redis = await fetchRedis(${JSON.stringify(join(own, 'redis'))})
      console.log(process.getuid(), redis.server)`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      ...identity(NOBODY),
      cwd: '/',
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    })
    expect(stderr).toBe('')
    expect(stdout.trim()).toBe(`65534 ${own}/redis/usr/bin/redis-server`)
  })

  test.skipIf(!canFetch())('no network: apt’s own reason, nothing left', { timeout: 60_000 }, async () => {
    const list = join(work, 'closed.list')
    writeFileSync(list, 'deb [trusted=yes] http://127.0.0.1:9/debian stable main\n')
    await expect(fetchRedis(join(work, 'offline'), list)).rejects.toThrow(/Failed to fetch.*127\.0\.0\.1/)
    expect(readdirSync(work).filter((name) => name.startsWith('offline'))).toEqual([])
  })

  /** A PATH with apt's tools and no Redis, whatever is installed here. */
  function bare(): string {
    const bin = folder('bare')
    for (const tool of ['apt-get', 'dpkg', 'ldd']) program(join(bin, tool), '')
    return bin
  }

  test('a library’s package is named after it', () => {
    expect(packageNames('libssl.so.3')).toEqual(['libssl3', 'libssl3t64'])
    expect(packageNames('liblua5.1.so.0')[0]).toBe('liblua5.1-0')
    expect(packageNames('libhiredis.so.1.1.0')[0]).toBe('libhiredis1.1.0')
    expect(packageNames('liblua5.1-cjson.so.0')).toEqual(['lua-cjson'])
  })
})

describe('user and folder', () => {
  const passwd = 'root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n'

  test('nobody before the first, the first before none', () => {
    expect(chooseUser(passwd, () => true).name).toBe('nobody')
    expect(chooseUser(passwd, ({ name }) => name !== 'nobody').name).toBe('daemon')
    expect(() => chooseUser(passwd, () => false)).toThrow(Unavailable)
    expect(() => chooseUser('root:x:0:0::/root:/bin/sh\n')).toThrow(/refuses to run as root/)
  })

  test.skipIf(!asRoot)('a clone under a closed folder: the data root is elsewhere, with the reason', () => {
    const home = folder('root-home', 0o700)
    const other = folder('tmp', 0o1777)
    const { path, reason } = chooseDataRoot(join(home, 'clone/.runtime'), NOBODY, [other])
    expect(dirname(path)).toBe(other)
    expect(reason?.en).toContain('closed to the user nobody')
    expect(chooseDataRoot(join(home, 'clone/.runtime'), null, [other])).toEqual({
      path: join(home, 'clone/.runtime'),
    })
  })

  test('somebody else’s folder in /tmp is not ours', () => {
    const shared = folder('shared')
    const near = join(folder('file'), 'plain')
    writeFileSync(near, '')
    const first = chooseDataRoot(near, null, [shared])
    rmSync(first.path, { recursive: true })
    writeFileSync(first.path, '')
    expect(() => chooseDataRoot(near, null, [shared])).toThrow(Unavailable)
  })

  test('the package manager of a system', () => {
    expect(systemFamily('linux', 'ID=linuxmint\nID_LIKE="ubuntu debian"\n')).toBe('apt')
    expect(systemFamily('linux', 'ID="rocky"\nID_LIKE="rhel centos fedora"\n')).toBe('dnf')
    expect(systemFamily('linux', 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n')).toBe('zypper')
    expect(systemFamily('linux', 'ID=plan9\n')).toBe('other')
    expect(systemFamily('darwin')).toBe('brew')
    expect(installRedis('apt', false).en).toBe('Run: sudo apt install redis-server')
    expect(installRedis('brew', true).en).toBe('Run: brew install redis')
  })
})
