/** From edges to groups: connected components, or Louvain communities. Pure; no group has one app alone. */
import { communities, groupByCommunity, type Edge } from './communities.ts'

/** Fixed, so that the same edges give the same groups. */
const louvainSeed = 1

/** Louvain communities (Blondel et al. 2008) at resolution 1, by the weights of the edges. */
export function louvainGroups(edges: readonly Edge[]): string[][] {
  return groupByCommunity(communities(edges, louvainSeed, 1)).filter((group) => group.length > 1)
}

/**
 * Connected components, by union and find with path halving (Tarjan & van Leeuwen 1984). Each component sorted, the components in order of their first app.
 * Apps without an edge are in none.
 */
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
    if (a === b) continue
    for (const app of [a, b]) if (!parents.has(app)) parents.set(app, app)
    parents.set(rootOf(a), rootOf(b))
  }
  return [...Map.groupBy([...parents.keys()].toSorted(), rootOf).values()]
}
