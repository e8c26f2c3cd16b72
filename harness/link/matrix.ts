import type { Link } from './link.ts'

export type Isolation = 'cut' | 'blackHole' | 'refuse'

/** A link from each of some parts to each of others, so that any two can be parted while the rest talk. */
export class Matrix implements AsyncDisposable {
  readonly #links: ReadonlyMap<string, ReadonlyMap<string, Link>>

  constructor(links: ReadonlyMap<string, ReadonlyMap<string, Link>>) {
    this.#links = links
  }

  /** The link by which `from` reaches `to`. */
  link(from: string, to: string): Link {
    const link = this.#links.get(from)?.get(to)
    if (!link)
      throw new Error(`no link ${from} → ${to}; there are ${this.all.map(({ name }) => name).join(', ')}`)
    return link
  }

  get all(): Link[] {
    return [...this.#links.values()].flatMap((row) => [...row.values()])
  }

  /** All links of `from`, by the name of their target. */
  from(from: string): ReadonlyMap<string, Link> {
    return this.#links.get(from) ?? new Map<string, Link>()
  }

  /** All links that lead from one of `names` to one of `others`, or back. Without `others`: to anybody else. */
  between(names: string | readonly string[], others?: string | readonly string[]): Link[] {
    const left = new Set([names].flat())
    const right = others === undefined ? undefined : new Set([others].flat())
    const parted = (a: string, b: string) => left.has(a) && (right ? right.has(b) : !left.has(b))
    return [...this.#links].flatMap(([from, row]) =>
      [...row].filter(([to]) => parted(from, to) || parted(to, from)).map(([, link]) => link),
    )
  }

  /** Parts `names` from `others` (or from everybody else): by default their links are cut. */
  isolate(
    names: string | readonly string[],
    { from, by = 'cut' }: { from?: string | readonly string[]; by?: Isolation } = {},
  ): Link[] {
    const links = this.between(names, from)
    if (links.length === 0) throw new Error(`nothing to isolate: no link at ${[names].flat().join(', ')}`)
    for (const link of links) link[by]()
    return links
  }

  /** Opens all links again. */
  async heal(options?: { reset?: boolean }): Promise<void> {
    await Promise.all(this.all.map((link) => link.open(options)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((link) => link.close()))
  }
}

/** Opens a link from each of `from` to each of `to`; none from a part to itself. */
export async function matrix<Target extends { name: string }>(
  from: readonly string[],
  to: readonly Target[],
  open: (from: string, to: Target) => Promise<Link>,
): Promise<Matrix> {
  const rows = from.map(async (name) => {
    const others = to.filter((target) => target.name !== name)
    const links = others.map(async (target) => [target.name, await open(name, target)] as const)
    return [name, new Map(await Promise.all(links))] as const
  })
  return new Matrix(new Map(await Promise.all(rows)))
}
