import { spawn, type ChildProcess } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { percentile } from '#harness/bench'
import { connect, plainRun } from '#harness/context'
import { postgres } from '#harness/postgres'
import { startRole } from '#harness/role/role'
import { scopes } from '#harness/scope'
import { dockerAnswers, chooseRuntime } from '#harness/runtime/choose'
import { ROOT, RUNTIME_DIR } from '#harness/paths'
import { Grader } from '#grader/grader'
import { findLab, testFiles, type Lab } from '#grader/labs'
import { makeRunFolder } from '#grader/run-folder'
import { prepareDatabases, runContext } from '#grader/session'
import { resolveSubject } from '#grader/subject'
import { StartedTopology, topologyApi } from '#harness/topology'

const LAB = '02'
const SAVES = 20
/** Whoever saves has read the last verdict: nobody is as quick as this. */
const READING_MS = 2000

interface Loop {
  /** Milliseconds from a save to the first verdict of a test, median. */
  firstVerdictMs: number
  /** To the last step's verdict, median. */
  lastVerdictMs: number
}

/** A loop of `npm run lab`, and what of it is nobody's test. */
interface Watched extends Loop {
  /** To the first verdict, without the time of the test that got it. */
  besideTestMs: number
}

/**
 * `npm run bench loop`: how long a learner waits. Saves a file of lab 02 while `npm run lab` watches, as an editor would;
 * beside it the same tests the plain way (new containers for every test file), and the floor: one role start, one
 * database, one round trip.
 */
export async function benchLoop(json: boolean): Promise<number> {
  const lab = (await findLab(LAB))!
  const docker = await dockerAnswers()
  const native = await watchLoop(lab, 'native')
  const inDocker = docker.yes ? await watchLoop(lab, 'docker') : null
  const plain = docker.yes ? await plainWay(lab) : null
  const floorMs = await floor(lab)
  if (json)
    console.log(
      JSON.stringify({
        native: verdictsOf(native),
        docker: inDocker && verdictsOf(inDocker),
        plainMs: plain?.lastVerdictMs ?? null,
        floorMs,
      }),
    )
  else print({ native, docker: inDocker, plain, floorMs })
  return 0
}

const verdictsOf = ({ firstVerdictMs, lastVerdictMs }: Loop): Loop => ({ firstVerdictMs, lastVerdictMs })

/** Medians over {@link SAVES} saves of the solution's `server.ts` in a workspace of its own. */
async function watchLoop(lab: Lab, runtime: 'native' | 'docker'): Promise<Watched> {
  const workspace = await mkdtemp(join(RUNTIME_DIR, 'bench-'))
  const folder = join(workspace, lab.chapter)
  await cp(lab.solution, folder, { recursive: true })
  const env = {
    ...process.env,
    LAB_RUNTIME: runtime,
    WORKBOOK_WORKSPACE: workspace,
    NO_COLOR: '1',
    WORKBOOK_TRACE: 'verdicts',
  }
  const command = spawn(process.execPath, [join(ROOT, 'cli/main.ts'), 'lab', LAB], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const lines = verdictLines(command, lab.spec.steps.length)
    await lines.next() // the first run, which nobody saved for
    const file = join(folder, 'src/server.ts')
    const text = await readFile(file, 'utf8')
    const loops: Watched[] = []
    for (let i = 0; i < SAVES; i++) {
      await pause(READING_MS)
      const saved = performance.now()
      await writeFile(file, `${text}// save ${i}\n`)
      const { value } = await lines.next()
      if (!value) throw new Error('npm run lab ended during the bench')
      const firstVerdictMs = value.first - saved
      loops.push({
        firstVerdictMs,
        lastVerdictMs: value.last - saved,
        besideTestMs: firstVerdictMs - value.testMs,
      })
    }
    const median = (key: keyof Watched): number =>
      Math.round(
        percentile(
          loops.map((loop) => loop[key]),
          0.5,
        ),
      )
    return {
      firstVerdictMs: median('firstVerdictMs'),
      lastVerdictMs: median('lastVerdictMs'),
      besideTestMs: median('besideTestMs'),
    }
  } finally {
    command.kill('SIGTERM')
    await new Promise((resolve) => command.once('exit', resolve))
    await rm(workspace, { recursive: true, force: true })
  }
}

