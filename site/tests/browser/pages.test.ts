import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allPages, world, type World } from './world.ts'

let site: World
beforeAll(async () => {
  site = await world()
})
afterAll(() => site[Symbol.asyncDispose]())

type Page = Awaited<ReturnType<World['open']>>['page']

type Scheme = 'light' | 'dark'

/** Both modes and both widths are seen; `.ci/run` sees every combination. */
const LOOKS: { width: number; scheme: Scheme; other: Scheme }[] = [
  { width: 1440, scheme: 'light', other: 'dark' },
  { width: 360, scheme: 'dark', other: 'light' },
]

const pages = [...(await allPages()), '/nowhere', '/ja/nowhere']

describe.each(LOOKS)('at $width px', (seen) => {
  it.concurrent.each(pages)('%s is whole, fits and can be read by everybody', async (path) => {
    let problems = await look(path, seen)
    // Containers of another suite come and go, and the browser drops what it was loading: that is no fault of the page.
    if (problems.some((problem) => problem.includes('ERR_NETWORK_CHANGED'))) problems = await look(path, seen)
    expect(problems).toEqual([])
  })
})

/** Reads a page and checks what can be seen of it. Returns what went wrong in the browser. */
async function look(path: string, { width, scheme, other }: (typeof LOOKS)[number]): Promise<string[]> {
  const { page, problems } = await site.open(path, {
    colorScheme: scheme,
    viewport: { width, height: 900 },
  })
  await readToTheEnd(page)
  expect(
    await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
    'pixels of sideways scroll',
  ).toBe(0)
  expect(await page.evaluate(SHIFT), 'layout shift while reading').toBeLessThan(0.01)
  const japanese = path.startsWith('/ja/')
  expect(await page.locator('html').getAttribute('lang')).toBe(japanese ? 'ja' : 'en')
  expect(await page.locator('h1').count(), 'main headings').toBe(1)
  if (japanese) expect(await englishIn(page), 'interface text in English').toEqual([])
  expect(await barriers(axeOn(page)), scheme).toEqual([])
  if (process.env.WORKBOOK_FULL) {
    await page.emulateMedia({ colorScheme: other })
    await page.locator(`html[data-theme="${other}"]`).waitFor()
    // Nothing but colours differs.
    expect(await barriers(axeOn(page).withRules('color-contrast')), other).toEqual([])
  }
  await page.context().close()
  // The page that isn't there is a 404 by intent.
  return problems.filter((problem) => !(path.endsWith('/nowhere') && /404/.test(problem)))
}

/** All rules, in a third of the time: what passed is not listed, and no page of ours has frames to be joined. */
function axeOn(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).setLegacyMode(true)
}

/** What axe finds serious or critical. */
async function barriers(axe: AxeBuilder): Promise<string[]> {
  const { violations } = await axe.analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)
}

/** Interface text that a Japanese page shows in English. */
async function englishIn(page: Page): Promise<string[]> {
  const english = await page
    .locator('button, nav a, summary, label, legend, th, dt, [role="status"]')
    .evaluateAll((nodes) =>
      (nodes as unknown as Node[])
        .filter((node) => !node.closest('code, pre, [data-simulation] output, .table-of-contents'))
        .map((node) => {
          // A choice may be a statement, a field may hold one.
          const words = node.cloneNode(true)
          for (const code of words.querySelectorAll('code, textarea')) code.remove()
          return words.textContent.trim()
        })
        .filter((text) => /[a-z]{3,} [a-z]{3,}/i.test(text) && !/[\u3040-\u30ff\u4e00-\u9fff]/.test(text)),
    )
  return english.filter((text) => !/^npm |\$ |^English$/.test(text))
}

/** As much of an element as this file needs: it is compiled without the types of a browser. */
interface Node {
  textContent: string
  closest(selector: string): unknown
  cloneNode(deep: boolean): Node
  querySelectorAll(selector: string): Iterable<{ remove(): void }>
}

/** Sum of all layout shifts that no input caused. */
const SHIFT = `new Promise((resolve) => {
  let sum = 0
  new PerformanceObserver((list) => list.getEntries().forEach((e) => { if (!e.hadRecentInput) sum += e.value })).observe({ type: 'layout-shift', buffered: true })
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)))
})`

/** Scrolls as a reader does, so that what comes late has come. */
async function readToTheEnd(page: Page): Promise<void> {
  const height = Number(await page.evaluate('document.documentElement.scrollHeight'))
  for (let y = 0; y < height; y += 700) {
    await page.evaluate(`scrollTo(0, ${y})`)
    await page.evaluate(
      'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
    )
  }
  await page.waitForFunction(
    '[...document.images].every((image) => image.complete || image.loading === "lazy" && !image.offsetParent)',
  )
  await page.waitForFunction(
    '[...document.querySelectorAll("[data-simulation]")].every((place) => place.querySelector("section"))',
  )
}
