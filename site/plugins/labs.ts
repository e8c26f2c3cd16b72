import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LabSpec } from '../../harness/lab.ts'
import type { Language, Text } from '../../harness/text.ts'

/** A chapter as the site shows it in one language. */
export interface Chapter {
  /** Folder of the lab and file name of the page, `02-dual-servers`. */
  slug: string
  /** Permanent id of the lab, the key of progress: `dual-servers`. */
  lab: string
  number: string
  title: string
  /** What the lab asks for. */
  summary: string
  /** What breaks, in half a line. */
  teaser: string
  /** Its page exists; otherwise the chapter is shown as coming. */
  built: boolean
  steps: { id: string; title: string; points: number; section: string }[]
}

export interface Part {
  title: string
  chapters: Chapter[]
}

interface Contents {
  part: Text
  chapters: { slug: string; title: Text; summary: Text }[]
}

/** The lab's manifest as it is on disk now, or nothing. An edit is seen without a restart. */
export async function readLab(root: string, slug: string): Promise<LabSpec | undefined> {
  const file = join(root, 'labs', slug, 'lab.ts')
  if (!existsSync(file)) return undefined
  // Without a fraction: Vite would take what stands behind the last point for the file's kind.
  const module = await nativeImport(`${pathToFileURL(file).href}?v=${Math.trunc(statSync(file).mtimeMs)}`)
  return (module as { default: LabSpec }).default
}

// A build tool that compiles this module to CommonJS would turn `import()` into something else.
const nativeImport = (url: string): Promise<unknown> => import(/* webpackIgnore: true */ url)

/** All sixteen chapters by part: titles from the labs that exist, from `contents.json` where they don't yet. */
export async function readParts(root: string, language: Language): Promise<Part[]> {
  const contents = JSON.parse(readFileSync(join(root, 'site/contents.json'), 'utf8')) as Contents[]
  const strangers = labFolders(root).filter(
    (slug) => !contents.some((p) => p.chapters.some((c) => c.slug === slug)),
  )
  const parts = contents.map((p) => ({ ...p, chapters: [...p.chapters] }))
  // A lab that the table of contents doesn't know still gets its place, in the order of its number.
  for (const slug of strangers) placeStranger(parts, slug)
  return await Promise.all(
    parts.map(async ({ part, chapters }) => ({
      title: part[language],
      chapters: await Promise.all(chapters.map((c) => toChapter(root, c, language))),
    })),
  )
}

function placeStranger(parts: Contents[], slug: string): void {
  const untitled = { en: slug, ja: slug }
  const part = parts.findLast((p) => (p.chapters[0]?.slug ?? '') <= slug) ?? parts[0]
  part?.chapters.push({ slug, title: untitled, summary: { en: '', ja: '' } })
  part?.chapters.sort((a, b) => a.slug.localeCompare(b.slug))
}

async function toChapter(
  root: string,
  known: Contents['chapters'][number],
  language: Language,
): Promise<Chapter> {
  const lab = await readLab(root, known.slug)
  return {
    slug: known.slug,
    lab: known.slug.slice(3),
    number: known.slug.slice(0, 2),
    title: (lab?.title ?? known.title)[language],
    summary: (lab?.summary ?? known.summary)[language],
    teaser: known.summary[language],
    built:
      lab !== undefined &&
      !isDraft(root, known.slug) &&
      isWanted(known.slug) &&
      existsSync(join(root, 'site/chapters', `${known.slug}.mdx`)),
    steps: (lab?.steps ?? []).map((s) => ({
      id: s.id,
      title: s.title[language],
      points: s.points,
      section: s.section ?? s.id,
    })),
  }
}

/** Authors may build a few chapters only: `SITE_CHAPTERS=02,06`. */
const wantedChapters = (): string[] => (process.env.SITE_CHAPTERS ?? '').split(',').filter(Boolean)

const isWanted = (slug: string): boolean =>
  wantedChapters().length === 0 || wantedChapters().includes(slug.slice(0, 2))

/** Folders under `labs/` that hold a manifest, in order; drafts are left out. */
export function labFolders(root: string): string[] {
  const labs = join(root, 'labs')
  if (!existsSync(labs)) return []
  return readdirSync(labs)
    .filter((name) => existsSync(join(labs, name, 'lab.ts')) && !isDraft(root, name))
    .sort()
}

/**
 * Is this lab still a draft, `draft: true` in its manifest? Then its chapter is shown as coming, but to an author who
 * names it in `SITE_CHAPTERS`.
 */
export function isDraft(root: string, slug: string): boolean {
  if (wantedChapters().includes(slug.slice(0, 2))) return false
  const file = join(root, 'labs', slug, 'lab.ts')
  return existsSync(file) && /^ {2}draft: true,$/m.test(readFileSync(file, 'utf8'))
}

/** File names of the pages that are built: not those of drafts, and only the wanted ones where some are named. */
export function builtPages(root: string): string[] {
  return readdirSync(join(root, 'site/chapters'))
    .filter((file) => file.endsWith('.mdx') && !isDraft(root, file.replace('.mdx', '')))
    .filter(isWanted)
}
