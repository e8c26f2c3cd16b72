import { describe, expect, it } from 'vitest'
import { simulate, type Settings } from './model.ts'

const M = 12
const settings: Settings = {
  population: 'uniform',
  own: '',
  cut: M,
  requestsPerSecond: 300,
  capacity: 200,
  celebrity: false,
}

describe('cut the alphabet', () => {
  it('halves a population whose letters are all as frequent', () => {
    const { shares, speedUp, partitions } = simulate(settings)
    expect(partitions).toEqual(['A-M', 'N-Z'])
    expect(shares[0]).toBeCloseTo(0.5)
    expect(speedUp).toBeCloseTo(2)
  })

  it('leans to opposite sides in two markets', () => {
    const us = simulate({ ...settings, population: 'us' })
    const jp = simulate({ ...settings, population: 'jp' })
    expect(us.shares[0]).toBeCloseTo(13 / 20)
    expect(us.speedUp).toBeCloseTo(1.54, 2)
    expect(jp.shares[0]).toBeCloseTo(0.27, 2)
    expect(jp.speedUp).toBeCloseTo(1.38, 2)
  })

  it('never divides one celebrity', () => {
    const alone = simulate({ ...settings, population: 'own', own: 'kim kate', celebrity: true })
    expect(alone.best.speedUp).toBeCloseTo(1)
    expect(alone.shares).toEqual([1, 0])
  })

  it('says how many users change server when the cut moves', () => {
    expect(simulate({ ...settings, population: 'us', movedFrom: M, cut: 17 }).moved).toBeCloseTo(3 / 20)
    expect(simulate({ ...settings, cut: M + 1, movedFrom: M }).moved).toBeCloseTo(1 / 26)
  })

  it('refuses ids that no server owns', () => {
    expect(simulate({ ...settings, population: 'own', own: 'alice 9lives _root Zoë zoe' }).refused).toEqual([
      '9lives',
      '_root',
      'Zoë',
    ])
  })

  it('marks the server that gets more than it can carry', () => {
    expect(simulate({ ...settings, population: 'jp' }).overloaded).toEqual([false, true])
  })
})
