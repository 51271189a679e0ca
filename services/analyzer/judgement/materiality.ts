/**
 * Materiality: how much more than one app's limit did the cluster use? gain = the largest, over routes and limit windows, of (requests served to
 * the cluster) / (what one app may use). The policy is about getting round limits: for one account's duplicates and for environments a finding
 * needs a gain above 1.
 *
 * What one app may use: `limits` of the registry first; else the largest limit seen at a 429; else the largest limit in any answer, unless one
 * app alone was served more than that, which shows that it is a limit for each user and app.
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { dateTimeParam, type Window } from '../run/window.ts'
import type { Tuning } from '../tuning.ts'
import { ClusterApps, clusterPortions } from './portions.ts'

const AppsInWindow = ClusterApps.extend({ from: z.string(), to: z.string() })

export const clusterUseQuery = {
  name: 'clusters/cluster-use',
  params: AppsInWindow.extend({ window_seconds: z.array(z.int()), not_production: z.array(z.int()) }),
  row: z.object({
    cluster: z.number(),
    route: z.string(),
    peak_served: z.number(),
    peak_of_one: z.number(),
    peak_of_others: z.number(),
    limit_seen: z.number(),
    limit_at_429: z.number(),
  }),
} as const
export const limitWindowQuery = {
  name: 'clusters/limit-window',
  params: AppsInWindow,
  row: z.object({ cluster: z.number(), seconds: z.number() }),
} as const
type ClusterUse = z.infer<typeof clusterUseQuery.row>

export interface Gain {
  /** Ratio; null when no limit is known. */
  readonly value: number | null
  readonly basis: string
  /** The same of the apps that are not production alone; null when no limit is known. */
  readonly ofOthers: number | null
}

/** Limit windows in use on public platforms, seconds. */
const WINDOWS = [60, 300, 900, 1800, 3600, 10_800, 86_400] as const

export interface UseOf {
  readonly apps: readonly string[]
  /** Ids of those that are not production. */
  readonly notProduction: ReadonlySet<string>
  /** Largest limit of a member by route, from the registry. */
  readonly limits: ReadonlyMap<string, number>
}

/** What one app may use of a route in a window, and how that is known; undefined when it is not. */
function limitOf(
  use: ClusterUse,
  limits: ReadonlyMap<string, number>,
): { readonly limit: number; readonly known: string } | undefined {
  const registered = limits.get(use.route)
  if (registered !== undefined && registered > 0) return { limit: registered, known: 'the registry' }
  if (use.limit_at_429 > 0 && use.limit_at_429 >= use.peak_of_one) return { limit: use.limit_at_429, known: 'refusals' }
  if (use.limit_seen > 0 && use.peak_of_one <= use.limit_seen) return { limit: use.limit_seen, known: 'answers' }
  return undefined
}

function largestGain(uses: readonly ClusterUse[], limits: ReadonlyMap<string, number>, windowSeconds: number): Gain {
  let best:
    | { readonly use: ClusterUse; readonly limit: number; readonly known: string; readonly value: number }
    | undefined
  let ofOthers: number | null = null
  for (const use of uses) {
    const found = limitOf(use, limits)
    if (found === undefined) continue
    const value = use.peak_served / found.limit
    ofOthers = Math.max(ofOthers ?? 0, use.peak_of_others / found.limit)
    if (best === undefined || value > best.value) best = { use, ...found, value }
  }
  if (best === undefined) return { value: null, basis: 'it is not known what one app may use', ofOthers: null }
  const { use, limit, known, value } = best
  const basis = `${use.peak_served} requests to ${use.route} in ${windowSeconds / 60} minutes, where one app may send ${limit} (from ${known})`
  return { value, basis, ofOthers }
}

/** Gains of clusters, in their order. */
export async function measureGains(
  clickhouse: ClickHouse,
  clusters: readonly UseOf[],
  window: Window,
  tuning: Tuning,
): Promise<Gain[]> {
  const span = { from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  const seconds = clusters.map((): number => tuning.gain.windowSeconds)
  const uses = new Map<number, ClusterUse[]>()
  for (const portion of clusterPortions(clusters.map(({ apps }) => apps))) {
    const params = { ...portion, ...span }
    for (const row of await clickhouse.query(limitWindowQuery, params)) {
      seconds[row.cluster] = WINDOWS.find((length) => length >= row.seconds * 0.98) ?? tuning.gain.windowSeconds
    }
    const windowSeconds = portion.clusters.map((cluster) => seconds[cluster] ?? tuning.gain.windowSeconds)
    const notProduction = portion.apps.map((app, i) =>
      clusters[portion.clusters[i] ?? -1]?.notProduction.has(app) === true ? 1 : 0,
    )
    const rows = await clickhouse.query(clusterUseQuery, {
      ...params,
      window_seconds: windowSeconds,
      not_production: notProduction,
    })
    for (const use of rows) {
      const known = uses.get(use.cluster)
      if (known === undefined) uses.set(use.cluster, [use])
      else known.push(use)
    }
  }
  return clusters.map(({ limits }, cluster) =>
    largestGain(uses.get(cluster) ?? [], limits, seconds[cluster] ?? tuning.gain.windowSeconds),
  )
}
