import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSuccession, type SuccessionRow } from '../../../../services/analyzer/clusters/succession.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'

describe('a move from an old app to its successor', () => {
  const row: SuccessionRow = {
    app_a: 'a',
    app_b: 'b',
    precedence: 0.5,
    trend: 0,
    common_users: 0,
    moved_ab: 0,
    moved_ba: 0,
    undecided: 0,
  }
  const moves = (more: Partial<SuccessionRow>): boolean => isSuccession({ ...row, ...more }, TUNING)

  it('is one app after the other, in either order', () => {
    expect(moves({ precedence: 0.99 })).toBe(true)
    expect(moves({ precedence: 0.01 })).toBe(true)
  })

  it('is not two apps side by side', () => {
    expect(moves({})).toBe(false)
    expect(moves({ precedence: 0.94 })).toBe(false)
    expect(moves({ precedence: 0.06 })).toBe(false)
  })

  it('is traffic that goes over little by little, in either direction', () => {
    expect(moves({ trend: 0.8 })).toBe(true)
    expect(moves({ trend: -0.8 })).toBe(true)
    expect(moves({ trend: 0.79 })).toBe(false)
  })

  it('is users who went over one way, one after another', () => {
    expect(moves({ common_users: 40, moved_ab: 37, undecided: 1 })).toBe(true)
    expect(moves({ common_users: 40, moved_ba: 37, undecided: 1 })).toBe(true)
  })

  it('is not users who go back and forth, nor too few to tell', () => {
    expect(moves({ common_users: 40, moved_ab: 20, moved_ba: 18 })).toBe(false)
    expect(moves({ common_users: 7, moved_ab: 7 })).toBe(false)
    expect(moves({ common_users: 40, moved_ab: 5, undecided: 35 })).toBe(false)
  })

  it('does not depend on which app is called a', () => {
    const rows = fc.record({
      precedence: fc.double({ min: 0, max: 1, noNaN: true }),
      trend: fc.double({ min: -1, max: 1, noNaN: true }),
      moved_ab: fc.nat(30),
      moved_ba: fc.nat(30),
      undecided: fc.nat(30),
    })
    fc.assert(
      fc.property(rows, ({ precedence, trend, moved_ab, moved_ba, undecided }) => {
        const common_users = moved_ab + moved_ba + undecided
        const users = { undecided, common_users }
        const mirrored = { ...users, precedence: 1 - precedence, trend: -trend, moved_ab: moved_ba, moved_ba: moved_ab }
        expect(moves(mirrored)).toBe(moves({ ...users, precedence, trend, moved_ab, moved_ba }))
      }),
      { seed: 1 },
    )
  })
})
