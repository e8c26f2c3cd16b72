import { cp, lstat, mkdir, readFile, rm, stat } from 'node:fs/promises'
import { existsSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { RUNTIME_DIR } from '#harness/paths'
import { OWNER, ownFolder } from '#harness/process/owned'
import { say, type Text } from '#harness/text'
import { Unavailable } from '#harness/unavailable'
import type { Lab } from './labs.ts'

/** The folder that is graded. */
export interface Subject {
  /** `workspace`, `solution`, `starter`, `mutant split--no-guard`, or the path as given. */
  name: string
  dir: string
}

/** What `--subject` means for this lab. @throws Unavailable when there is no such folder */
export async function resolveSubject(lab: Lab, name: string): Promise<Subject> {
  const known: Record<string, string> = {
    workspace: lab.workspace,
    solution: lab.solution,
    starter: lab.starter,
  }
  const dir = known[name] ?? resolve(name)
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return { name, dir }
  const number = String(lab.number).padStart(2, '0')
  throw new Unavailable(
    name === 'workspace'
      ? {
          what: say(`You have not begun lab ${number} yet.`, `ラボ${number}はまだ始まっていません。`),
          why: say(`There is no workspace/${lab.chapter}.`, `workspace/${lab.chapter}がありません。`),
          remedy: say(`Run: npm run lab ${number}`, `次を実行してください：npm run lab ${number}`),
        }
      : {
          what: say(`There is no subject ${name}.`, `対象${name}がありません。`),
          why: say('It is neither a known name nor a folder.', '既知の名前でも、フォルダーでもありません。'),
          remedy: say(
            'Give workspace, solution, starter, or the path of a folder.',
            'workspace、solution、starter、またはフォルダーのパスを指定してください。',
          ),
        },
  )
}

/**
 * A mutant or variant as a whole subject: its changed files laid over the solution, in a folder of its own. A file
 * `variant.json` may name solution files that it does without: `{ "remove": ["src/x.ts"] }`.
 */
export async function overlaySubject(lab: Lab, overlay: string, name: string): Promise<Subject> {
  const dir = join(RUNTIME_DIR, 'staged', OWNER, 'overlays', lab.chapter, name.replaceAll(/\W+/g, '-'))
  ownFolder(join(RUNTIME_DIR, 'staged', OWNER))
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  await cp(lab.solution, dir, { recursive: true })
  for (const file of await removed(overlay)) await rm(join(dir, file))
  await cp(overlay, dir, { recursive: true })
  return { name, dir }
}

/**
 * The subject as it is now, in a folder of its own: what the learner saves while it is graded changes nothing. A file that
 * can't be copied is told by the roles' own start, as a verdict.
 */
export async function stageSubject(lab: Lab, subject: Subject): Promise<Subject> {
  const dir = join(RUNTIME_DIR, 'staged', OWNER, lab.chapter)
  ownFolder(join(RUNTIME_DIR, 'staged', OWNER))
  await rm(dir, { recursive: true, force: true })
  const filter = (path: string): boolean => !NOT_STAGED.has(basename(path))
  try {
    await cp(subject.dir, dir, { recursive: true, filter })
  } catch {
    return subject
  }
  return { ...subject, dir }
}

/** Dependencies come from the clone; history and old runs are nobody's input. */
const NOT_STAGED = new Set(['node_modules', '.git', '.runs'])

async function removed(overlay: string): Promise<string[]> {
  const file = join(overlay, 'variant.json')
  if (!existsSync(file)) return []
  return (JSON.parse(await readFile(file, 'utf8')) as { remove?: string[] }).remove ?? []
}

/** A file of the subject that can't be used as what it is. */
export class SubjectError extends Error {
  override readonly name = 'SubjectError'
  readonly file: string
  readonly reason: Text

  constructor(file: string, reason: Text) {
    super(`${file}: ${reason.en}`)
    this.file = file
    this.reason = reason
  }
}

/** The text of one of the subject's files; undefined where there is none. @throws {SubjectError} */
export async function readSubject(subject: Subject, file: string): Promise<string | undefined> {
  try {
    return await readFile(join(subject.dir, file), 'utf8')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const linked = await lstat(join(subject.dir, file)).catch(() => undefined)
    if (code === 'ENOENT' && !linked) return undefined
    throw new SubjectError(file, say(`it can’t be read (${code})`, `読み取れない（${code}）`))
  }
}

/** Commands of the roles where the subject is not TypeScript: `lab.json` of the subject. @throws {SubjectError} */
export async function roleCommands(subject: Subject): Promise<Record<string, string[]>> {
  const text = await readSubject(subject, 'lab.json')
  if (text === undefined) return {}
  const roles = parse(text)?.roles ?? {}
  const isCommand = (command: unknown): command is string[] =>
    Array.isArray(command) && command.length > 0 && command.every((part) => typeof part === 'string')
  for (const [role, command] of Object.entries(roles)) {
    if (isCommand(command)) continue
    throw new SubjectError(
      'lab.json',
      say(
        `the command of ${role} is not a list of words: ["python3", "src/${role}.py"]`,
        `${role}のコマンドが語の並びになっていない。例：["python3", "src/${role}.py"]`,
      ),
    )
  }
  return roles as Record<string, string[]>
}

function parse(text: string): { roles?: Record<string, unknown> } | undefined {
  try {
    return JSON.parse(text) as { roles?: Record<string, unknown> }
  } catch (error) {
    const { message } = error as Error
    throw new SubjectError('lab.json', say(`it is no JSON: ${message}`, `JSONになっていない：${message}`))
  }
}

/** True when the path is a readable file. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  )
}
