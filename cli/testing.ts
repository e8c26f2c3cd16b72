import { spawn, type ChildProcess } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT, RUNTIME_DIR } from '../harness/paths.ts'
import { eventuallyTrue } from '../harness/wait.ts'

/** Labs so small that their runs take a second, and a workspace of their own. */
export interface Stage {
  dir: string
  workspace: string
  env: NodeJS.ProcessEnv
  /** Replaces the learner's server by the starter's or the solution's. */
  save(kind: 'starter' | 'solution', lab?: string): void
  remove(): void
}

/** Inside the clone, so that its labs find the harness, and out of sight of everything else. */
export function makeStage(): Stage {
  mkdirSync(RUNTIME_DIR, { recursive: true })
  const dir = mkdtempSync(join(RUNTIME_DIR, 'stage-'))
  const workspace = join(dir, 'workspace')
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return {
    dir,
    workspace,
    env: {
      ...process.env,
      WORKBOOK_LABS: dir,
      WORKBOOK_WORKSPACE: workspace,
      LAB_RUNTIME: 'native',
      LC_ALL: 'C.UTF-8',
      NODE_OPTIONS: '',
      FORCE_COLOR: undefined,
      NO_COLOR: undefined,
      VITEST: undefined,
    },
    save: (kind, lab = '01-tiny') =>
      cpSync(
        join(dir, kind === 'starter' ? `labs/${lab}/starter` : `solutions/${lab}`, 'src/server.ts'),
        join(workspace, lab, 'src/server.ts'),
      ),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** A command that runs, and what it has said so far. */
export interface Running {
  child: ChildProcess
  out: () => string
  err: () => string
  exit: Promise<number | null>
  /** Resolves when the text has been said on stdout. */
  says(text: string | RegExp, within?: number): Promise<void>
}

/** `npm run <args>` without npm. */
export function command(stage: Stage, args: string[], env: NodeJS.ProcessEnv = {}): Running {
  return run(process.execPath, [join(ROOT, 'cli/main.ts'), ...args], { ...stage.env, ...env })
}

/** The same in a terminal of its own, by util-linux's `script`. */
export function inTerminal(stage: Stage, args: string[], env: NodeJS.ProcessEnv = {}): Running {
  const line = `stty cols 80 rows 40; exec '${process.execPath}' '${join(ROOT, 'cli/main.ts')}' ${args.join(' ')}`
  return run('script', ['-qfec', line, '/dev/null'], { ...stage.env, TERM: 'xterm-256color', ...env })
}

function run(file: string, args: string[], env: NodeJS.ProcessEnv): Running {
  const child = spawn(file, args, { cwd: ROOT, env })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  const heard = (text: string | RegExp): boolean =>
    typeof text === 'string' ? out.includes(text) : text.test(out)
  return {
    child,
    out: () => out,
    err: () => err,
    exit,
    says: async (text, within = 30_000) => {
      await eventuallyTrue(`${String(text)} in: ${out.slice(-2000)}${err.slice(-2000)}`, () => heard(text), {
        within,
      })
    },
  }
}

const LAB = (title: string): string => `import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

export default defineLab({
  title: say('${title}', '${title}のラボ'),
  summary: say('Two steps.', '2ステップ。'),
  roles: ['server'],
  topology: {},
  budget: 2000,
  steps: [
    {
      id: 'hello',
      title: say('Answer hello', 'helloと答える'),
      points: 60,
      hints: [say('What does it answer?', '何と答えますか。'), say('Write hello.', 'helloと書きます。'), say('end("hello")', 'end("hello")')],
    },
    {
      id: 'health',
      title: say('Stay healthy', '健康でいる'),
      points: 40,
      guard: true,
      hints: [say('one', '一'), say('two', '二'), say('three', '三')],
    },
  ],
})
`
const RED = `import { beforeAll, expect, say, startRole, test, when, type StartedRole } from '#harness'

let server: StartedRole
beforeAll(async () => {
  server = await startRole('server')
})
test(say('it says hello', 'helloと答える'), async () => {
  when('GET / is sent', 'GET /を送る')
  expect(await server.get('/'), say('200 hello', '200 hello')).toAnswer(200, { says: 'hello' })
})
`
const GUARD = RED.replace('it says hello', 'it is healthy')
  .replace("get('/')", "get('/health')")
  .replace("says: 'hello'", "status: 'ok'")
const SERVER = (status: number, text: string): string => `import { createServer } from 'node:http'

createServer((request, response) => {
  console.log('asked for', request.url)
  const health = request.url === '/health'
  response.writeHead(health ? 200 : ${status}, { 'content-type': 'application/json' })
  response.end(JSON.stringify(health ? { status: 'ok' } : { says: '${text}' }))
}).listen(Number(process.env.PORT), '127.0.0.1')
`

const FILES = Object.fromEntries(
  [
    ['01-tiny', 'Tiny'],
    ['02-small', 'Small'],
  ].flatMap(([lab, title]) => [
    [`labs/${lab}/lab.ts`, LAB(title!)],
    [`labs/${lab}/tests/hello.test.ts`, RED],
    [`labs/${lab}/tests/health.test.ts`, GUARD],
    [`labs/${lab}/starter/src/server.ts`, SERVER(501, 'nothing yet')],
    [`solutions/${lab}/src/server.ts`, SERVER(200, 'hello')],
  ]),
) as Record<string, string>
