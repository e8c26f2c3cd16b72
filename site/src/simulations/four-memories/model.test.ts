import { describe, expect, it } from 'vitest'
import { simulate, UNPLUG, type Settings } from './model.ts'

const settings: Settings = {
  servers: 4,
  readsPerSecond: 200,
  keys: 100,
  popularity: 1,
  writesPerSecond: 5,
  l1TtlMs: 60_000,
  delayMs: 1,
  lossPercent: 0,
  mode: 'versions',
  unplugged: false,
  seed: 1,
}
const seeds = [1, 2, 3, 4, 5]
const each = (change: Partial<Settings>) => seeds.map((seed) => simulate({ ...settings, ...change, seed }))

describe('four memories', () => {
  it('hits L1 less with more servers, and L2 makes up for it', () => {
    const rates = [1, 2, 4, 8].map((servers) => simulate({ ...settings, servers }))
    const l1 = rates.map((rate) => rate.l1)
    expect(l1).toEqual(l1.toSorted((a, b) => b - a))
    expect(l1[0]! - l1[3]!).toBeGreaterThan(0.15)
    const both = rates.map((rate) => rate.l1 + rate.l2)
    expect(Math.max(...both) - Math.min(...both)).toBeLessThan(0.05)
  })

  it('is stale for as long as L1_TTL where nobody is told', () => {
    for (const l1TtlMs of [500, 1000, 4000])
      for (const { stale, oldestMs } of each({ mode: 'none', l1TtlMs })) {
        expect(stale).toBeGreaterThan(0)
        expect(oldestMs).toBeLessThanOrEqual(l1TtlMs + 25)
      }
    const [first] = each({ mode: 'none', l1TtlMs: 4000 })
    expect(first!.oldestMs).toBeGreaterThan(1000)
  })

  it('is stale no longer than a message takes where everything is connected', () => {
    for (const { oldestMs } of each({ delayMs: 50 })) expect(oldestMs).toBeLessThanOrEqual(50)
  })

  it('a lost connection costs L1_TTL without a flush, and its own length with one', () => {
    const busy = { unplugged: true, writesPerSecond: 20, keys: 20, delayMs: 0 }
    const without = each({ ...busy, mode: 'pubsub' })
    const flushed = each({ ...busy, mode: 'versions' })
    const staleAfter = (lanes: readonly string[][]) =>
      lanes[UNPLUG.server]!.slice(UNPLUG.until / 250).filter((seen) => seen === 'stale').length
    expect(without.some(({ lanes }) => staleAfter(lanes) > 10)).toBe(true)
    for (const { lanes, oldestMs } of flushed) {
      expect(staleAfter(lanes)).toBe(0)
      expect(oldestMs).toBeLessThanOrEqual(1000)
    }
  })

  it('versions matter when a fill and a write overlap, and then for good', () => {
    const overlapping = { servers: 4, keys: 400, popularity: 0.8, writesPerSecond: 50, readsPerSecond: 500 }
    const flush = each({ ...overlapping, mode: 'flush' })
    expect(Math.max(...flush.map(({ oldestMs }) => oldestMs))).toBeGreaterThan(1000)
    for (const { oldestMs } of each({ ...overlapping, mode: 'versions' }))
      expect(oldestMs).toBeLessThanOrEqual(1)
  })

  it('repeats itself for a seed', () => {
    expect(simulate(settings)).toEqual(simulate(settings))
  })
})
