import { describe, expect, it } from 'vitest'
import { LOCK_TTL_MS, simulate, type Settings } from './model.ts'

const naive: Settings = {
  readers: 200,
  deltaMs: 300,
  ttl: 60,
  servers: 4,
  capacity: 4,
  flight: false,
  lock: false,
  stale: false,
  beta: 0,
  limit: false,
  happening: 'expiry',
  seed: 1,
}
const run = (change: Partial<Settings>) => simulate({ ...naive, ...change })

describe('the sixtieth second', () => {
  it('costs readers × computation time without protection', () => {
    const { computations } = run({ capacity: 1000 })
    expect(computations).toBeGreaterThan(200 * 0.3 - 5)
    expect(computations).toBeLessThan(200 * 0.3 + 8)
  })

  it('never ends where Postgres is full', () => {
    const { filledAt, computations } = run({})
    expect(filledAt).toBeUndefined()
    expect(computations).toBeGreaterThan(3900)
  })

  it('costs one computation a server with single flight, and one with the lock', () => {
    expect(run({ flight: true }).computations).toBe(4)
    expect(run({ flight: true, servers: 9, capacity: 9 }).computations).toBe(9)
    expect(run({ lock: true }).computations).toBe(1)
    expect(run({ lock: true, flight: true }).mostRunning).toBe(1)
  })

  it('lets nobody wait where the old value is served', () => {
    const { mostWaiting, longestWaitMs, oldestMs } = run({ lock: true, flight: true, stale: true })
    expect([mostWaiting, longestWaitMs]).toEqual([0, 0])
    expect(oldestMs).toBeGreaterThan(60_000)
  })
})

describe('early refresh', () => {
  const early = { beta: 1, lock: true, flight: true } as const

  it('begins earlier where the computation is slow, without being told', () => {
    const quick = run({ ...early, deltaMs: 100 }).firstAt!
    const slow = run({ ...early, deltaMs: 1500 }).firstAt!
    expect(quick).toBeLessThan(0)
    expect(slow).toBeLessThan(quick)
    expect(run({ ...early, deltaMs: 300 }).mostWaiting).toBe(0)
  })

  it('does not fire where hardly anybody reads', () => {
    expect(run({ ...early, readers: 1, deltaMs: 50 }).firstAt).toBeGreaterThanOrEqual(0)
  })
})

describe('what breaks', () => {
  it('makes readers wait for the expiry of a lock whose holder is dead', () => {
    const { computations, longestWaitMs } = run({ lock: true, flight: true, happening: 'killed' })
    expect(computations).toBe(2)
    expect(longestWaitMs).toBeGreaterThan(LOCK_TTL_MS - 500)
  })

  it('keeps Postgres flat without Redis where the queue is bounded, and refuses the rest', () => {
    const away = { happening: 'redis', lock: true, flight: true } as const
    const bounded = run({ ...away, limit: true })
    expect(bounded.mostRunning).toBe(4)
    expect(bounded.refused).toBeGreaterThan(2000)
    expect(run(away).mostRunning).toBeGreaterThan(1000)
  })
})
