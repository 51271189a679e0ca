/** Reads what is needed to judge and explain a cluster: its networks, how its users spread, how much its apps are used elsewhere. */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Tuning } from './tuning.ts'
import { dateTimeParam, RunParams, type Window } from './window.ts'

const ClusterParams = RunParams.extend({ apps: z.array(z.string()) })

export const clusterNetworksQuery = {
  name: 'cluster-networks',
  params: ClusterParams.extend({ low_degree_max: z.int() }),
  row: z.object({
    network: z.string(),
    degree: z.number(),
    cluster_apps: z.number(),
    class: z.string(),
    requests: z.number(),
  }),
} as const
export const elsewhereSharesQuery = {
  name: 'elsewhere-shares',
  params: ClusterParams,
  row: z.object({ app_id: z.string(), elsewhere_share: z.number() }),
} as const
export const userPartitionQuery = {
  name: 'user-partition',
  params: ClusterParams,
  row: z.object({ cluster_apps: z.number(), users: z.number() }),
} as const

export const effectiveHoursQuery = {
  name: 'effective-hours',
  params: z.object({ apps: z.array(z.string()), from: z.string(), to: z.string() }),
  row: z.object({ app_id: z.string(), effective_hours: z.number() }),
} as const

export type ClusterNetwork = z.infer<typeof clusterNetworksQuery.row>

export interface ClusterReads {
  readonly networks: readonly ClusterNetwork[]
  readonly elsewhereShares: readonly number[]
  /** Of each app, over how many hours of the day its requests are spread, 1..24. */
  readonly effectiveHours: readonly number[]
  readonly sharedUserShare: number | null
}

export async function readCluster(
  clickhouse: ClickHouse,
  runId: string,
  apps: readonly string[],
  window: Window,
  { blocking }: Tuning,
): Promise<ClusterReads> {
  const params = { run_id: runId, apps: [...apps] }
  const networks = await clickhouse.query(clusterNetworksQuery, { ...params, low_degree_max: blocking.lowDegreeMax })
  const elsewhere = await clickhouse.query(elsewhereSharesQuery, params)
  const hours = await clickhouse.query(effectiveHoursQuery, {
    apps: [...apps],
    from: dateTimeParam(window.fromMs),
    to: dateTimeParam(window.toMs),
  })
  const spread = await clickhouse.query(userPartitionQuery, params)
  const users = spread.reduce((sum, row) => sum + row.users, 0)
  const shared = spread.filter((row) => row.cluster_apps > 1).reduce((sum, row) => sum + row.users, 0)
  return {
    networks,
    elsewhereShares: elsewhere.map((row) => row.elsewhere_share),
    effectiveHours: hours.map((row) => row.effective_hours),
    sharedUserShare: users === 0 ? null : shared / users,
  }
}
