import { louvainGroups } from './groups.ts'
import { commonObjectPairs, type AppObjects, type Incidence } from './incidence.ts'
import type { Peer, PeerAnswer } from './peer.ts'

/** Least number of networks that two apps have in common for an edge. */
const thresholds = [1, 2, 3, 5, 8, 12, 20, 40] as const

/** Share of the members' networks, and of the group's requests, that the filters ask for. */
const filterShare = 0.5

type Filter = (group: readonly string[]) => boolean

/**
 * After Stringhini, Mourlanne, Jacob, Egele, Kruegel, Vigna: EvilCohort: Detecting Communities of Malicious Accounts on Online Services
 * (USENIX Security 2015). The bipartite graph of apps and networks is projected on the apps, weighted by the networks in common; edges below
 * a threshold go; Louvain gives the groups. The paper then drops communities that look like people, by what their addresses and user
 * agents are like; here as two filters, each tried on and off: on average at least half of a member's networks are used by another
 * member too, and one user agent makes at least half of the group's requests.
 */
export const evilCohort: Peer = {
  name: 'EvilCohort-like',
  sweep({ networks, userAgents }) {
    const pairs = commonObjectPairs(networks, thresholds[0])
    const byCommonNetworks = commonNetworksFilter(networks)
    const byUserAgent = userAgentFilter(userAgents)
    return thresholds.flatMap((threshold): PeerAnswer[] => {
      const edges = pairs.filter(({ weight }) => weight >= threshold)
      const groups = louvainGroups(edges)
      const setting = `${threshold} networks in common`
      return [
        { setting, groups },
        { setting: `${setting}, filter: networks`, groups: groups.filter(byCommonNetworks) },
        { setting: `${setting}, filter: user agent`, groups: groups.filter(byUserAgent) },
        {
          setting: `${setting}, filters: networks and user agent`,
          groups: groups.filter((group) => byCommonNetworks(group) && byUserAgent(group)),
        },
      ]
    })
  },
}

function rowsOf(incidence: Incidence): (group: readonly string[]) => AppObjects[] {
  const rows = new Map(incidence.map((row) => [row.app_id, row]))
  return (group) => group.flatMap((app) => rows.get(app) ?? [])
}

function commonNetworksFilter(networks: Incidence): Filter {
  const rows = rowsOf(networks)
  return (group) => {
    const members = rows(group)
    const users = Map.groupBy(
      members.flatMap(({ objects }) => objects),
      (network) => network,
    )
    const shares = members.map(
      ({ objects }) => objects.filter((network) => (users.get(network)?.length ?? 0) > 1).length / objects.length,
    )
    return shares.reduce((total, share) => total + share, 0) / shares.length >= filterShare
  }
}

function userAgentFilter(userAgents: Incidence): Filter {
  const rows = rowsOf(userAgents)
  return (group) => {
    const requests = new Map<string, number>()
    for (const { objects, requests: counts } of rows(group)) {
      for (const [index, agent] of objects.entries())
        requests.set(agent, (requests.get(agent) ?? 0) + (counts[index] ?? 0))
    }
    const all = [...requests.values()]
    return Math.max(...all) >= filterShare * all.reduce((total, count) => total + count, 0)
  }
}
