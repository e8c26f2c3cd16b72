import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { FeedEvent, Outcome } from '../../../checks/grader/verdict.ts'
import { ROOT, solve, world, type World } from './world.ts'

const CHAPTER = '02-dual-servers'
const PAGE = `/chapters/${CHAPTER}`
const CHECK = [join(ROOT, 'bootstrap.mjs'), 'check', '02', '--steps', 'split', '--json']

let site: World
beforeAll(async () => {
  site = await world(() => {
    // The check that the page starts must not touch the learner's own workspace either.
    process.env.WORKBOOK_WORKSPACE = site.workspace
    return [process.execPath, ...CHECK]
  })
  mkdirSync(join(site.workspace, '.runs'), { recursive: true })
})
afterAll(() => site[Symbol.asyncDispose]())

let runs = 0
beforeEach(() => void runs++)

function tell(event: object): void {
  const head = {
    at: new Date().toISOString(),
    lab: 'dual-servers',
    chapter: CHAPTER,
    run: `.runs/${CHAPTER}/9999-${runs}`,
    subject: 'workspace',
  }
  appendFileSync(
    join(site.workspace, '.runs/feed.jsonl'),
    `${JSON.stringify({ ...head, ...event } as FeedEvent)}\n`,
  )
}

const step = (id: string, outcome: Outcome, more: object = {}) => ({
  type: 'step',
  step: {
    id,
    outcome,
    title: { en: id, ja: id },
    points: 1,
    guard: false,
    section: id,
    durationMs: 1,
    tests: [],
    ...more,
  },
})
const mark = (id: string, outcome: string) => `section[data-outcome="${outcome}"][aria-label$=" ${id}"]`

it('shows a verdict of the terminal within 200 ms, without a reload', async () => {
  const { page, problems } = await site.open(PAGE)
  await page.getByText('Follows your terminal').waitFor()
  const times: number[] = []
  for (let i = 0; i < 10; i++) {
    const outcome = i % 2 ? 'fail' : 'pass'
    const seen = page.evaluate(`new Promise((resolve) => {
      const look = () => document.querySelector('${mark('split', outcome)}') ? resolve(Date.now()) : requestAnimationFrame(look)
      look()
    })`) as Promise<number>
    const begun = Date.now()
    tell(step('split', outcome as Outcome))
    times.push((await seen) - begun)
  }
  const median = times.toSorted((a, b) => a - b)[5] ?? 0
  console.log(`verdict to mark: median ${median} ms of ${times.join(', ')}`)
  expect(median).toBeLessThanOrEqual(200)
  expect(problems).toEqual([])
  await page.context().close()
})

it('shows why a step failed, with the timeline as picture and as text', async () => {
  const { page } = await site.open(PAGE)
  await page.getByText('Follows your terminal').waitFor()
  const text = (en: string) => ({ en, ja: en })
  tell(
    step('queue', 'fail', {
      failure: {
        test: text('a change waits'),
        when: text('server-2 is killed'),
        expected: text('2 pending'),
        observed: text('1'),
        hint: 2,
        evidence: [],
        logs: [{ role: 'server-1', lines: ['{"message":"hello"}'] }],
        timeline: [
          { at: 5, from: 'test', to: 'server-2', kind: 'signal', text: 'SIGKILL' },
          { at: 9, from: 'server-1', to: 'server-2', kind: 'http', text: 'POST /api/sync', failed: true },
        ],
      },
    }),
  )
  const card = page.locator(mark('queue', 'fail'))
  await card.getByText('2 pending').waitFor()
  expect(
    await card
      .getByRole('listitem')
      .filter({ hasText: 'server-1 to server-2: POST /api/sync (failed)' })
      .count(),
  ).toBe(1)
  await card.getByText('What was observed points to hint 2').waitFor()
  await card.getByText('Last lines of the logs').click()
  await card.getByText('{"message":"hello"}').waitFor()
  await page.context().close()
})

it('finds the server again after it was gone', async () => {
  const { page } = await site.open(PAGE)
  await page.getByText('Follows your terminal').waitFor()
  await site.stopServer()
  await page.getByText('The local server is silent').waitFor()
  await site.startServer()
  await page.getByText('Follows your terminal').waitFor()
  tell(step('agree', 'pass'))
  await page.locator(mark('agree', 'pass')).waitFor()
  await page.context().close()
})

it('turns green while the lab runs in another process', { timeout: 120_000 }, async () => {
  solve(site.workspace, CHAPTER)
  const { page } = await site.open(PAGE)
  await page.getByText('Follows your terminal').waitFor()
  const env = { ...process.env, WORKBOOK_WORKSPACE: site.workspace }
  const child = spawn(process.execPath, CHECK, { cwd: ROOT, env, stdio: 'ignore' })
  // Asked for at once: the command may have ended before the mark is seen.
  const closed = new Promise((resolve) => child.once('close', resolve))
  await page.locator(mark('split', 'pass')).waitFor({ timeout: 100_000 })
  await closed
  // The panel, the list beside the text and the chapter's head agree.
  await page.getByText('1 of 7 steps').first().waitFor()
  expect(await page.locator('.toc-column [data-outcome="pass"]').count()).toBe(1)
  await page.context().close()
})

it('runs the tests from the page, and shows them passing', { timeout: 120_000 }, async () => {
  solve(site.workspace, CHAPTER)
  const { page, problems } = await site.open(`/ja${PAGE}`)
  await page.getByRole('button', { name: 'テストを実行する' }).click()
  await page.getByRole('button', { name: 'テストを実行中' }).waitFor()
  await page.locator(mark('split', 'running')).waitFor()
  await page.locator(mark('split', 'pass')).waitFor({ timeout: 100_000 })
  await page.getByRole('button', { name: 'テストを実行する' }).waitFor({ timeout: 20_000 })
  expect(problems).toEqual([])
  await page.context().close()
})

it('refuses a page of another origin', async () => {
  const foreign = createServer((_, answer) =>
    answer.setHeader('content-type', 'text/html').end('<h1>elsewhere</h1>'),
  )
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
  const { page } = await site.open('/')
  await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`)
  const tries = `Promise.all([
    fetch('${site.url}/api/session').then((a) => a.text(), () => 'refused'),
    fetch('${site.url}/api/session', { mode: 'no-cors' }).then((a) => a.type === 'opaque' ? 'unreadable' : 'read', () => 'refused'),
    fetch('${site.url}/api/runs', { method: 'POST', mode: 'no-cors', body: '{"lab":"${CHAPTER}"}' }).then((a) => a.type === 'opaque' ? 'unreadable' : 'read', () => 'refused'),
  ])`
  for (const result of (await page.evaluate(tries)) as string[])
    expect(['refused', 'unreadable']).toContain(result)
  const { page: own } = await site.open(PAGE)
  await own.getByRole('button', { name: 'Run the tests' }).waitFor()
  foreign.close()
})
