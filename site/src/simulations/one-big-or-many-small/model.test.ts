import { describe, expect, it } from 'vitest'
import { simulate, waitingTime, type Settings } from './model.ts'

const BIG: Settings = {
  load: 300,
  ms: 20,
  cores: 8,
  machines: 1,
  premium: 15,
  pool: 10,
  maxConnections: 100,
  databaseSlots: 8,
  event: 'none',
}
const SMALL: Settings = { ...BIG, cores: 2, machines: 4 }

describe('one big or many small', () => {
  it('carries as much with one machine of eight cores as with four of two', () => {
    expect(simulate(BIG).appCapacity).toBe(400)
    expect(simulate(SMALL).appCapacity).toBe(400)
  })

  it('waits longer in four queues than in one', () => {
    expect(simulate(BIG).waitMs!).toBeCloseTo(3.6, 1)
    expect(simulate(SMALL).waitMs!).toBeCloseTo(25.7, 1)
    // One server: the textbook formula, load / (1 - load) service times.
    expect(waitingTime(1, 25, 20)).toBeCloseTo(20)
    expect(waitingTime(2, 100, 20)).toBeUndefined()
  })

  it('loses everything with one machine, a quarter with one of four', () => {
    expect(simulate({ ...BIG, event: 'kill' }).failing).toBe(1)
    expect(simulate({ ...SMALL, event: 'kill' }).failing).toBeCloseTo(0.25)
  })

  it('deploys without a loss if the other three carry the load', () => {
    expect(simulate({ ...BIG, event: 'deploy' }).failing).toBe(1)
    expect(simulate({ ...SMALL, event: 'deploy' }).failing).toBeCloseTo(0)
    expect(simulate({ ...SMALL, load: 400, event: 'deploy' }).failing).toBeCloseTo(0.25)
  })

  it('charges more for a core of a big machine', () => {
    expect(simulate(SMALL).price).toBe(8)
    expect(simulate(BIG).price).toBeCloseTo(8 * 1.15 ** 2)
  })

  it('gains nothing from the fifth machine: the database is full', () => {
    const busy = { ...SMALL, load: 3000, ms: 5 }
    expect(simulate({ ...busy, machines: 3 }).gainOfNext).toBe(400)
    expect(simulate({ ...busy, machines: 4 }).gainOfNext).toBe(0)
    expect(simulate({ ...busy, machines: 4 }).throughput).toBe(1600)
  })

  it('refuses connections of the tenth machine, which adds nothing', () => {
    const ten = simulate({ ...SMALL, load: 2000, machines: 10, ms: 5, databaseSlots: 8 })
    expect(ten.connections).toEqual({ wanted: 100, allowed: 97, granted: 97, refused: 3 })
    expect(ten.throughput).toBe(1600)
    expect(simulate({ ...SMALL, load: 2000, machines: 9, ms: 5 }).gainOfNext).toBe(0)
  })

  it('gives the workers of an instance its pool, and no more', () => {
    expect(simulate({ ...SMALL, cores: 4, pool: 10 }).workers).toEqual([3, 3, 2, 2])
    expect(simulate({ ...BIG, pool: 4 }).workers).toEqual([1, 1, 1, 1, 0, 0, 0, 0])
  })
})
