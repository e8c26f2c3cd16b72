import { Random } from '../../../harness/random.ts'

/** Numbers 0 ≤ x < 1 that a seed repeats: a simulation shows the same run to everybody, and tells it in its text. */
export function randomFrom(seed: number): () => number {
  const random = new Random(seed)
  return () => random.next()
}
