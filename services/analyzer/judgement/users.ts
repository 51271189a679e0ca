/** How the users of a cluster spread over its apps. */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { dateTimeParam, type Window } from '../run/window.ts'
import { ClusterApps, clusterPortions } from './portions.ts'

export const commonUsersQuery = {
  name: 'clusters/common-users',
  params: ClusterApps.extend({ from: z.string(), to: z.string() }),
  row: z.object({ cluster: z.number(), user_id: z.string(), app_ids: z.array(z.string()) }),
} as const

/** Of a cluster: its users, with the apps that act for each. */
export type ClusterUsers = readonly (readonly string[])[]

export async function readClusterUsers(
  clickhouse: ClickHouse,
  clusters: readonly (readonly string[])[],
  window: Window,
): Promise<ClusterUsers[]> {
  const users = clusters.map((): (readonly string[])[] => [])
  const span = { from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  for (const portion of clusterPortions(clusters)) {
    for (const row of await clickhouse.query(commonUsersQuery, { ...portion, ...span }))
      users[row.cluster]?.push(row.app_ids)
  }
  return users
}

/** Share of the users that several apps of the cluster act for, 0..1; null without users. */
export function sharedUserShare(users: ClusterUsers): number | null {
  return users.length === 0 ? null : users.filter((apps) => apps.length > 1).length / users.length
}

/** Jaccard index of two sets of users: those of some apps of the cluster, and those of the others; null when a side has none. */
export function userJaccard(users: ClusterUsers, some: ReadonlySet<string>): number | null {
  let one = 0
  let other = 0
  let both = 0
  for (const apps of users) {
    const isOne = apps.some((app) => some.has(app))
    const isOther = apps.some((app) => !some.has(app))
    if (isOne) one += 1
    if (isOther) other += 1
    if (isOne && isOther) both += 1
  }
  return one === 0 || other === 0 ? null : both / (one + other - both)
}
