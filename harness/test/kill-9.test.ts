import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CLONE_ID, ROOT, RUNTIME_DIR } from '../paths.ts'
import { sweep, sweepOwn } from '../process/owned.ts'
import {
  environmentHas,
  familyOf,
  isAlive,
  processInfo,
  processTable,
  type ProcessInfo,
} from '../process/table.ts'
import { Random } from '../random.ts'
import { dataRoot } from '../runtime/user.ts'

const MOMENTS = 20

afterAll(async () => {
  await sweepOwn()
})

/** A command that is on its way, and what it has said so far. */
class Command {
  readonly #child = spawn(process.execPath, [join(import.meta.dirname, 'command.ts')], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  readonly owner: string
  readonly exited = once(this.#child, 'exit')
  /** Of processes that it has written down. */
  readonly #pids = new Set<string>()
  said = ''

  constructor() {
    const { pid = -1, stdout } = this.#child
    this.owner = `${pid}-${processInfo(pid)?.started ?? ''}`
    stdout.on('data', (chunk: Buffer) => (this.said += chunk.toString()))
  }

  get stage(): string {
    return this.said.trim().split('\n').at(-1) ?? ''
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }

  /** Processes that it has written down, all below them, and all that carry its mark. */
  processes(): ProcessInfo[] {
    const record = join(RUNTIME_DIR, 'owned', this.owner)
    const pids = existsSync(record)
      ? [...readFileSync(record, 'utf8').matchAll(/"pid":(\d+),"started":"(\w+)"/g)]
      : []
    for (const [, pid] of pids) this.#pids.add(pid!)
    return [
      ...pids.flatMap(([, pid, started]) => familyOf({ root: Number(pid), started: started! })),
      ...processTable().filter(({ pid }) => environmentHas(pid, `${CLONE_ID}/${this.owner}/`)),
    ]
  }

  /** Folders and records with its name. */
  folders(): string[] {
    return [
      RUNTIME_DIR,
      dataRoot().path,
      '/dev/shm',
      ...['owned', 'docker', 'test'].map((name) => join(RUNTIME_DIR, name)),
    ]
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
      .filter((path) => path.includes(this.owner) || path.endsWith(`.${this.owner.split('-')[0]}`))
  }

  /** Segments of shared memory that its servers made: a Postgres that was killed leaves one. */
  segments(): string[] {
    if (process.platform !== 'linux') return []
    const [, ...lines] = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n')
    return lines.filter((line) => this.#pids.has(line.trim().split(/\s+/)[4] ?? ''))
  }

  /** Containers and volumes that carry its label. */
  async containers(): Promise<string[]> {
    if (process.env.LAB_RUNTIME !== 'docker') return []
    const { getContainerRuntimeClient } = await import('testcontainers')
    const { container } = await getContainerRuntimeClient()
    const filters = { label: [`org.scaling-workbook.owner=${this.owner}`] }
    const list = await container.dockerode.listContainers({ all: true, filters })
    const { Volumes } = await container.dockerode.listVolumes({ filters })
    return [...list.map(({ Names }) => Names.join()), ...(Volumes ?? []).map(({ Name }) => Name)]
  }
}

test('a command that ends in order leaves nothing', { timeout: 120_000 }, async () => {
  const command = new Command()
  await command.exited
  expect(command.stage).toBe('end')
  expect(command.processes().filter(({ pid, started }) => isAlive(pid, started))).toEqual([])
  expect(command.folders()).toEqual([])
  expect(await command.containers()).toEqual([])
})

test(`killed at ${MOMENTS} random moments, the next start cleans up`, { timeout: 600_000 }, async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
  const random = new Random(seed, 'kill-9')
  const begun = performance.now()
  await new Command().exited
  const life = performance.now() - begun
  const stages: string[] = []
  for (let i = 0; i < MOMENTS; i++) {
    // One in each twentieth of its life, so that no part of it goes untried.
    const moment = ((i + random.int(0, 999) / 1000) / MOMENTS) * life
    const command = new Command()
    await Promise.race([command.exited, new Promise((resolve) => setTimeout(resolve, moment))])
    await command.kill()
    const left = command.processes()
    stages.push(command.stage)
    const where = `killed after ${Math.round(moment)} ms (${command.stage || 'start'}), seed ${seed}`
    await sweep()
    const living = [...left, ...command.processes()].filter(({ pid, started }) => isAlive(pid, started))
    expect(living, `processes, ${where}`).toEqual([])
    expect(command.folders(), `folders, ${where}`).toEqual([])
    expect(command.segments(), `shared memory, ${where}`).toEqual([])
    expect(await command.containers(), `containers, ${where}`).toEqual([])
  }
  // It was killed in the middle of things, not always before or after them.
  expect(new Set(stages).size).toBeGreaterThanOrEqual(3)
})
