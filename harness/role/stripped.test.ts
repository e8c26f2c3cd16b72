import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { RUNTIME_DIR } from '../paths.ts'
import { sweepOwn } from '../process/owned.ts'
import { STRIPPED, stripTypes } from './stripped.ts'

const THROWS = `type Answer = { status: number }

const answer: Answer = { status: 503 }
throw new Error(\`status \${answer.status}\`)
`

let subject: string

beforeEach(() => {
  mkdirSync(join(RUNTIME_DIR, 'test'), { recursive: true })
  subject = mkdtempSync(join(RUNTIME_DIR, 'test', 'stripped-'))
  mkdirSync(join(subject, 'src'))
  return () => rmSync(subject, { recursive: true })
})
afterAll(async () => void (await sweepOwn()))

function write(source: string): string {
  writeFileSync(join(subject, 'src/server.ts'), source)
  return hash('sha1', source)
}

/** What the role writes, started as the harness starts it. */
async function run(env: Record<string, string> = { WORKBOOK_STRIPPED: STRIPPED }): Promise<string> {
  const flags = ['--import', new URL('standby.mjs', import.meta.url).href]
  const options = { cwd: subject, env: { PATH: process.env.PATH, ...env } }
  return promisify(execFile)(process.execPath, [...flags, 'src/server.ts'], options).then(
    ({ stdout }) => stdout,
    ({ stderr }: { stderr: string }) => stderr,
  )
}

describe('types that the command has stripped', () => {
  test('a stack shows the file and the line that the learner wrote, as without', async () => {
    write(THROWS)
    stripTypes(subject)
    const stripped = await run()
    expect(stripped).toContain(`${join(subject, 'src/server.ts')}:4`)
    expect(stripped).toContain('status 503')
    expect(stripped).toBe(await run({}))
  })

  test('the role runs what the command has stripped, and never of another source', async () => {
    const name = write("console.log('as it is' as string)\n")
    stripTypes(subject)
    writeFileSync(join(STRIPPED, name), "console.log('stripped')\n")
    expect(await run()).toBe('stripped\n')
    write("console.log('saved since' as string)\n")
    expect(await run()).toBe('saved since\n')
  })

  test('a file that has no types stripped, for it can’t be read as TypeScript, is told by Node itself', async () => {
    write('const answer: = 1\n')
    stripTypes(subject)
    expect(await run()).toBe(await run({}))
    expect(await run()).toContain('SyntaxError')
  })

  test('where nothing can be kept, the role does it itself', async () => {
    write("console.log('on its own' as string)\n")
    rmSync(STRIPPED, { recursive: true, force: true })
    writeFileSync(STRIPPED, 'in the way')
    stripTypes(subject)
    expect(await run()).toBe('on its own\n')
    rmSync(STRIPPED)
    stripTypes(subject)
    expect(existsSync(STRIPPED)).toBe(true)
  })
})