/** Of one run, as `performance.now()` tells it. */
interface Verdicts {
  first: number
  /** Milliseconds that the first test took. */
  testMs: number
  last: number
}

/**
 * With `WORKBOOK_TRACE=verdicts` the command writes a line as each verdict reaches the screen: `test <step> <outcome> <ms>`
 * and `step <step> <outcome>`. One item a run.
 */
async function* verdictLines(command: ChildProcess, steps: number): AsyncGenerator<Verdicts, undefined> {
  let first: { first: number; testMs: number } | undefined
  let done = 0
  for await (const line of createInterface({ input: command.stdout! })) {
    const [, kind, ms] = /^(test|step) \S+ \S+ ?(\d*)/.exec(line) ?? []
    if (!kind) continue
    first ??= { first: performance.now(), testMs: Number(ms) }
    if (kind === 'step' && ++done === steps) {
      yield { ...first, last: performance.now() }
      first = undefined
      done = 0
    }
  }
}

/** Every test file with containers and a test runner of its own: what one writes with Testcontainers' own examples. */
async function plainWay(lab: Lab): Promise<Loop> {
  process.env.LAB_RUNTIME = 'docker'
  const begun = performance.now()
  const since = (): number => Math.round(performance.now() - begun)
  let firstVerdictMs: number | undefined
  const onTest = (): void => void (firstVerdictMs ??= since())
  for (const step of lab.spec.steps)
    for (const { kind } of testFiles(lab, step.id)) {
      const grader = await Grader.open(lab, await chooseRuntime())
      await grader.run({
        subject: await resolveSubject(lab, 'solution'),
        order: [step.id],
        kind,
        onTest,
      })
      await grader.close()
    }
  return { firstVerdictMs: firstVerdictMs!, lastVerdictMs: since() }
}

/** One role, one database from the template, one round trip: no loop can be faster. Median. */
async function floor(lab: Lab): Promise<number> {
  process.env.LAB_RUNTIME = 'native'
  const runtime = await chooseRuntime()
  const topology = await StartedTopology.start(runtime, lab.spec.topology)
  const subject = await resolveSubject(lab, 'solution')
  await prepareDatabases(topology, lab, subject)
  const dir = makeRunFolder(lab.chapter, new Date())
  const run = await runContext(lab, runtime, subject, {
    dir,
    seed: 1,
    startedAt: Date.now(),
  })
  await connect({ ...plainRun(run), ...topologyApi(async () => topology) })
  const times: number[] = []
  for (let i = 0; i < SAVES; i++) {
    const begun = performance.now()
    const database = await postgres('pg-1').database()
    const role = await startRole('server', {
      env: {
        PARTITION: 'A-M',
        PEER_NAME: 'x',
        PEER_URL: 'http://127.0.0.1:1',
        PEER_TOKEN: 'x',
        DATABASE_URL: database.url('server'),
      },
    })
    await role.get('/api/metrics')
    times.push(performance.now() - begun)
    await scopes.closeFile()
  }
  await topology.close()
  return Math.round(percentile(times, 0.5))
}

interface Result {
  native: Watched
  docker: Watched | null
  plain: Loop | null
  floorMs: number
}

function print({ native, docker, plain, floorMs }: Result): void {
  const row = (loop: string, ms: number, plainMs?: number) => ({
    loop,
    ms,
    'of the floor': `${(ms / floorMs).toFixed(1)} ×`,
    'than the plain way': plainMs === undefined ? '' : `${(plainMs / ms).toFixed(1)} × faster`,
  })
  const rows = (name: string, loop: Loop, beside?: Loop | null) => [
    row(`${name}: first verdict`, loop.firstVerdictMs, beside?.firstVerdictMs),
    row(`${name}: last verdict`, loop.lastVerdictMs, beside?.lastVerdictMs),
  ]
  const watched = (name: string, loop: Watched | null) =>
    loop
      ? [...rows(name, loop, plain), row(`${name}: first verdict without its test`, loop.besideTestMs)]
      : []
  console.table([
    ...watched('native, from a save', native),
    ...watched('docker, from a save', docker),
    ...(plain ? rows('plain way, every test file its own containers', plain) : []),
    row('floor: role, database, round trip', floorMs),
  ])
}
