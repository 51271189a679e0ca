import { components } from './groups.ts'
import { jaccardPairs } from './incidence.ts'
import type { Peer } from './peer.ts'

/** Least Jaccard index of two apps' sets of networks, 0..1. */
const thresholds = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const

/**
 * The baseline that everybody tries first: two apps belong together when the Jaccard index (Jaccard 1912) of their sets of networks
 * reaches the threshold; groups are the connected components.
 */
export const sharedAddresses: Peer = {
  name: 'Jaccard of addresses, components',
  sweep({ networks }) {
    const pairs = jaccardPairs(networks, thresholds[0])
    return thresholds.map((threshold) => ({
      setting: `Jaccard >= ${threshold}`,
      groups: components(pairs.filter(({ weight }) => weight >= threshold)),
    }))
  },
}
