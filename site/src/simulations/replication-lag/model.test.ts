import { describe, expect, it } from 'vitest'
import { oneSession, totals, type Settings } from './model.ts'

const settings: Settings = { policy: 'none', lags: [800, 800], paused: [false, false], servers: 2, seed: 1 }
const clock: Settings = { ...settings, policy: 'clock' }

describe('where is my order', () => {
  it('loses the order without any policy', () => {
    expect(totals(settings).stale).toBeGreaterThan(0)
    expect(totals({ ...settings, lags: [800, 3000] }).back).toBeGreaterThan(0)
  })

  it('is right with the clock on one server and wrong on two', () => {
    expect(totals({ ...clock, servers: 1 }).stale).toBe(0)
    expect(totals(clock).stale).toBe(34)
  })

  it('is wrong with the clock once the lag is longer than its second', () => {
    for (const servers of [1, 2] as const)
      expect(totals({ ...clock, lags: [1500, 1500], servers }).stale).toBeGreaterThan(0)
  })

  it('reads the primary for a second for nothing', () => {
    const quick: Settings = { ...clock, lags: [50, 50], servers: 1 }
    // The first three of the buyer's twenty reads, in each of 25 sessions.
    expect(totals(quick).primary).toBe(75)
    expect(totals({ ...quick, policy: 'token' }).primary).toBe(0)
    expect(totals({ ...quick, policy: 'primary' }).primary).toBe(500)
  })

  it('never shows the buyer something stale with a token, whatever the lag', () => {
    for (const policy of ['token', 'monotonic'] as const)
      for (const lag of [0, 100, 800, 1500, 5000])
        expect(totals({ ...settings, policy, lags: [lag, lag / 2], paused: [false, lag > 1000] }).stale).toBe(
          0,
        )
  })

  it('takes a reader back in time unless reads give tokens, too', () => {
    const apart: Settings = { ...settings, lags: [50, 50], paused: [false, true] }
    expect(totals({ ...apart, policy: 'token' }).back).toBe(237)
    expect(totals({ ...apart, policy: 'monotonic' }).back).toBe(0)
  })

  it('repeats itself for a seed', () => {
    expect(oneSession(settings)).toEqual(oneSession(settings))
  })
})
