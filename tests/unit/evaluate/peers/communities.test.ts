import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { communities, groupByCommunity, type Edge } from '../../../../evaluate/peers/communities.ts'

const SEED = 7
const groups = (edges: readonly Edge[]): string[][] => groupByCommunity(communities(edges, SEED, 1))

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
    const dense = ['abcd', 'wxyz'].flatMap((apps) =>
      Array.from(apps, (a, i) => Array.from(apps.slice(i + 1), (b): Edge => ({ a, b, weight: 6 }))).flat(),
    )
    expect(groups([...dense, { a: 'd', b: 'w', weight: 3.2 }])).toEqual([
      ['a', 'b', 'c', 'd'],
      ['w', 'x', 'y', 'z'],
    ])
  })

  it('of nothing are none', () => {
    expect(groups([])).toEqual([])
  })
})
