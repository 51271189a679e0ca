import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, Rng } from '#simulate/random.ts'
import { groupsOf, type Group, type GroupContext } from '../../../../services/analyzer/clusters/groups.ts'
import { findPlaces } from '../../../../services/analyzer/run/places.ts'
import type { Snapshot } from '../../../../services/analyzer/run/snapshot.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { drawn, modelOf, snapshotOf, strangers, taste, type AppSketch } from '../../../support/snapshot-cases.ts'

const ROUTES = 24
const BACKGROUND = strangers(150, ROUTES, new Rng('background'), 'far')
const background = snapshotOf(BACKGROUND, ROUTES)
const WORLD: GroupContext = {
  model: modelOf(background),
  tuning: TUNING,
  worldApps: BACKGROUND.map((_, i) => 1_000_000 + i),
  routes: ROUTES,
}

/** `alike` keys of one program and `others` that do each their own, at one address. */
function room(alike: number, others: number, rng: Rng, requests = 60, prefix = ''): AppSketch[] {
  const shares = taste(ROUTES, rng)
  const make = (id: string, mix: readonly number[]): AppSketch => ({
    id: `${prefix}${id}`,
    on: { [`${prefix}door`]: drawn(mix, requests, rng) },
  })
  return [
    ...Array.from({ length: alike }, (_, i) => make(`key-${i}`, shares)),
    ...Array.from({ length: others }, (_, i) => make(`own-${i}`, taste(ROUTES, rng))),
  ]
}

const groupsIn = (snapshot: Snapshot): Group[] =>
  findPlaces(snapshot, TUNING.places.alikeMin).flatMap((place) => groupsOf(place, WORLD))
const found = (sketches: readonly AppSketch[]): Group[] => groupsIn(snapshotOf(sketches, ROUTES))
const idsOf = (sketches: readonly AppSketch[], group: Group | undefined): string[] =>
  (group?.apps ?? []).map((app) => at(sketches, app).id).toSorted()
const keysOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `key-${i}`).toSorted()

/** -log2 P(X >= k), X ~ Binomial(n, q), by adding up the terms of Pascal's triangle. */
function tailBits(k: number, n: number, q: number): number {
  let row = [1]
  for (let i = 0; i < n; i += 1) row = [1, ...row.slice(1).map((value, j) => value + at(row, j)), 1]
  return -Math.log2(row.reduce((sum, ways, i) => sum + (i >= k ? ways * q ** i * (1 - q) ** (n - i) : 0), 0))
}

/** Invariants 10 and 11: the null is strangers with mixes of their own, at this place. */
describe('a group', () => {
  it('is the keys behind one door that do the same while nobody else does', () => {
    const sketches = room(8, 6, new Rng('machine room'))
    const [group] = found(sketches)
    expect(idsOf(sketches, group)).toEqual(keysOf(8))
    expect(group?.surpriseBits).toBeGreaterThan(TUNING.groups.surpriseMin)
    for (const fit of group?.fitBits.values() ?? []) expect(fit).toBeGreaterThan(0)
  })

  it('surprises as much as a plain binomial tail says', () => {
    for (const group of found(room(6, 9, new Rng('tail')))) {
      expect(group.surpriseBits).toBeCloseTo(tailBits(group.apps.length - 1, group.residents - 1, group.q), 6)
    }
  })

  it('surprises more the more keys there are', () => {
    const bits = [3, 6, 10, 16].map((keys) => found(room(keys, 5, new Rng('grows')))[0]?.surpriseBits ?? 0)
    expect(bits.toSorted((x, y) => x - y)).toEqual(bits)
  })

  it('is no member of another: two programs behind one door are two groups', () => {
    const rng = new Rng('two')
    const sketches = [...room(7, 0, rng), ...room(6, 4, rng).map(({ id, on }) => ({ id: `second ${id}`, on }))]
    const groups = found(sketches).filter((group) => group.apps.length >= 5)
    expect(groups.map((group) => idsOf(sketches, group))).toEqual(
      expect.arrayContaining([keysOf(7), keysOf(6).map((id) => `second ${id}`)]),
    )
    const all = found(sketches).flatMap(({ apps }) => apps)
    expect(new Set(all).size).toBe(all.length)
  })

  it('of strangers never surprises: 200 draws of rooms of three to fourteen', () => {
    const bits = Array.from({ length: 200 }, (_, draw) => {
      const rng = new Rng(`strangers/${draw}`)
      const groups = found(room(0, rng.between(3, 14), rng, rng.between(10, 200)))
      return Math.max(0, ...groups.filter(({ apps }) => apps.length >= 3).map((group) => group.surpriseBits))
    })
    expect(Math.max(...bits)).toBeLessThan(TUNING.groups.surpriseMin)
  })

  it('of what everybody does is no surprise', () => {
    const rng = new Rng('everybody')
    const shares = taste(ROUTES, rng)
    const crowd = Array.from({ length: 150 }, (_, i) => ({
      id: `a${i}`,
      on: { [`home-${i}`]: drawn(shares, 60, rng) },
    }))
    const usual = { ...WORLD, model: modelOf(snapshotOf(crowd, ROUTES)) }
    const tenants = snapshotOf(
      Array.from({ length: 6 }, (_, i) => ({ id: `t${i}`, on: { host: drawn(shares, 60, rng) } })),
      ROUTES,
    )
    const groups = findPlaces(tenants, TUNING.places.alikeMin).flatMap((place) => groupsOf(place, usual))
    for (const { surpriseBits } of groups) expect(surpriseBits).toBeLessThan(1)
  })

  it('does not depend on the order in which apps and their streams come', () => {
    const sketches = [...room(7, 5, new Rng('one'), 60, 'x'), ...room(4, 9, new Rng('other'), 60, 'y')]
    const plain = snapshotOf(sketches, ROUTES)
    const known = groupsIn(plain)
    const order = fc.shuffledSubarray([...sketches.keys()], { minLength: sketches.length, maxLength: sketches.length })
    fc.assert(
      fc.property(order, (apps) => {
        const streamsOf = plain.streamsOf.map((streams) =>
          streams.toSorted((x, y) => apps.indexOf(x.app) - apps.indexOf(y.app)),
        )
        expect(groupsIn({ ...plain, streamsOf })).toEqual(known)
      }),
      { seed: 1, numRuns: 20 },
    )
  })

  it('has the same members whatever the apps are called', () => {
    const sketches = room(8, 6, new Rng('machine room'))
    const other = sketches.toReversed()
    expect(idsOf(other, found(other)[0])).toEqual(keysOf(8))
  })

  it('is not drawn from an empty place, one resident, or streams of a few requests', () => {
    const rng = new Rng('empty')
    expect(found([])).toEqual([])
    expect(groupsOf({ id: 0, networks: [], streams: [], residents: [] }, WORLD)).toEqual([])
    expect(found(room(9, 0, rng, TUNING.groups.requestsMin - 1))).toEqual([])
    const [place] = findPlaces(snapshotOf(room(2, 0, rng), ROUTES), TUNING.places.alikeMin)
    if (place === undefined) throw new Error('two apps on one network are a place')
    expect(groupsOf({ ...place, residents: place.residents.slice(0, 1) }, WORLD)).toEqual([])
  })
})
