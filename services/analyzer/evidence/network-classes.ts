/**
 * What kind of place is each network? Sharing one is evidence only when it is somebody's own.
 *
 *   dedicated  few apps; the default of a low degree, weight 1/log2(degree) (FRAUDAR: a shared column is worth 1/log of its degree)
 *   shared     few apps, and those that live there are not alike: a shared host. Weight 0.
 *   operator   many apps, nearly all of them residents and alike, or of one community elsewhere: a machine room. Kept.
 *   hub        many apps otherwise: carrier NAT, office, campus, VPN, cloud egress. Weight 0.
 *
 * Degree alone tells hubs from operator infrastructure with AUC .70, corroboration by the apps' other links with .92. Here
 * corroboration is twofold: do the residents behave alike (routes, user agents), and are they one community without this network?
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { pairKey, type PairKey } from '../run/pairs.ts'
import type { Tuning } from '../tuning.ts'
import { RunParams } from '../run/window.ts'

export type NetworkClass = 'dedicated' | 'shared' | 'operator' | 'hub'

export const networkResidentsQuery = {
  name: 'clusters/network-residents',
  params: RunParams.extend({ low_degree_max: z.int(), resident_share_min: z.number(), networks_max: z.int() }),
  row: z.object({
    network: z.string(),
    degree: z.number(),
    total_requests: z.number(),
    resident_requests: z.number(),
    residents: z.array(z.string()),
  }),
} as const
export type NetworkResidents = z.infer<typeof networkResidentsQuery.row>

/** Corroboration that comes from elsewhere than the network itself. */
export interface Corroboration {
  /** Pairs that behave alike (routes and user agents). */
  readonly alike: ReadonlySet<PairKey>
  /** Community of an app in the low-degree graph; undefined = none. */
  readonly community: (appId: string) => number | undefined
}

export function classifyNetwork(network: NetworkResidents, corroboration: Corroboration, tuning: Tuning): NetworkClass {
  const { residents, degree } = network
  const { alikeSharedMax, alikeOperatorMin, corroborationMin, residentAppsMin, residentTrafficMin } = tuning.networks
  const low = degree <= tuning.blocking.lowDegreeMax
  if (residents.length > tuning.blocking.residentsMax) return 'hub'
  const share = (test: (a: string, b: string) => boolean) => pairShare(residents, test)
  const alike = share((a, b) => corroboration.alike.has(pairKey(a, b)))
  if (low) return residents.length >= 3 && alike < alikeSharedMax ? 'shared' : 'dedicated'
  const lived =
    residents.length >= residentAppsMin * degree &&
    network.resident_requests >= residentTrafficMin * network.total_requests
  if (!lived) return 'hub'
  const together = share((a, b) => {
    const community = corroboration.community(a)
    return community !== undefined && community === corroboration.community(b)
  })
  return alike >= alikeOperatorMin || (together >= corroborationMin && alike >= alikeSharedMax) ? 'operator' : 'hub'
}

/** Share of the unordered pairs of `apps` that pass; 0 for fewer than two apps. */
function pairShare(apps: readonly string[], test: (a: string, b: string) => boolean): number {
  let passed = 0
  for (const [i, a] of apps.entries()) {
    for (let j = i + 1; j < apps.length; j++) if (test(a, apps[j] ?? a)) passed += 1
  }
  const pairs = (apps.length * (apps.length - 1)) / 2
  return pairs === 0 ? 0 : passed / pairs
}

const NETWORK_COLUMNS = ['run_id', 'network', 'degree', 'class', 'weight'] as const

/** Classifies every network with several residents and stores the classes that differ from the default of their degree. */
export async function classifyNetworks(
  clickhouse: ClickHouse,
  runId: string,
  corroboration: Corroboration,
  tuning: Tuning,
): Promise<ReadonlyMap<string, NetworkClass>> {
  const rows = await clickhouse.query(networkResidentsQuery, {
    run_id: runId,
    low_degree_max: tuning.blocking.lowDegreeMax,
    resident_share_min: tuning.blocking.residentShareMin,
    networks_max: tuning.networks.networksMax,
  })
  const classes = new Map(rows.map((row) => [row.network, classifyNetwork(row, corroboration, tuning)]))
  const stored = rows.flatMap((row) => {
    const kind = classes.get(row.network) ?? 'dedicated'
    const low = row.degree <= tuning.blocking.lowDegreeMax
    if (kind === (low ? 'dedicated' : 'hub')) return []
    const weight = kind === 'hub' || kind === 'shared' ? 0 : 1 / Math.log2(Math.max(2, row.degree))
    return [`${runId}\t${row.network}\t${row.degree}\t${kind}\t${weight}\n`]
  })
  if (stored.length > 0) {
    await clickhouse.insertBlock({
      table: 'analysis_network',
      columns: NETWORK_COLUMNS,
      body: Buffer.from(stored.join('')),
      token: `${runId}/networks`,
    })
  }
  return classes
}
