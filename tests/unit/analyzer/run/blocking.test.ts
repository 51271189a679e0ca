import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockPairs, type BlockedPairs } from '../../../../services/analyzer/run/blocking.ts'
import { findPlaces } from '../../../../services/analyzer/run/places.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { countsOf, snapshotOf, type AppSketch, type UserSketch } from '../../../support/snapshot-cases.ts'

const MIX = countsOf({ 0: 50 })
const apps = (count: number, sketch: (i: number) => Partial<AppSketch> = () => ({})): AppSketch[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `app-${i}`,
    on: { [`home-${i}`]: MIX },
    more: { owner_id: '' },
    ...sketch(i),
  }))

type ByTime = Parameters<typeof blockPairs>[2]
function blocked(sketches: readonly AppSketch[], users: UserSketch = {}, byTime: ByTime = []): BlockedPairs {
  const snapshot = snapshotOf(sketches, 1, users)
  return blockPairs(snapshot, findPlaces(snapshot, TUNING.places.alikeMin), byTime, TUNING)
}
const pairsOf = ({ pairs }: BlockedPairs): string[] =>
  [...pairs.values()].map(({ a, b, rules }) => `${a}-${b} ${rules.join('+')}`).toSorted()

describe('pairs are proposed', () => {
  it('when both run at one place', () => {
    expect(pairsOf(blocked(apps(3, (i) => ({ on: { [i < 2 ? 'door' : 'home']: MIX } }))))).toEqual(['0-1 co_residents'])
  })

  it('when they serve people in common, the more the fewer apps each of these uses', () => {
    const users = { u: { 'app-0': 1, 'app-1': 1 }, v: { 'app-0': 1, 'app-1': 1 }, w: { 'app-0': 1, 'app-2': 1 } }
    expect(pairsOf(blocked(apps(3), users))).toEqual(['0-1 shared_users'])
    const everybody = Object.fromEntries(apps(TUNING.users.popularApps + 1).map(({ id }) => [id, 1]))
    expect(pairsOf(blocked(apps(TUNING.users.popularApps + 1), { a: everybody, b: everybody, c: everybody }))).toEqual(
      [],
    )
  })

  it('when the registry has one owner, name or domain for them; nothing in common is no value in common', () => {
    const called = (more: AppSketch['more']): string[] =>
      pairsOf(blocked(apps(2, () => ({ more: { owner_id: '', ...more } }))))
    expect(called({ owner_id: 'acme' })).toEqual(['0-1 same_owner'])
    expect(called({ stem: 'harvester' })).toEqual(['0-1 same_name'])
    expect(called({ domains: ['acme.com'] })).toEqual(['0-1 same_domain'])
    expect(called({ stem: '', domains: [''] })).toEqual([])
  })

  it('when one begins as the other ends, though they share nothing', () => {
    expect(pairsOf(blocked(apps(4), {}, [{ a: 1, b: 3, bits: 7 }]))).toEqual(['1-3 hand_over'])
  })

  it('once, with every rule that proposed them', () => {
    const sketches = apps(2, () => ({ on: { door: MIX }, more: { owner_id: 'acme' } }))
    expect(pairsOf(blocked(sketches, {}, [{ a: 0, b: 1, bits: 6 }]))).toEqual(['0-1 co_residents+same_owner+hand_over'])
  })

  it('from nothing, not at all', () => {
    const nothing = blocked([])
    expect(nothing.pairs.size).toBe(0)
    expect(nothing.capped.size).toBe(0)
    expect([...nothing.countByRule.values()].every((count) => count === 0)).toBe(true)
  })
})

/** Invariant 9. */
describe('a rule', () => {
  it('passes over a provider where more apps run than can be paired', () => {
    const tenants = (count: number): number => blocked(apps(count, () => ({ on: { cloud: MIX } }))).pairs.size
    expect(tenants(30)).toBe((30 * 29) / 2)
    expect(tenants(TUNING.blocking.residentsMax + 1)).toBe(0)
  })

  it('beyond its cap keeps its strongest pairs, and says how many it had', () => {
    const { pairsPerRuleMax } = TUNING.blocking
    const byTime = Array.from({ length: pairsPerRuleMax + 3 }, (_, i) => ({
      a: i,
      b: i + 1,
      bits: 5 + i / pairsPerRuleMax,
    }))
    const some = blocked([], {}, byTime)
    expect(some.capped.get('hand_over')).toBe(pairsPerRuleMax + 3)
    expect(some.countByRule.get('hand_over')).toBe(pairsPerRuleMax)
    expect(some.pairs.has('2 3')).toBe(false)
    expect(some.pairs.has('3 4')).toBe(true)
  })
})

describe('blocking', () => {
  it('names each pair once, the lesser number first, and never an app with itself, in any order of input', () => {
    const lives = fc.array(fc.subarray(['p', 'q', 'r'], { minLength: 1 }), { minLength: 2, maxLength: 8 })
    fc.assert(
      fc.property(lives, (some) => {
        const sketches = apps(some.length, (i) => ({
          on: Object.fromEntries((some[i] ?? []).map((network) => [network, MIX])),
        }))
        const snapshot = snapshotOf(sketches, 1)
        const places = findPlaces(snapshot, TUNING.places.alikeMin)
        const found = blockPairs(snapshot, places, [], TUNING)
        for (const { a, b } of found.pairs.values()) expect(a).toBeLessThan(b)
        expect(pairsOf(blockPairs(snapshot, places.toReversed(), [], TUNING))).toEqual(pairsOf(found))
      }),
      { seed: 1 },
    )
  })
})
