import { describe, expect, it } from 'vitest'
import { SAMPLES, simulate, throughput, type SampleName, type Settings } from './model.ts'

const settings: Settings = {
  sql: SAMPLES.read.sql,
  strong: false,
  readPercent: 90,
  replicas: 2,
  capacity: 1000,
  replayPercent: 0,
}
const routes = (name: SampleName) => {
  const { gateway, seed } = simulate({ ...settings, sql: SAMPLES[name].sql })
  return [gateway.to, seed]
}

describe('where does it go', () => {
  it('sends a plain read to the replicas, and a strong one to the primary', () => {
    expect(routes('read')).toEqual(['cost', 'replicas'])
    expect(simulate({ ...settings, strong: true }).gateway).toEqual({ to: 'primary', because: 'strong' })
  })

  it('sees the write behind a comment, and none in a literal', () => {
    expect(routes('comment')).toEqual(['primary', 'replicas'])
    expect(routes('literal')).toEqual(['cost', 'replicas'])
  })

  it('never asks a replica for an advisory lock, and never changes a shared connection', () => {
    expect(routes('advisory')).toEqual(['primary', 'replicas'])
    expect(routes('begin')).toEqual(['refused', 'replicas'])
  })

  it('leaves to the replica to refuse what only the replica can know', () => {
    for (const name of ['cte', 'function', 'locking'] as const) {
      expect(routes(name)).toEqual(['cost', 'replicas'])
      expect(SAMPLES[name].onReplica).toBe('refuses')
    }
  })
})

describe('how far does it scale', () => {
  it('gains nothing from the tenth replica at 90 % reads', () => {
    expect(throughput(settings, 9)).toBeCloseTo(10_000)
    expect(throughput(settings, 10)).toBeCloseTo(10_000)
  })

  it('gains nothing from the second one at 50 %', () => {
    const half = { ...settings, readPercent: 50 }
    expect(throughput(half, 1)).toBeCloseTo(2000)
    expect(throughput(half, 2)).toBeCloseTo(2000)
  })

  it('gains nothing from the first one if all are reads', () => {
    expect(throughput({ ...settings, readPercent: 100 }, 1)).toBe(1000)
    expect(throughput({ ...settings, readPercent: 100 }, 3)).toBe(3000)
  })

  it('pays for replaying every write on every replica', () => {
    const paid = simulate({ ...settings, readPercent: 80, replayPercent: 50, replicas: 4 })
    expect(paid.throughput).toBeCloseTo(1000 / (0.2 + 0.1))
    expect(paid.replicaLoad).toBeCloseTo(1)
    expect(paid.primaryLoad).toBeCloseTo(2 / 3)
    expect(paid.ceiling).toBeCloseTo(5000)
  })
})
