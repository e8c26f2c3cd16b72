import { mkdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { staticHost } from '../../bench/host.ts'
import { hydrated, ROOT, world, type World } from './world.ts'

const PAGE = '/chapters/02-dual-servers'

let site: World
beforeAll(async () => {
  site = await world()
})
afterAll(() => site[Symbol.asyncDispose]())

describe('search', () => {
  it.each([
    ['/', 'outbox', /Two servers/],
    ['/ja/', '二重書き込み', /2台のサーバー/],
    ['/ja/', '番号札', /2台のサーバー/],
  ])('finds a word inside a sentence: %s %s', async (path, word, title) => {
    const { page, problems } = await site.open(path)
    await page.keyboard.press('/')
    await page.getByRole('searchbox').fill(word)
    const hit = page.locator('dialog a').filter({ hasText: title }).first()
    await hit.waitFor()
    // Other chapters may speak of it, too, and come first.
    for (let i = 0; i < 20 && !(await hit.evaluate((a) => a === a.ownerDocument.activeElement)); i++)
      await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/chapters\/02-dual-servers/)
    expect(problems).toEqual([])
    await page.context().close()
  })

  it('shows the page first that has the word as it was typed, and not in pieces', async () => {
    const { page } = await site.open('/ja/')
    await page.keyboard.press('/')
    await page.getByRole('searchbox').fill('二重書き込み')
    const first = page.locator('dialog a').first()
    await first.waitFor()
    expect(await first.getAttribute('href')).toMatch(/\/chapters\/02-dual-servers/)
    await page.context().close()
  })
})

describe('the simulation', () => {
  it('shows what the text says, and says what it shows', async () => {
    const { page } = await site.open(PAGE)
    const simulation = page.locator('[data-simulation="cut-the-alphabet"]')
    await simulation.scrollIntoViewIfNeeded()
    const says = (text: string) => simulation.getByRole('status').filter({ hasText: text }).waitFor()
    await says('50 % of the load')
    await simulation.getByText('US given names').click()
    await says('65 % of the load, server-2 has N-Z and 35 %')
    await says('1.54 times')
    await simulation.getByText('Japanese surnames').click()
    await says('server-1 has A-M and 27 % of the load')
    await says('1.38 times')
    await simulation.getByRole('slider', { name: 'Cut' }).press('ArrowRight')
    await says('server-1 has A-N')
    await simulation.getByLabel('One celebrity').check()
    await says('The celebrity is on one server wherever you cut')
    await simulation.getByText('your own').click()
    await simulation.getByRole('textbox').fill('alice 9lives')
    await simulation.getByText('9lives').last().waitFor()
    await page.context().close()
  })

  it.each([360, 1440])('has the height that its place was given, at %i px', async (width) => {
    for (const language of ['', '/ja']) {
      const { page } = await site.open(language + PAGE, { viewport: { width, height: 900 } })
      const place = page.locator('[data-simulation] > div')
      const before = (await place.boundingBox())?.height ?? 0
      await place.scrollIntoViewIfNeeded()
      await place.locator('section').waitFor()
      const after = (await place.boundingBox())?.height ?? 0
      const content = (await place.locator('section').boundingBox())?.height ?? 0
      expect(after, `${language} place before and after`).toBe(before)
      expect(before - content, `${language} empty room`).toBeLessThan(110)
      await page.context().close()
    }
  })
})

describe('what a reader does', () => {
  it('opens hints one by one; they stay open', async () => {
    const { page } = await site.open(PAGE)
    const step = page.locator('section[aria-label="Step split"]')
    await step.getByRole('button', { name: 'Open hint 1 of 3' }).click()
    await step.getByText('Who owns this id?').waitFor()
    expect(await step.getByText('One middleware').count()).toBe(0)
    await page.reload()
    await hydrated(page)
    await step.getByText('Who owns this id?').waitFor()
    await step.getByRole('button', { name: 'Open hint 2 of 3' }).click()
    await step.getByRole('button', { name: 'Open hint 3 of 3' }).click()
    expect(await step.getByRole('button', { name: /Open hint/ }).count()).toBe(0)
    await page.context().close()
  })

  it('sees the solution only after giving up, and downloads it only then', async () => {
    const { page } = await site.open(PAGE)
    expect(await page.content()).not.toContain('timingSafeEqual')
    const locked = page.getByText('Our solution opens when this step passes').nth(1).locator('..')
    await locked.getByRole('button', { name: 'Give up on this step' }).click()
    await locked.getByRole('button', { name: 'Yes, show it' }).click()
    await page.getByText('timingSafeEqual').first().waitFor()
    await page.context().close()
  })

  it('answers the quiz and is told why', async () => {
    const { page } = await site.open(PAGE)
    const question = page.getByRole('group', { name: /The peer is down/ })
    await question.getByLabel(/^Yes: half/).check()
    await question.getByText('takes the healthy half out').waitFor()
    await question.getByLabel(/^No\. It reports/).check()
    await question.getByText('Own users are served as before').waitFor()
    expect(await question.getByText('takes the healthy half out').count()).toBe(0)
    await page.context().close()
  })

  it('sees their own bench beside the figures', async () => {
    const folder = join(site.workspace, '.runs/02-dual-servers')
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, 'bench.json'),
      JSON.stringify({ at: '', rows: { sync: { text: { en: '4.2 ms here', ja: '4.2 ms' } } } }),
    )
    const { page } = await site.open(PAGE)
    await page.getByText('4.2 ms here').waitFor()
    await page.context().close()
  })

  it('copies a command without its prompt', async () => {
    const { page } = await site.open(PAGE, { permissions: ['clipboard-read', 'clipboard-write'] })
    const block = page.locator('figure[data-language="term"]').first()
    await block.hover()
    await block.getByRole('button').click()
    await block.getByText('copied').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('npm run lab 02')
    await page.context().close()
  })
})

