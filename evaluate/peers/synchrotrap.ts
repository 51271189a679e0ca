import { components } from './groups.ts'
import { jaccardPairs } from './incidence.ts'
import type { Peer } from './peer.ts'

/** Least Jaccard index of two apps' sets of actions, 0..1. */
const thresholds = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8] as const

/**
 * After Cao, Yang, Yu, Palow: Uncovering Large Groups of Active Malicious Accounts in Online Social Networks (SynchroTrap, CCS 2014). An action
 * is (app, object, slot of time); two apps match in an action on the same object in the same slot; their similarity is the Jaccard index of
 * their actions over all objects; groups are the connected components over a threshold (single linkage). The object is a network or a
 * route; each length of slot that the traffic comes in is tried. Slots are fixed, where the paper lets them slide.
 */
export const synchroTrap: Peer = {
  name: 'SynchroTrap-like',
  sweep({ actions }) {
    return actions.flatMap(({ on, slotMinutes, actions: incidence }) => {
      const pairs = jaccardPairs(incidence, thresholds[0])
      return thresholds.map((threshold) => ({
        setting: `same ${on} within ${slotMinutes} min, Jaccard >= ${threshold}`,
        groups: components(pairs.filter(({ weight }) => weight >= threshold)),
      }))
    })
  },
}
