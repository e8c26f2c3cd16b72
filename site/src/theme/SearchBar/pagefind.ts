/** A place that was found. */
export interface Hit {
  url: string
  title: string
  /** HTML with the found words marked, made by the index from our own pages. */
  excerpt: string
}

interface Pagefind {
  debouncedSearch(
    query: string,
    options: object,
    ms: number,
  ): Promise<{ results: { data(): Promise<Data> }[] } | null>
}

interface Data {
  url: string
  meta: { title: string }
  /** All text of the page. */
  content: string
  excerpt: string
  sub_results: { url: string; title: string; excerpt: string }[]
}

/** The site has hardly more. */
const MOST_READ = 24
const MOST_PAGES = 6
const MOST_PLACES = 4

let index: Promise<Pagefind> | undefined

/** Searches the index of the page's language; nothing if a newer search overtook this one. */
export async function search(root: string, query: string): Promise<Hit[] | undefined> {
  if (!query.trim()) return []
  index ??= import(/* webpackIgnore: true */ `${root}pagefind/pagefind.js`) as Promise<Pagefind>
  const found = await (await index).debouncedSearch(query, {}, 120)
  if (!found) return undefined
  const pages = await Promise.all(found.results.slice(0, MOST_READ).map((result) => result.data()))
  // The index cuts Japanese words into pieces, and a page that has the pieces often would come before the one that has
  // the word.
  const has = (text: string): boolean => text.toLowerCase().includes(query.trim().toLowerCase())
  const best = wholeFirst(pages, ({ content }) => has(content)).slice(0, MOST_PAGES)
  return best.flatMap(({ url, meta, excerpt, sub_results }) => {
    const title = meta.title
    const places = wholeFirst(sub_results, (place) => has(withoutMarks(place.excerpt)))
    const shown = places.slice(0, MOST_PLACES).map((p) => ({
      url: route(p.url),
      title: p.title === title ? title : `${title} › ${p.title}`,
      excerpt: p.excerpt,
    }))
    return shown.length > 0 ? shown : [{ url: route(url), title, excerpt }]
  })
}

/** What the reader typed stands in those as it is; the order is kept otherwise. */
function wholeFirst<T>(all: T[], isWhole: (one: T) => boolean): T[] {
  const [whole, rest] = [all.filter(isWhole), all.filter((one) => !isWhole(one))]
  return [...whole, ...rest]
}

const withoutMarks = (html: string): string => html.replaceAll(/<\/?mark>/g, '')

/** The index knows files, the site knows routes. */
const route = (url: string) => url.replace(/\.html(?=#|$)/, '').replace(/\/index(?=#|$)/, '/')
