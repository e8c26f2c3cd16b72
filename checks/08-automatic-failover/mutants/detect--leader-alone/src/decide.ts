/** What one observer says of one node. */
export interface View {
  observer: string
  node: string
  /** Failed checks in a row. */
  failures: number
}

export interface Rule {
  /** Failed checks in a row that count as down. */
  threshold: number
  /** Observers that must agree. */
  quorum: number
}

export interface Judgement {
  state: 'up' | 'suspect' | 'down'
  /** Those who count it as down. */
  observers: string[]
}

// #region decide
/** A missed check is a fact about one path. Only several observers together know something about the node. */
export function decide(views: readonly View[], node: string, { threshold }: Rule): Judgement {
  const of = views.filter((view) => view.node === node)
  const observers = of.filter(({ failures }) => failures >= threshold).map(({ observer }) => observer)
  if (observers.length > 0) return { state: 'down', observers }
  return { state: of.some(({ failures }) => failures > 0) ? 'suspect' : 'up', observers }
}
// #endregion decide
