import { inPartition, isValidUserId } from '../../../../solutions/02-dual-servers/src/partition.ts'
import names from './names.json' with { type: 'json' }

/** Letters A to Z. The cut is the last letter of the first half: 0 is A, 24 is Y. */
export const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('')
export const LAST_CUT = LETTERS.length - 2

export type Population = 'uniform' | 'us' | 'jp' | 'own'

/** A name and how much of the load it stands for. */
export type Person = readonly [id: string, weight: number]

export interface Settings {
  population: Population
  /** Names typed in, for `own`. */
  own: string
  cut: number
  /** What the previous cut was, to say how many users change server. */
  movedFrom?: number
  requestsPerSecond: number
  capacity: number
  /** One more user sends a fifth of all requests. */
  celebrity: boolean
}

export interface Outcome {
  partitions: [first: string, second: string]
  /** Share of the load by letter, and which of the two servers has it. */
  letters: { letter: string; share: number; owner: 0 | 1 }[]
  shares: [number, number]
  requests: [number, number]
  overloaded: [boolean, boolean]
  /** Requests per second that the two carry together before one of them is full. */
  pairCapacity: number
  /** `pairCapacity` over the capacity of one server. */
  speedUp: number
  /** Share of the users that live elsewhere than before the last move of the cut. */
  moved: number
  /** Typed ids that no server owns. */
  refused: string[]
  /** The best that any of the 25 cuts can do. */
  best: { cut: number; speedUp: number }
}

const CELEBRITY: Person = ['Kim', 0]
const CELEBRITY_SHARE = 0.2

/** Everything that the page shows, from the settings alone. Who owns a name is decided by the solution's own module. */
export function simulate(settings: Settings): Outcome {
  const { valid, refused } = people(settings)
  const partitions = partitionsOf(settings.cut)
  const weights = weighted(valid, settings.celebrity)
  const shares = sharesOf(weights, partitions)
  const larger = Math.max(...shares)
  const speedUp = larger > 0 ? 1 / larger : 1
  const requests = shares.map((s) => s * settings.requestsPerSecond) as [number, number]
  return {
    partitions,
    letters: byLetter(weights, partitions),
    shares,
    requests,
    overloaded: requests.map((r) => r > settings.capacity) as [boolean, boolean],
    pairCapacity: settings.capacity * speedUp,
    speedUp,
    moved: settings.movedFrom === undefined ? 0 : movedBy(valid, settings.movedFrom, settings.cut),
    refused,
    best: bestCut(weights),
  }
}

/** `A-M` and `N-Z` for the cut after M. */
export function partitionsOf(cut: number): [string, string] {
  return [`A-${LETTERS[cut]}`, `${LETTERS[cut + 1]}-Z`]
}

function people({ population, own }: Settings): { valid: Person[]; refused: string[] } {
  if (population === 'uniform') return { valid: LETTERS.map((letter): Person => [letter, 1]), refused: [] }
  if (population !== 'own') return { valid: names[population].people as unknown as Person[], refused: [] }
  const typed = own.split(/[\s,、,]+/).filter(Boolean)
  return {
    valid: typed.filter(isValidUserId).map((id): Person => [id, 1]),
    refused: typed.filter((id) => !isValidUserId(id)),
  }
}

/** Weights that add up to 1. The celebrity takes a fifth, everybody else shares the rest. */
function weighted(list: readonly Person[], celebrity: boolean): Person[] {
  const total = list.reduce((sum, [, weight]) => sum + weight, 0)
  const rest = celebrity ? 1 - CELEBRITY_SHARE : 1
  const scaled = list.map(([id, weight]): Person => [id, (weight / total) * rest])
  return celebrity ? [...scaled, [CELEBRITY[0], CELEBRITY_SHARE]] : scaled
}

function sharesOf(weights: readonly Person[], partitions: readonly string[]): [number, number] {
  const share = (partition: string) => sum(weights.filter(([id]) => inPartition(partition, id)))
  return partitions.map(share) as [number, number]
}

function byLetter(weights: readonly Person[], [first]: [string, string]): Outcome['letters'] {
  return LETTERS.map((letter) => ({
    letter,
    share: sum(weights.filter(([id]) => id.charAt(0).toUpperCase() === letter)),
    owner: inPartition(first, letter) ? 0 : 1,
  }))
}

function movedBy(list: readonly Person[], from: number, to: number): number {
  const [before] = partitionsOf(from)
  const [after] = partitionsOf(to)
  const total = sum(list)
  const moving = list.filter(([id]) => inPartition(before, id) !== inPartition(after, id))
  return total === 0 ? 0 : sum(moving) / total
}

function bestCut(weights: readonly Person[]): Outcome['best'] {
  const cuts = Array.from({ length: LAST_CUT + 1 }, (_, cut) => {
    const larger = Math.max(...sharesOf(weights, partitionsOf(cut)))
    return { cut, speedUp: larger > 0 ? 1 / larger : 1 }
  })
  return cuts.reduce((best, next) => (next.speedUp > best.speedUp + 1e-9 ? next : best))
}

const sum = (list: readonly Person[]): number => list.reduce((total, [, weight]) => total + weight, 0)

/** Where the names come from, for the note under the picture. */
export const SOURCES = { us: names.us.source, jp: names.jp.source }
