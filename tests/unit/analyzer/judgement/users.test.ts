import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clusterPortions } from '../../../../services/analyzer/judgement/portions.ts'
import { sharedUserShare, userJaccard } from '../../../../services/analyzer/judgement/users.ts'

const anyUsers = fc.array(fc.subarray(['dev', 'stg', 'prod'], { minLength: 1 }))

describe('users of a cluster', () => {
  it('are shared when several apps act for them', () => {
    expect(sharedUserShare([['a'], ['a', 'b'], ['b'], ['a', 'b', 'c']])).toBe(0.5)
    expect(sharedUserShare([['a']])).toBe(0)
    expect(sharedUserShare([])).toBeNull()
  })

  it('of two sides have the Jaccard index of the two sets', () => {
    fc.assert(
      fc.property(anyUsers, fc.subarray(['dev', 'stg']), (users, some) => {
        const side = (of: (app: string) => boolean): Set<number> =>
          new Set(users.flatMap((apps, user) => (apps.some(of) ? [user] : [])))
        const [one, other] = [side((app) => some.includes(app)), side((app) => !some.includes(app))]
        const plain = one.size === 0 || other.size === 0 ? null : one.intersection(other).size / one.union(other).size
        expect(userJaccard(users, new Set(some))).toBe(plain)
      }),
      { seed: 1 },
    )
  })
})

describe('portions of clusters', () => {
  it('hold every app once beside the number of its cluster, and never cut a cluster', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 8 })
    fc.assert(
      fc.property(sizes, (some) => {
        const clusters = some.map((size, i) => Array.from({ length: size }, (_, k) => `${i}/${k}`))
        const portions = clusterPortions(clusters)
        expect(portions.flatMap(({ apps }) => apps)).toEqual(clusters.flat())
        for (const { apps, clusters: numbers } of portions) {
          expect(apps.map((app) => Number(app.split('/')[0]))).toEqual(numbers)
          for (const number of new Set(numbers))
            expect(numbers.filter((n) => n === number)).toHaveLength(some[number] ?? -1)
        }
      }),
      { seed: 2, numRuns: 50 },
    )
  })

  it('of nothing are none', () => {
    expect(clusterPortions([])).toEqual([])
  })
})
