/**
 * Materiality: how much more than one app's limit did the cluster use? gain = the largest, over routes and limit windows, of (requests served to
 * the cluster) / (what one app may use). The policy is about getting round limits: for one account's duplicates and for environments a finding
 * needs a gain above 1.
 *
 * What one app may use: `limits` of the registry first; else the limit that refusals and answers name (`shareOf`). A header's limit is often for each
 * user and app: then it bounds one user's share only.
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { dateTimeParam, type Window } from '../run/window.ts'
import type { Tuning } from '../tuning.ts'
import { ClusterApps, clusterPortions } from './portions.ts'

const AppsInWindow = ClusterApps.extend({ from: z.string(), to: z.string() })

export const clusterUseQuery = {
  name: 'clusters/cluster-use',
  params: AppsInWindow.extend({
    window_seconds: z.array(z.int()),
    offset_seconds: z.array(z.int()),
    not_production: z.array(z.int()),
  }),
  row: z.object({
    cluster: z.number(),
    route: z.string(),
    peak_served: z.number(),
    peak_of_one: z.number(),
    peak_of_others: z.number(),
    for_user: z.number(),
    peak_of_user: z.number(),
    limit_seen: z.number(),
    limit_at_429: z.number(),
  }),
} as const
export const limitWindowQuery = {
  name: 'clusters/limit-window',
  params: AppsInWindow,
  row: z.object({ cluster: z.number(), seconds: z.number() }),
} as const
export const windowOffsetQuery = {
  name: 'clusters/window-offset',
  params: z.object({ apps: z.array(z.string()), from: z.string(), to: z.string(), seconds: z.int() }),
  row: z.object({ app_id: z.string(), offset_seconds: z.coerce.number() }),
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

interface Share {
  /** Used, of the whole cluster or of its busiest end user, in the busiest window. */
  readonly used: number
  readonly limit: number
  readonly known: string
}

/**
 * What was used against what one app may use, and how that is known; undefined when it is not. An answer to a request without a user names the
 * app's limit. With a user it names either the app's or the user's: the app's when no app alone was served more, the user's at any rate, so
 * that the busiest user's share is what can be shown.
 */
function shareOf(use: ClusterUse, limits: ReadonlyMap<string, number>): Share | undefined {
  const registered = limits.get(use.route)
  if (registered !== undefined && registered > 0) {
    return { used: use.peak_served, limit: registered, known: 'the registry' }
  }
  if (use.for_user === 0) {
    const limit = use.limit_at_429 > 0 ? use.limit_at_429 : use.limit_seen
    const known = use.limit_at_429 > 0 ? 'refusals' : 'answers'
    return limit > 0 ? { used: use.peak_served, limit, known } : undefined
  }
  if (use.limit_at_429 >= use.peak_of_one) {
    return { used: use.peak_served, limit: use.limit_at_429, known: 'refusals' }
  }
  if (use.limit_seen > 0) return { used: use.peak_of_user, limit: use.limit_seen, known: 'answers, for one user' }
  return undefined
}

function largestGain(uses: readonly ClusterUse[], limits: ReadonlyMap<string, number>, windowSeconds: number): Gain {
  let best: (Share & { readonly route: string }) | undefined
  let ofOthers: number | null = null
  for (const use of uses) {
    const share = shareOf(use, limits)
    if (share === undefined) continue
    ofOthers = Math.max(ofOthers ?? 0, Math.min(share.used, use.peak_of_others) / share.limit)
    if (best === undefined || share.used / share.limit > best.used / best.limit) best = { ...share, route: use.route }
  }
  if (best === undefined) return { value: null, basis: 'it is not known what one app may use', ofOthers: null }
  const { used, limit, known, route } = best
  const basis = `${used} requests to ${route} in ${windowSeconds / 60} minutes, where one app may send ${limit} (from ${known})`
  return { value: used / limit, basis, ofOthers }
}

/** Of each app, in their order, when its limit windows begin. */
async function offsetsOf(
  clickhouse: ClickHouse,
  apps: readonly string[],
  windowSeconds: readonly number[],
  span: { readonly from: string; readonly to: string },
): Promise<number[]> {
  const offsets = new Map<string, number>()
  for (const seconds of new Set(windowSeconds)) {
    const some = apps.filter((_, i) => windowSeconds[i] === seconds)
    for (const row of await clickhouse.query(windowOffsetQuery, { ...span, apps: some, seconds })) {
      offsets.set(row.app_id, row.offset_seconds)
    }
  }
  return apps.map((app) => offsets.get(app) ?? 0)
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
      offset_seconds: await offsetsOf(clickhouse, portion.apps, windowSeconds, span),
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
