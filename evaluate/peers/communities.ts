/**
 * Communities of a weighted graph of apps, by Louvain (Blondel et al. 2008) with a seeded random source: the same edges give the
 * same communities. Connected components are never used: one false edge would chain two groups (pair precision .03 on published
 * sybil groups).
 */
import { UndirectedGraph } from 'graphology'
import louvain from 'graphology-communities-louvain'

export interface Edge {
  readonly a: string
  readonly b: string
  /** Positive. */
  readonly weight: number
}

/** Community number of each app that has an edge. */
export function communities(edges: readonly Edge[], seed: number, resolution: number): ReadonlyMap<string, number> {
  if (edges.length === 0) return new Map()
  const graph = new UndirectedGraph()
  const sorted = edges.toSorted((x, y) => (x.a < y.a ? -1 : x.a > y.a ? 1 : x.b < y.b ? -1 : x.b > y.b ? 1 : 0))
  for (const { a, b, weight } of sorted) {
    graph.mergeNode(a)
    graph.mergeNode(b)
    graph.mergeUndirectedEdge(a, b, { weight })
  }
  const result = louvain(graph, { getEdgeWeight: 'weight', resolution, rng: mulberry32(seed) })
  return new Map(Object.entries(result))
}

/** Groups of apps by community, each sorted, the groups in order of their first app. */
export function groupByCommunity(membership: ReadonlyMap<string, number>): string[][] {
  const groups = Map.groupBy([...membership.keys()].toSorted(), (app) => membership.get(app))
  return [...groups.values()]
}

/** Mulberry32 (public domain): 32 bits of state, uniform in [0, 1). Enough for tie-breaking. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
