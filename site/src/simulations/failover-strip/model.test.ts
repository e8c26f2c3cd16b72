import { describe, expect, it } from 'vitest'
import { run, type Settings } from './model.ts'

const careful: Settings = {
  event: 'kill',
  intervalMs: 1000,
  timeoutMs: 1000,
  threshold: 3,
  observers: 3,
  quorum: 2,
  lossPer10k: 10,
  burst: 1,
  lagKb: 100,
  fence: true,
  synchronous: false,
}
/** Seed 001: every 5 s, the first miss decides, nobody is asked, nobody is fenced. */
const seed: Settings = { ...careful, intervalMs: 5000, threshold: 1, observers: 1, quorum: 1, fence: false }

describe('failover strip', () => {
  it('is slower and falser with 5 s × 1 than with 1 s × 3 × 2 of 3', () => {
    expect(run(seed).rtoMs).toBeGreaterThan(5000)
    expect(run(careful).rtoMs).toBeLessThan(3000)
    expect(run(seed).falsePerYear / 365).toBeCloseTo(17.28)
    expect(run(careful).falsePerYear).toBeLessThan(1e-6)
  })

  it('counts a burst as long as the threshold like one loss', () => {
    const alone: Settings = { ...careful, observers: 1, quorum: 1, burst: 3 }
    expect(run(alone).falsePerYear).toBeGreaterThan(30_000)
    expect(run({ ...careful, burst: 3 }).falsePerYear).toBeGreaterThan(100)
  })

  it('gives red seconds to a freeze without a fence, however good the detector is', () => {
    const quick: Settings = { ...careful, event: 'freeze', intervalMs: 50, timeoutMs: 100, fence: false }
    expect(run(quick).twoSeconds).toBe(52)
    expect(run({ ...careful, event: 'freeze', fence: false }).twoSeconds).toBe(52)
    expect(run({ ...quick, fence: true }).twoSeconds).toBe(0)
    expect(run({ ...quick, event: 'kill' }).twoSeconds).toBe(0)
  })

  it('believes one that sees nothing only where nobody else is asked', () => {
    expect(run({ ...careful, event: 'isolate' }).state).toBe('undisturbed')
    expect(run({ ...seed, event: 'isolate' }).twoSeconds).toBeGreaterThan(50)
  })

  it('takes longer for silence than for a refusal', () => {
    expect(run({ ...careful, event: 'freeze' }).rtoMs).toBeGreaterThan(run(careful).rtoMs!)
  })

  it('loses what the better replica lacks, nothing with a synchronous one, and asks above 1 MiB', () => {
    expect(run(careful).lostBytes).toBe(100 * 1024)
    expect(run({ ...careful, synchronous: true })).toMatchObject({
      lostBytes: 0,
      lostWrites: 0,
      commitMs: 10,
    })
    expect(run({ ...careful, lagKb: 1025 })).toMatchObject({ state: 'blocked', rtoMs: null, lostBytes: 0 })
    expect(run({ ...careful, lagKb: 4000, synchronous: true }).state).toBe('changed')
  })

  it('never agrees where fewer watch than must agree', () => {
    expect(run({ ...careful, observers: 1 }).state).toBe('undisturbed')
  })
})
