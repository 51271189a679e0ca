/**
 * Clusters: groups of apps that are believed to be one use case. The unit of a finding.
 *
 * Linked pairs -> Louvain on log-odds -> weakly attached members ejected, one at a time, until every member is linked to enough of
 * the others -> the group must be dense, or one network or user set must cover it.
 */
import { communities, groupByCommunity } from './communities.ts'
import { isLinked, type PairScore } from '../evidence/bits.ts'
import { pairKey, type PairKey } from '../run/pairs.ts'
import { median } from '../statistics.ts'
import type { Tuning } from '../tuning.ts'

export interface Cluster {
  /** Sorted app ids, at least two. */
  readonly apps: readonly string[]
  /** Scores of the pairs inside, linked or not, as far as they were candidates. */
  readonly scores: readonly PairScore[]
  /** Of each member: the median probability of its links to the others. */
  readonly memberProbability: ReadonlyMap<string, number>
  /** Mean over the members. */
  readonly probability: number
}

export function findClusters(scores: readonly PairScore[], tuning: Tuning): Cluster[] {
  const linked = new Map(scores.filter((score) => isLinked(score, tuning)).map((score) => [score.pair.key, score]))
  const edges = [...linked.values()].map(({ pair, bits }) => ({ a: pair.a, b: pair.b, weight: Math.max(0.1, bits) }))
  const groups = groupByCommunity(communities(edges, tuning.clusters.louvainSeed, tuning.clusters.resolution))
  const byKey = new Map(scores.map((score) => [score.pair.key, score]))
  return groups
    .map((group) => trim(group, linked, tuning))
    .filter((group) => group.length >= 2 && isCohesive(group, linked, tuning))
    .map((group) => describe(group, byKey))
    .filter((cluster) => cluster.apps.length > 2 || cluster.probability >= tuning.clusters.pairProbabilityMin)
}

/** Ejects the least attached member until every one is linked to enough of the others. */
function trim(group: readonly string[], linked: ReadonlyMap<PairKey, PairScore>, tuning: Tuning): string[] {
  let members = [...group]
  while (members.length >= 2) {
    const attachments = members.map((app) => ({ app, share: attachment(app, members, linked) }))
    const weakest = attachments.reduce((least, item) => (item.share < least.share ? item : least))
    if (weakest.share >= tuning.clusters.attachmentMin) break
    members = members.filter((app) => app !== weakest.app)
  }
  return members
}

function attachment(app: string, members: readonly string[], linked: ReadonlyMap<PairKey, PairScore>): number {
  const links = members.filter((other) => other !== app && linked.has(pairKey(app, other))).length
  return links / (members.length - 1)
}

function isCohesive(group: readonly string[], linked: ReadonlyMap<PairKey, PairScore>, tuning: Tuning): boolean {
  const density = group.reduce((sum, app) => sum + attachment(app, group, linked), 0) / group.length
  if (density >= tuning.clusters.densityMin) return true
  // An anchor: one member that is linked to nearly all others stands for the network or user set that they have in common.
  return group.some((app) => attachment(app, group, linked) >= tuning.clusters.anchorMin)
}

function describe(group: readonly string[], byKey: ReadonlyMap<PairKey, PairScore>): Cluster {
  const inside = (app: string) =>
    group.flatMap((other) => {
      const score = other === app ? undefined : byKey.get(pairKey(app, other))
      return score === undefined ? [] : [score]
    })
  const memberProbability = new Map(
    group.map((app) => [
      app,
      median(inside(app).map((score) => (score.admissible ? score.probability : Math.min(score.probability, 0.5)))),
    ]),
  )
  const scores = group.flatMap((app) => inside(app).filter((score) => score.pair.a === app))
  const probability = [...memberProbability.values()].reduce((sum, value) => sum + value, 0) / group.length
  return { apps: group, scores, memberProbability, probability }
}
