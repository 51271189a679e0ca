import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Rng } from '#simulate/random.ts'
import { assemble, mergeGroups, type DraftCluster } from '../../../../services/analyzer/clusters/assemble.ts'
import type { Group } from '../../../../services/analyzer/clusters/groups.ts'
import { temper } from '../../../../services/analyzer/evidence/route-mix.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { link, placeOf } from '../../../support/pair-cases.ts'
import { countsOf, modelOf, snapshotOf, strangers } from '../../../support/snapshot-cases.ts'

const ROUTES = 16
const MODEL = modelOf(snapshotOf(strangers(80, ROUTES, new Rng('far')), ROUTES))
const SHARE = TUNING.clusters.linkShareMin

const HARVEST = { 2: 40, 7: 20 } as const
const MAIL = { 11: 30, 12: 30 } as const

function group(
  apps: readonly number[],
  surpriseBits = 30,
  does: Readonly<Record<number, number>> = HARVEST,
  place = 0,
): Group {
  const mix = temper(countsOf(does), TUNING.routeMix.temper)
  const fitBits = new Map(apps.map((app) => [app, 5]))
  return { place: placeOf(apps.length, place), apps, residents: apps.length, q: 0.01, surpriseBits, mix, fitBits }
}
const merged = (groups: readonly Group[]): number[][] =>
  mergeGroups(groups, MODEL, TUNING).map((some) =>
    [...new Set(some.flatMap(({ apps }) => apps))].toSorted((x, y) => x - y),
  )
const members = (drafts: readonly DraftCluster[]): (readonly number[])[] => drafts.map(({ apps }) => apps)
const clique = (...apps: number[]): ReturnType<typeof link>[] =>
  apps.flatMap((a, i) => apps.slice(i + 1).map((b) => link(a, b)))

describe('groups', () => {
  it('that share a good part of the lesser one, and do the same, are one', () => {
    expect(merged([group([1, 2, 3, 4], 40), group([3, 4, 5], 30, HARVEST, 1)])).toEqual([[1, 2, 3, 4, 5]])
  })

  it('that share one member are two', () => {
    expect(merged([group([1, 2, 3, 4], 40), group([4, 5, 6], 30)])).toHaveLength(2)
  })

  it('that share members and do different things are two: one company with two products', () => {
    expect(merged([group([1, 2, 3, 4], 40), group([2, 3, 4], 30, MAIL)])).toHaveLength(2)
  })
})

/** Invariant 13. */
describe('a cluster', () => {
  it('is a clique of links', () => {
    expect(members(assemble([], [], [...clique(1, 2, 3), ...clique(7, 8)], SHARE))).toEqual([
      [1, 2, 3],
      [7, 8],
    ])
  })

  it('is not chained to another by one false link', () => {
    expect(members(assemble([], [], [...clique(1, 2, 3, 4), ...clique(5, 6, 7, 8), link(4, 5)], SHARE))).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ])
  })

  it('holds a group whole, without a single link, and no fragment of it', () => {
    const [draft, ...others] = assemble([[group([1, 2, 3, 4, 5, 6])]], [], clique(2, 3), SHARE)
    expect(draft?.apps).toEqual([1, 2, 3, 4, 5, 6])
    expect(draft?.links).toHaveLength(1)
    expect(others).toEqual([])
  })

  it('takes in whom enough of its members are linked with', () => {
    const links = [1, 2].map((app) => link(app, 9))
    expect(members(assemble([[group([1, 2, 3, 4])]], [], links, SHARE))).toEqual([[1, 2, 3, 4, 9]])
    expect(members(assemble([[group([1, 2, 3, 4, 5, 6, 7])]], [], links, SHARE))).toEqual([[1, 2, 3, 4, 5, 6, 7]])
  })

  it('of an app in two groups is that of the more surprising', () => {
    const strong = group([1, 2, 3, 4], 90)
    const weak = group([4, 5, 6], 25, MAIL)
    const drafts = assemble(mergeGroups([weak, strong], MODEL, TUNING), [], [], SHARE)
    expect(members(drafts)).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ])
  })

  it('is a ring that shares nothing but time; who is in a group stays there', () => {
    expect(members(assemble([], [[5, 6, 8]], [], SHARE))).toEqual([[5, 6, 8]])
    expect(members(assemble([[group([1, 2, 3])]], [[3, 5, 6]], [], SHARE))).toEqual([
      [1, 2, 3],
      [5, 6],
    ])
    expect(members(assemble([[group([1, 2, 3])]], [[2, 3, 5]], [], SHARE))).toEqual([[1, 2, 3]])
  })

  it('of nothing is none', () => {
    expect(assemble([], [], [], SHARE)).toEqual([])
    expect(mergeGroups([], MODEL, TUNING)).toEqual([])
  })
})

describe('clusters', () => {
  const anyLinks = fc.uniqueArray(
    fc.record({
      ends: fc.uniqueArray(fc.nat(13), { minLength: 2, maxLength: 2 }),
      bits: fc.integer({ min: 1, max: 4 }),
    }),
    { selector: ({ ends: [a = 0, b = 0] }) => (a < b ? a * 20 + b : b * 20 + a), maxLength: 40 },
  )
  const anyGroups = fc.array(
    fc.record({
      apps: fc.uniqueArray(fc.nat(13), { minLength: 3, maxLength: 6 }).map((apps) => apps.toSorted((x, y) => x - y)),
      does: fc.constantFrom(HARVEST, MAIL),
    }),
    { maxLength: 3 },
  )
  const input = fc.record({ links: anyLinks, groups: anyGroups })

  it('do not depend on the order of links and groups', () => {
    const orders = input.chain((some) =>
      fc.record({
        some: fc.constant(some),
        links: fc.shuffledSubarray(some.links, { minLength: some.links.length, maxLength: some.links.length }),
        turned: fc.boolean(),
      }),
    )
    fc.assert(
      fc.property(orders, ({ some, links, turned }) => {
        const groups = some.groups.map(({ apps, does }, i) => group(apps, 30 + i, does, i))
        const made = (list: typeof links, all: readonly Group[]): (readonly number[])[] =>
          members(
            assemble(
              mergeGroups(all, MODEL, TUNING),
              [],
              list.map(({ ends: [a = 0, b = 0], bits }) => link(a, b, bits)),
              SHARE,
            ),
          )
        expect(made(links, turned ? groups.toReversed() : groups)).toEqual(made(some.links, groups))
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('share no app, are of two at least, and hold only apps that something linked', () => {
    fc.assert(
      fc.property(input, ({ links, groups }) => {
        const all = groups.map(({ apps, does }, i) => group(apps, 30 + i, does, i))
        const drafts = assemble(
          mergeGroups(all, MODEL, TUNING),
          [],
          links.map(({ ends: [a = 0, b = 0] }) => link(a, b)),
          SHARE,
        )
        const apps = members(drafts).flat()
        expect(new Set(apps).size).toBe(apps.length)
        for (const draft of drafts) expect(draft.apps.length).toBeGreaterThanOrEqual(2)
        const known = new Set([...links.flatMap(({ ends }) => ends), ...groups.flatMap((one) => one.apps)])
        expect(apps.filter((app) => !known.has(app))).toEqual([])
      }),
      { seed: 2 },
    )
  })
})
