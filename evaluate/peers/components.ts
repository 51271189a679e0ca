/** Connected components of apps, by union and find with path halving (Tarjan & van Leeuwen 1984). Pure. */
import type { Edge } from '../../services/analyzer/communities.ts'

/** Each component sorted, the components in order of their first app. Apps without an edge are in none. */
export function components(edges: readonly Edge[]): string[][] {
  const parents = new Map<string, string>()
  const rootOf = (app: string): string => {
    let node = app
    for (let parent = parents.get(node); parent !== undefined && parent !== node; parent = parents.get(node)) {
      const grandparent = parents.get(parent) ?? parent
      parents.set(node, grandparent)
      node = grandparent
    }
    return node
  }
  for (const { a, b } of edges) {
    for (const app of [a, b]) if (!parents.has(app)) parents.set(app, app)
    parents.set(rootOf(a), rootOf(b))
  }
  return [...Map.groupBy([...parents.keys()].toSorted(), rootOf).values()]
}
