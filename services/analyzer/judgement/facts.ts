/**
 * Reads what is needed to judge and explain clusters: their networks, how their users spread, how much their apps are used elsewhere.
 *
 * One query serves many clusters: each app is in one cluster at most, so the cluster travels as a parameter beside the app.
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Tuning } from '../tuning.ts'
import { dateTimeParam, RunParams, type Window } from '../run/window.ts'

/** `apps` and `clusters` side by side: the number of the cluster that each app is in. */
export const ClusterApps = z.object({ apps: z.array(z.string()), clusters: z.array(z.int()) })

const ClusterParams = RunParams.extend(ClusterApps.shape)

export const clusterNetworksQuery = {
  name: 'clusters/cluster-networks',
  params: ClusterParams.extend({ low_degree_max: z.int() }),
  row: z.object({
    cluster: z.number(),
    network: z.string(),
    degree: z.number(),
    cluster_apps: z.number(),
    class: z.string(),
    requests: z.number(),
  }),
} as const
export const elsewhereSharesQuery = {
  name: 'clusters/elsewhere-shares',
  params: ClusterParams,
  row: z.object({ app_id: z.string(), elsewhere_share: z.number() }),
} as const
export const userPartitionQuery = {
  name: 'clusters/user-partition',
  params: ClusterParams,
  row: z.object({ cluster: z.number(), cluster_apps: z.number(), users: z.number() }),
} as const

export const effectiveHoursQuery = {
  name: 'clusters/effective-hours',
  params: z.object({ apps: z.array(z.string()), from: z.string(), to: z.string() }),
  row: z.object({ app_id: z.string(), effective_hours: z.number() }),
} as const

type NetworkRow = z.infer<typeof clusterNetworksQuery.row>
export type ClusterNetwork = Omit<NetworkRow, 'cluster'>

export interface ClusterReads {
  readonly networks: readonly ClusterNetwork[]
  readonly elsewhereShares: readonly number[]
  /** Of each app, over how many hours of the day its requests are spread, 1..24. */
  readonly effectiveHours: readonly number[]
  readonly sharedUserShare: number | null
}

/** Apps of clusters as parameters, in portions whose ids fit into a request. */
export function clusterPortions(clusters: readonly (readonly string[])[]): z.infer<typeof ClusterApps>[] {
  const portions: z.infer<typeof ClusterApps>[] = []
  for (const [number, apps] of clusters.entries()) {
    let portion = portions.at(-1)
    if (portion === undefined || portion.apps.length + apps.length > APPS_PER_QUERY) {
      portion = { apps: [], clusters: [] }
      portions.push(portion)
    }
    portion.apps.push(...apps)
    portion.clusters.push(...apps.map(() => number))
  }
  return portions
}

const APPS_PER_QUERY = 1000

interface Rows {
  readonly networks: NetworkRow[]
  readonly elsewhere: Map<string, number>
  readonly hours: Map<string, number>
  readonly spread: z.infer<typeof userPartitionQuery.row>[]
}

/** What there is to know of each cluster, in their order. */
export async function readClusters(
  clickhouse: ClickHouse,
  runId: string,
  clusters: readonly (readonly string[])[],
  window: Window,
  { blocking }: Tuning,
): Promise<ClusterReads[]> {
  const rows: Rows = { networks: [], elsewhere: new Map(), hours: new Map(), spread: [] }
  const span = { from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  for (const portion of clusterPortions(clusters)) {
    const params = { run_id: runId, ...portion }
    rows.networks.push(
      ...(await clickhouse.query(clusterNetworksQuery, { ...params, low_degree_max: blocking.lowDegreeMax })),
    )
    for (const row of await clickhouse.query(elsewhereSharesQuery, params))
      rows.elsewhere.set(row.app_id, row.elsewhere_share)
    for (const row of await clickhouse.query(effectiveHoursQuery, { apps: portion.apps, ...span })) {
      rows.hours.set(row.app_id, row.effective_hours)
    }
    rows.spread.push(...(await clickhouse.query(userPartitionQuery, params)))
  }
  const networks = Map.groupBy(rows.networks, (row) => row.cluster)
  const spread = Map.groupBy(rows.spread, (row) => row.cluster)
  return clusters.map((apps, number) => ({
    networks: (networks.get(number) ?? []).map(withoutCluster),
    elsewhereShares: apps.flatMap((app) => rows.elsewhere.get(app) ?? []),
    effectiveHours: apps.flatMap((app) => rows.hours.get(app) ?? []),
    sharedUserShare: sharedUserShare(spread.get(number) ?? []),
  }))
}

function withoutCluster({ network, degree, cluster_apps, class: kind, requests }: NetworkRow): ClusterNetwork {
  return { network, degree, cluster_apps, class: kind, requests }
}

function sharedUserShare(spread: readonly z.infer<typeof userPartitionQuery.row>[]): number | null {
  const users = spread.reduce((sum, row) => sum + row.users, 0)
  const shared = spread.filter((row) => row.cluster_apps > 1).reduce((sum, row) => sum + row.users, 0)
  return users === 0 ? null : shared / users
}
