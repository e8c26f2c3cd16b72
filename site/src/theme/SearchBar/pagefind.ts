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
  excerpt: string
  sub_results: { url: string; title: string; excerpt: string }[]
}

const MOST_PAGES = 6
const MOST_PLACES = 4

let index: Promise<Pagefind> | undefined

/** Searches the index of the page's language; nothing if a newer search overtook this one. */
export async function search(root: string, query: string): Promise<Hit[] | undefined> {
  if (!query.trim()) return []
  index ??= import(/* webpackIgnore: true */ `${root}pagefind/pagefind.js`) as Promise<Pagefind>
  const found = await (await index).debouncedSearch(query, {}, 120)
  if (!found) return undefined
  const pages = await Promise.all(found.results.slice(0, MOST_PAGES).map((result) => result.data()))
  return pages.flatMap(({ url, meta, excerpt, sub_results: places }) => {
    const title = meta.title
    const shown = places.slice(0, MOST_PLACES).map((p) => ({
      url: route(p.url),
      title: p.title === title ? title : `${title} › ${p.title}`,
      excerpt: p.excerpt,
    }))
    return shown.length > 0 ? shown : [{ url: route(url), title, excerpt }]
  })
}

/** The index knows files, the site knows routes. */
const route = (url: string) => url.replace(/\.html(?=#|$)/, '').replace(/\/index(?=#|$)/, '/')
