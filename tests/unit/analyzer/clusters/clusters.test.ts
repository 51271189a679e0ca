import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findClusters } from '../../../../services/analyzer/clusters/clusters.ts'
import { communities, groupByCommunity, type Edge } from '../../../../services/analyzer/clusters/communities.ts'
import type { PairScore } from '../../../../services/analyzer/evidence/bits.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { clique, score } from '../../../support/analyzer-cases.ts'

const SEED = TUNING.clusters.louvainSeed
const groups = (edges: readonly Edge[]): string[][] => groupByCommunity(communities(edges, SEED, 1))
const members = (scores: readonly PairScore[]): (readonly string[])[] =>
  findClusters(scores, TUNING).map((cluster) => cluster.apps)

const letters = Array.from('abcdefghijklmnop')
const edgeOf = ([a, b]: readonly string[], weight: number): Edge => ({ a: a ?? '', b: b ?? '', weight })
/** Graphs of up to 16 apps without double edges. */
const graphs = fc.uniqueArray(
  fc.record({
    ends: fc.uniqueArray(fc.constantFrom(...letters), { minLength: 2, maxLength: 2 }).map((ends) => ends.toSorted()),
    weight: fc.double({ min: 0.1, max: 12, noNaN: true }),
  }),
  { selector: ({ ends }) => ends.join(''), maxLength: 60 },
)

