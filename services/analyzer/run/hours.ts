/**
 * The rollups, computed from raw rows by (hour, app) as a whole.
 *
 * Guarantees
 * - The same hour may be computed any number of times, in any order, by anybody: columns merge by max (bit sets by or), and the counts of an
 *   hour only grow. What is read with FINAL is right once every row that arrived has been gone through.
 * - Rows that expired from the raw table never lower a rollup; only `rebuildHours` replaces.
 * - The cost follows the hours that got rows, not what is stored. Memory is bounded by one day of them.
 */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { dateTimeParam, RunParams, type Window } from './window.ts'

/**
 * Rows are stamped when their block is formed and seen when it is committed. An insert is given up after five minutes (lib/clickhouse.ts), so twice
 * that covers every late commit. Looking back further costs work, never correctness.
 */
export const LATE_COMMIT_SECONDS = 600
const DAY_SECONDS = 86_400

const ArrivedParams = RunParams.extend({ arrived_from: z.string() })
const SpanParams = z.object({ from: z.string(), to: z.string() })

export const rollupProgressQuery = {
  name: 'hours/progress',
  params: z.object({}),
  row: z.object({ arrived_before_seconds: z.number(), now_seconds: z.number() }),
} as const
export const touchedDaysQuery = {
  name: 'hours/touched-days',
  params: RunParams,
  row: z.object({ day_seconds: z.number(), hours: z.coerce.number() }),
} as const
export const rollupDifferencesQuery = {
  name: 'hours/differences',
  params: SpanParams,
  row: z.object({
    rollup_table: z.string(),
    hour_seconds: z.number(),
    app_id: z.string(),
    raw_requests: z.coerce.number(),
    rolled_requests: z.coerce.number(),
    /** Last arrival of the raw rows, epoch seconds; 0 when there are none. */
    raw_arrived_seconds: z.number(),
  }),
} as const
/** A bucket (hour, app) of a rollup that does not hold what the raw rows say. */
export type RollupDifference = z.infer<typeof rollupDifferencesQuery.row>

/** The rollups, with the query that computes each and the column of its time. */
export const ROLLUPS = [
  { table: 'app_network_route_hourly', query: 'hours/app-network-route', time: 'hour' },
  { table: 'app_network_user_agent_hourly', query: 'hours/app-network-user-agent', time: 'hour' },
  { table: 'app_user_hourly', query: 'hours/app-user', time: 'hour' },
  { table: 'app_minute', query: 'hours/app-minute', time: 'minute' },
] as const

async function computeTouched(clickhouse: ClickHouse, runId: string): Promise<number> {
  let hours = 0
  for (const day of await clickhouse.query(touchedDaysQuery, { run_id: runId })) {
    const from = dateTimeParam(day.day_seconds * 1000)
    const to = dateTimeParam((day.day_seconds + DAY_SECONDS) * 1000)
    for (const { query } of ROLLUPS) {
      await clickhouse.run({ name: query, params: RunParams.extend(SpanParams.shape) }, { run_id: runId, from, to })
    }
    hours += day.hours
  }
  return hours
}

/**
 * Brings the rollups up to date with the raw rows that have arrived.
 * @param runId names this computation in `touched_hour`
 * @returns how many (hour, app) were computed
 */
export async function computeHours(clickhouse: ClickHouse, runId: string): Promise<number> {
  const [progress] = await clickhouse.query(rollupProgressQuery, {})
  if (progress === undefined) throw new Error('the database does not tell its time')
  const { arrived_before_seconds: before, now_seconds: now } = progress
  const arrivedFrom = Math.max(0, before - LATE_COMMIT_SECONDS)
  await clickhouse.run(
    { name: 'hours/touched', params: ArrivedParams },
    { run_id: runId, arrived_from: dateTimeParam(arrivedFrom * 1000) },
  )
  const hours = await computeTouched(clickhouse, runId)
  await clickhouse.run(
    { name: 'hours/keep-progress', params: z.object({ arrived_before: z.string() }) },
    { arrived_before: dateTimeParam(now * 1000) },
  )
  return hours
}

/** Where rollups differ from the raw rows within a span. */
export async function compareHours(clickhouse: ClickHouse, span: Window): Promise<RollupDifference[]> {
  return await clickhouse.query(rollupDifferencesQuery, {
    from: dateTimeParam(span.fromMs),
    to: dateTimeParam(span.toMs),
  })
}

/** Replaces what the rollups hold of a span (whole hours) by what the raw rows say. For repairs and `forget`; readers see it empty for a moment. */
export async function rebuildHours(clickhouse: ClickHouse, runId: string, span: Window): Promise<void> {
  const params = { from: dateTimeParam(span.fromMs), to: dateTimeParam(span.toMs) }
  for (const { table, time } of ROLLUPS) {
    await clickhouse.command(
      `DELETE FROM ${table} WHERE ${time} >= {from:DateTime('UTC')} AND ${time} < {to:DateTime('UTC')} SETTINGS log_comment = 'hours/rebuild'`,
      params,
    )
  }
  await computeSpan(clickhouse, runId, span)
}

/** Computes every hour of a span (whole hours) that has raw rows. */
export async function computeSpan(clickhouse: ClickHouse, runId: string, span: Window): Promise<void> {
  const params = { from: dateTimeParam(span.fromMs), to: dateTimeParam(span.toMs) }
  await clickhouse.run(
    { name: 'hours/touched-span', params: RunParams.extend(SpanParams.shape) },
    { run_id: runId, ...params },
  )
  await computeTouched(clickhouse, runId)
}
