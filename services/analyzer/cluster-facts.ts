/** Reads what is needed to judge and explain a cluster: its networks, how its users spread, where its apps live apart. */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Tuning } from './tuning.ts'
import { RunParams } from './window.ts'

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
export const ownNetworksQuery = {
  name: 'own-networks',
  params: ClusterParams.extend({ low_degree_max: z.int() }),
  row: z.object({ app_id: z.string(), own_share: z.number() }),
} as const
export const userPartitionQuery = {
  name: 'user-partition',
  params: ClusterParams,
  row: z.object({ cluster_apps: z.number(), users: z.number() }),
} as const

export type ClusterNetwork = z.infer<typeof clusterNetworksQuery.row>

export interface ClusterReads {
  readonly networks: readonly ClusterNetwork[]
  readonly ownNetworkShares: readonly number[]
  readonly sharedUserShare: number | null
}

export async function readCluster(
  clickhouse: ClickHouse,
  runId: string,
  apps: readonly string[],
  { blocking }: Tuning,
): Promise<ClusterReads> {
  const params = { run_id: runId, apps: [...apps] }
  const low = { low_degree_max: blocking.lowDegreeMax }
  const networks = await clickhouse.query(clusterNetworksQuery, { ...params, ...low })
  const own = await clickhouse.query(ownNetworksQuery, { ...params, ...low })
  const spread = await clickhouse.query(userPartitionQuery, params)
  const users = spread.reduce((sum, row) => sum + row.users, 0)
  const shared = spread.filter((row) => row.cluster_apps > 1).reduce((sum, row) => sum + row.users, 0)
  return {
    networks,
    ownNetworkShares: own.map((row) => row.own_share),
    sharedUserShare: users === 0 ? null : shared / users,
  }
}
