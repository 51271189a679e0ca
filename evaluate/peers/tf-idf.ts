import { louvainGroups } from './groups.ts'
import { mergeIncidence, tfIdfCosinePairs } from './incidence.ts'
import type { Peer } from './peer.ts'

/** Least cosine of two apps' vectors, 0..1. */
const thresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const

/**
 * Every app as a document whose words are its routes, networks and user agents, weighted by TF-IDF (Salton & Buckley 1988: Term-weighting
 * approaches in automatic text retrieval); groups are the Louvain communities (Blondel et al. 2008, resolution 1) of the graph of cosines
 * over the threshold.
 */
export const tfIdfCosine: Peer = {
  name: 'TF-IDF cosine, Louvain',
  sweep({ networks, routes, userAgents }) {
    const pairs = tfIdfCosinePairs(
      mergeIncidence({ network: networks, route: routes, agent: userAgents }),
      thresholds[0],
    )
    return thresholds.map((threshold) => ({
      setting: `cosine >= ${threshold}`,
      groups: louvainGroups(pairs.filter(({ weight }) => weight >= threshold)),
    }))
  },
}
