/**
 * Materiality: how much more than one app's limit did the cluster use? gain = the largest, over routes and limit windows, of
 * (requests served to the cluster) / (what one app may use). It sets the severity of a finding, never who is in it.
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Tuning } from './tuning.ts'
import { dateTimeParam, type Window } from './window.ts'

const AppsInWindow = z.object({ apps: z.array(z.string()), from: z.string(), to: z.string() })

export const clusterUseQuery = {
  name: 'cluster-use',
  params: AppsInWindow.extend({ window_seconds: z.int() }),
  row: z.object({
    route: z.string(),
    peak_served: z.number(),
    largest_app_served: z.number(),
    limit_seen: z.number(),
  }),
} as const
export const limitWindowQuery = {
  name: 'limit-window',
  params: AppsInWindow,
  row: z.object({ seconds: z.number().nullable(), seen: z.number() }),
} as const

export interface Gain {
  /** Ratio; null when no limit is known. */
  readonly value: number | null
  readonly basis: string
}

/** Limit windows in use on public platforms, seconds. */
const WINDOWS = [60, 300, 900, 1800, 3600, 10_800, 86_400] as const

export async function measureGain(
  clickhouse: ClickHouse,
  apps: readonly string[],
  window: Window,
  tuning: Tuning,
): Promise<Gain> {
  const params = { apps: [...apps], from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  const [seen] = await clickhouse.query(limitWindowQuery, params)
  const observed = seen?.seconds ?? null
  const seconds =
    observed === null || Number.isNaN(observed)
      ? tuning.gain.windowSeconds
      : (WINDOWS.find((length) => length >= observed * 0.98) ?? tuning.gain.windowSeconds)
  const routes = await clickhouse.query(clusterUseQuery, { ...params, window_seconds: seconds })
  const limited = routes.filter((route) => route.limit_seen > 0)
  const best = limited.reduce<(typeof limited)[number] | undefined>(
    (top, route) =>
      top === undefined || route.peak_served / route.limit_seen > top.peak_served / top.limit_seen ? route : top,
    undefined,
  )
  if (best === undefined) return { value: null, basis: 'the logs carry no rate limits' }
  return {
    value: best.peak_served / best.limit_seen,
    basis: `${best.peak_served} requests to ${best.route} in ${seconds / 60} minutes, where one app may send ${best.limit_seen}`,
  }
}