describe('communities', () => {
  it('are the same for the same edges, in whatever order they come', () => {
    const shuffled = graphs.chain((graph) =>
      fc.tuple(fc.constant(graph), fc.shuffledSubarray(graph, { minLength: graph.length, maxLength: graph.length })),
    )
    fc.assert(
      fc.property(shuffled, ([graph, other]) => {
        const [one, two] = [graph, other].map((list) => groups(list.map(({ ends, weight }) => edgeOf(ends, weight))))
        expect(two).toEqual(one)
        expect(one?.flat().toSorted()).toEqual([...new Set(graph.flatMap(({ ends }) => ends))].toSorted())
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('of two cliques with one weak edge between them are the two cliques', () => {
    const dense = [...clique(['a', 'b', 'c', 'd']), ...clique(['w', 'x', 'y', 'z'])].map(({ pair }) => ({
      a: pair.a,
      b: pair.b,
      weight: 6,
    }))
    expect(groups([...dense, { a: 'd', b: 'w', weight: 3.2 }])).toEqual([
      ['a', 'b', 'c', 'd'],
      ['w', 'x', 'y', 'z'],
    ])
  })

  it('of nothing are none', () => {
    expect(groups([])).toEqual([])
  })
})

const corner = (bits: number): string => `cube-${bits}`

describe('clusters', () => {
  it('are the cliques of linked apps', () => {
    expect(members([...clique(['a', 'b', 'c']), ...clique(['x', 'y'])])).toEqual([
      ['a', 'b', 'c'],
      ['x', 'y'],
    ])
  })

  /** Invariant 13. */
  it('a single false link does not join two groups', () => {
    const scores = [...clique(['a', 'b', 'c', 'd']), ...clique(['w', 'x', 'y', 'z']), score('d', 'w')]
    expect(members(scores)).toEqual([
      ['a', 'b', 'c', 'd'],
      ['w', 'x', 'y', 'z'],
    ])
  })

  it('a member that is linked to one of five only is ejected', () => {
    const scores = [...clique(['a', 'b', 'c', 'd', 'e']), score('e', 'stranger'), ...clique(['x', 'y', 'z'])]
    expect(members(scores)).toEqual([
      ['a', 'b', 'c', 'd', 'e'],
      ['x', 'y', 'z'],
    ])
  })

  it('a loose group in which nobody is linked to most others is none', () => {
    // A cube: eight apps, each linked to three of the seven others. The clique makes the platform large enough to keep it together.
    const cube = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((from) =>
      [1, 2, 4].filter((bit) => (from & bit) === 0).map((bit) => score(corner(from), corner(from | bit))),
    )
    const dense = letters.slice(0, 8)
    expect(members([...cube, ...clique(dense)])).toEqual([dense])
    expect(
      communities(
        [...cube, ...clique(dense)].map(({ pair }) => edgeOf([pair.a, pair.b], 6)),
        SEED,
        1,
      ).size,
    ).toBe(16)
  })

  it('two apps alone must be surer than three, which bear each other out', () => {
    const sure = { network: 8, behaviour: 4 }
    expect(members(clique(['a', 'b'], sure))).toEqual([])
    expect(members(clique(['a', 'b', 'c'], sure))).toEqual([['a', 'b', 'c']])
    expect(members(clique(['a', 'b'], { network: 8, behaviour: 6 }))).toEqual([['a', 'b']])
  })

  it('a chain of links is no cluster of all its apps', () => {
    const chain = letters.slice(0, 12).flatMap((a, i) => {
      const b = letters[i + 1]
      return b === undefined || i === 11 ? [] : [score(a, b)]
    })
    for (const group of members(chain)) expect(group.length).toBeLessThanOrEqual(4)
  })

  it('pairs that are not linked make none', () => {
    expect(members(clique(['a', 'b', 'c'], { network: 8 }))).toEqual([])
    expect(members(clique(['a', 'b', 'c'], { network: 5, behaviour: 3 }))).toEqual([])
    expect(members([])).toEqual([])
  })

  it('know of each member how sure it is, and are as sure as their members in the middle', () => {
    const [cluster] = findClusters(clique(['a', 'b', 'c'], { network: 8, behaviour: 4 }), TUNING)
    expect(cluster?.probability).toBeCloseTo(16 / 17, 12)
    expect([...(cluster?.memberProbability ?? [])].map(([app]) => app)).toEqual(['a', 'b', 'c'])
    for (const probability of cluster?.memberProbability.values() ?? []) expect(probability).toBeCloseTo(16 / 17, 12)
    expect(cluster?.scores).toHaveLength(3)
  })

  it('a link that the gate refuses makes a member no surer than a coin', () => {
    const scores = [
      ...clique(['a', 'b', 'c', 'd']),
      ...['a', 'b', 'c', 'd'].map((x) => score(x, 'e', { network: 8, registry: 6 })),
    ]
    const linked = [
      ...scores.filter(({ pair }) => pair.b !== 'e'),
      score('a', 'e'),
      score('b', 'e'),
      ...scores.slice(8),
    ]
    const cluster = findClusters(linked, TUNING).find(({ apps }) => apps.includes('e'))
    expect(cluster?.apps).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(cluster?.memberProbability.get('e')).toBeLessThan(cluster?.memberProbability.get('a') ?? 0)
  })

  it('hold at least two apps, each app once, all of them linked candidates, each linked to enough of the others', () => {
    const bits = fc.constantFrom({ network: 8, behaviour: 6 }, { users: 8, behaviour: 5 }, { network: 8, registry: 6 })
    const graph = fc.uniqueArray(
      fc.record({ ends: fc.uniqueArray(fc.constantFrom(...letters), { minLength: 2, maxLength: 2 }), bits }),
      { selector: ({ ends }) => ends.toSorted().join(''), maxLength: 80 },
    )
    fc.assert(
      fc.property(graph, (pairs) => {
        const scores = pairs.map(({ ends: [a = '', b = ''], bits: worth }) => score(a, b, worth))
        const linked = scores.filter(({ admissible }) => admissible)
        const clusters = findClusters(scores, TUNING)
        const all = clusters.flatMap(({ apps }) => apps)
        expect(new Set(all).size).toBe(all.length)
        for (const { apps } of clusters) {
          expect(apps.length).toBeGreaterThanOrEqual(2)
          expect(apps).toEqual(apps.toSorted())
          for (const app of apps) {
            const links = linked.filter(
              ({ pair: { a, b } }) => (a === app && apps.includes(b)) || (b === app && apps.includes(a)),
            )
            expect(links.length).toBeGreaterThanOrEqual(TUNING.clusters.attachmentMin * (apps.length - 1))
          }
        }
      }),
      { seed: 2, numRuns: 300 },
    )
  })

  it('do not depend on the order of the scores', () => {
    const scores = [...clique(['a', 'b', 'c']), ...clique(['c', 'd', 'e']), ...clique(['x', 'y', 'z'])]
    expect(members(scores.toReversed())).toEqual(members(scores))
  })
})
