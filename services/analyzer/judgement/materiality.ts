/**
 * Materiality: how much more than one app's limit did the cluster use? gain = the largest, over routes and limit windows, of
 * (requests served to the cluster) / (what one app may use). It sets the severity of a finding, never who is in it.
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { ClusterApps, clusterPortions } from './facts.ts'
import type { Tuning } from '../tuning.ts'
import { dateTimeParam, type Window } from '../run/window.ts'

const AppsInWindow = ClusterApps.extend({ from: z.string(), to: z.string() })

export const clusterUseQuery = {
  name: 'clusters/cluster-use',
  params: AppsInWindow.extend({ window_seconds: z.array(z.int()) }),
  row: z.object({
    cluster: z.number(),
    route: z.string(),
    peak_served: z.number(),
    limit_seen: z.number(),
  }),
} as const
export const limitWindowQuery = {
  name: 'clusters/limit-window',
  params: AppsInWindow,
  row: z.object({ cluster: z.number(), seconds: z.number() }),
} as const

export interface Gain {
  /** Ratio; null when no limit is known. */
  readonly value: number | null
  readonly basis: string
}

/** Limit windows in use on public platforms, seconds. */
const WINDOWS = [60, 300, 900, 1800, 3600, 10_800, 86_400] as const

/** Gains of clusters, in their order. */
export async function measureGains(
  clickhouse: ClickHouse,
  clusters: readonly (readonly string[])[],
  window: Window,
  tuning: Tuning,
): Promise<Gain[]> {
  const span = { from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  const seconds = clusters.map((): number => tuning.gain.windowSeconds)
  const uses = new Map<number, ClusterUse[]>()
  for (const portion of clusterPortions(clusters)) {
    const params = { ...portion, ...span }
    for (const row of await clickhouse.query(limitWindowQuery, params)) {
      seconds[row.cluster] = WINDOWS.find((length) => length >= row.seconds * 0.98) ?? tuning.gain.windowSeconds
    }
    const windows = portion.clusters.map((cluster) => seconds[cluster] ?? tuning.gain.windowSeconds)
    for (const use of await clickhouse.query(clusterUseQuery, { ...params, window_seconds: windows })) {
      uses.set(use.cluster, [...(uses.get(use.cluster) ?? []), use])
    }
  }
  return clusters.map((_, cluster) =>
    largestGain(uses.get(cluster) ?? [], seconds[cluster] ?? tuning.gain.windowSeconds),
  )
}

type ClusterUse = z.infer<typeof clusterUseQuery.row>

function largestGain(uses: readonly ClusterUse[], windowSeconds: number): Gain {
  const limited = uses.filter((use) => use.limit_seen > 0)
  const best = limited.reduce<ClusterUse | undefined>(
    (top, use) =>
      top === undefined || use.peak_served / use.limit_seen > top.peak_served / top.limit_seen ? use : top,
    undefined,
  )
  if (best === undefined) return { value: null, basis: 'the logs carry no rate limits' }
  return {
    value: best.peak_served / best.limit_seen,
    basis: `${best.peak_served} requests to ${best.route} in ${windowSeconds / 60} minutes, where one app may send ${best.limit_seen}`,
  }
}