describe('without a mouse, without motion, without our server', () => {
  it('reaches everything by Tab alone, and sees where it is', async () => {
    const { page } = await site.open(PAGE)
    const total = Number(
      await page.evaluate(
        `[...document.querySelectorAll('a[href], button, input, textarea, summary, [tabindex="0"]')].filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled && e.tabIndex >= 0 && !(e.type === 'radio' && !e.checked && document.querySelector('input[name="' + e.name + '"]') !== e)).length`,
      ),
    )
    const seen = new Set<string>()
    const invisible: string[] = []
    for (let i = 0; i < total * 1.5; i++) {
      await page.keyboard.press('Tab')
      const { id, shown } = (await page.evaluate(FOCUSED)) as { id: string; shown: boolean }
      if (id === 'body') break
      seen.add(id)
      if (!shown) invisible.push(id)
    }
    expect(invisible).toEqual([])
    expect(seen.size).toBeGreaterThanOrEqual(total)
    await page.context().close()
  })

  it('jumps over the navigation first', async () => {
    const { page } = await site.open('/ja' + PAGE)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('メインコンテンツまでスキップ')
    await page.context().close()
  })

  it('nothing moves when the reader wants stillness', async () => {
    const { page } = await site.open(PAGE, { reducedMotion: 'reduce' })
    await page.locator('[data-simulation]').scrollIntoViewIfNeeded()
    await page.locator('[data-simulation] section').waitFor()
    const moving = `document.getAnimations().filter((a) => a.playState === 'running' && a.effect.getComputedTiming().activeDuration > 50).length`
    expect(await page.evaluate(moving)).toBe(0)
    await page.context().close()
  })

  it.each(['', '/ja'])(
    'prints in black on white, without what only a screen can do: %s',
    async (language) => {
      // An A4 page between its margins.
      const { page } = await site.open(language + PAGE, {
        colorScheme: 'dark',
        viewport: { width: 718, height: 1000 },
      })
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
      const screenOnly = page.locator('nav, footer, button, [data-simulation]').filter({ visible: true })
      expect(
        await screenOnly.evaluateAll((nodes) => nodes.map((node) => node.outerHTML.slice(0, 80))),
      ).toEqual([])
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
        'rgb(255, 255, 255)',
      )
      expect(await page.evaluate('getComputedStyle(document.querySelector("article p")).color')).toBe(
        'rgb(0, 0, 0)',
      )
      expect(await page.evaluate(CUT), 'what the edge of the paper cuts off').toEqual([])
      await page.context().close()
    },
  )

  it('works on a static host, says how to get progress, and asks for nothing that is not there', async () => {
    const host = await staticHost(join(ROOT, 'build'))
    const context = await site.browser.newContext()
    const page = await context.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(`http://127.0.0.1:${(host.address() as AddressInfo).port}${PAGE}`)
    await page.getByText('To see your own progress here').waitFor()
    expect(await page.getByRole('button', { name: 'Run the tests' }).count()).toBe(0)
    expect(asked.filter((url) => url.includes('/api/'))).toEqual([])
    await context.close()
    host.close()
  })
})

/** What is wider than its place: paper has no scroll bar. */
const CUT = `[...document.querySelectorAll('article pre, article table, article figure')].filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent.trim().slice(0, 60))`

/** What has the focus, and whether anything shows it. */
const FOCUSED = `(() => {
  const e = document.activeElement
  if (!e || e === document.body) return { id: 'body', shown: true }
  const path = []
  for (let n = e; n && n !== document.body; n = n.parentElement) path.push([...n.parentElement.children].indexOf(n))
  const visible = (n) => n && (getComputedStyle(n).outlineStyle !== 'none' || getComputedStyle(n).boxShadow !== 'none')
  return { id: e.tagName + path.join('.'), shown: visible(e) || visible(e.closest('label')) }
})()`
