import { describe, expect, it } from 'vitest'
import { place, simulate, type Settings } from './model.ts'

const settings: Settings = {
  rule: 'write-back',
  write: 3,
  read: 3,
  sides: ['A', 'A', 'A', 'B', 'B'],
  reached: 0,
}

describe('cut the wire', () => {
  it('places keys by what stands between the first braces', () => {
    const keys = ['foo', '{user1000}.following', '{user1000}.followers', 'foo{}{bar}', 'foo{{bar}}zap']
    const placed = place(keys, [5462, 10_924])
    expect(placed[0]!.slot).toBe(12_182)
    expect(placed[1]!.slot).toBe(placed[2]!.slot)
    expect(placed.map(({ part }) => part)).toEqual(['foo', 'user1000', 'user1000', 'foo{}{bar}', '{bar'])
    expect(placed[0]!.node).toBe(2)
  })

  it('refuses the smaller side, and loses nothing', () => {
    const result = simulate(settings)
    expect(result.writes.map(({ outcome }) => outcome)).toEqual(['acknowledged', 'not_written'])
    expect(result.answers).toEqual([1000])
    expect(result).toMatchObject({ splitBrain: false, lost: false, resurrected: false, backward: false })
  })

  it('makes both clients happy with a majority of the healthy nodes, and that is the fault', () => {
    const rules = ['healthy', 'clock', 'two-rounds', 'write-back'] as const
    expect(rules.filter((rule) => simulate({ ...settings, rule }).splitBrain)).toEqual(['healthy'])
    expect(simulate({ ...settings, rule: 'healthy' })).toMatchObject({ lost: true, answers: [1000, 2000] })
  })

  it('brings a refused write back where versions come from a clock', () => {
    expect(simulate({ ...settings, rule: 'clock' })).toMatchObject({ resurrected: true })
  })

  it('reads new, then old, without write-back', () => {
    const dying = { ...settings, reached: 1 }
    expect(simulate({ ...dying, rule: 'two-rounds' })).toMatchObject({
      backward: true,
      answers: [1000, 3000],
    })
    expect(simulate(dying).backward).toBe(false)
  })

  it('lets reads go back as soon as W + R is no more than N, whatever readers write back', () => {
    expect(simulate({ ...settings, read: 2 })).toMatchObject({
      meets: false,
      backward: true,
      answers: [1000, 2000],
    })
    const unequal = simulate({ ...settings, write: 4, read: 2, sides: ['A', 'A', 'A', 'A', 'B'] })
    expect(unequal).toMatchObject({ meets: true, lost: false, backward: false, answers: [1000] })
  })
})
