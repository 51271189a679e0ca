/** What each table holds, for comparing rollups with the raw table. */
import assert from 'node:assert/strict'

import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'

const Totals = z.object({
  raw: z.coerce.number(),
  raw_offsets: z.coerce.number(),
  dead: z.coerce.number(),
  with_user: z.coerce.number(),
  throttled: z.coerce.number(),
  network: z.coerce.number(),
  network_throttled: z.coerce.number(),
  user: z.coerce.number(),
  route: z.coerce.number(),
  user_agent: z.coerce.number(),
  minute: z.coerce.number(),
  throttle_events: z.coerce.number(),
  ledger_records: z.coerce.number(),
  ledger_dead: z.coerce.number(),
})
export type Totals = z.infer<typeof Totals>

export async function readTotals(clickhouse: ClickHouse): Promise<Totals> {
  const [totals] = await clickhouse.select(
    `SELECT
       (SELECT count() FROM requests) AS raw,
       (SELECT uniqExact(source, partition, offset) FROM requests) AS raw_offsets,
       (SELECT count() FROM dead_requests) AS dead,
       (SELECT countIf(user_id != '') FROM requests) AS with_user,
       (SELECT countIf(status_code = 429) FROM requests) AS throttled,
       (SELECT sum(requests) FROM app_network_hourly) AS network,
       (SELECT sum(throttled) FROM app_network_hourly) AS network_throttled,
       (SELECT sum(requests) FROM app_user_hourly) AS user,
       (SELECT sum(requests) FROM app_route_hourly) AS route,
       (SELECT sum(requests) FROM app_user_agent_hourly) AS user_agent,
       (SELECT sum(requests) FROM app_minute) AS minute,
       (SELECT count() FROM throttle_events) AS throttle_events,
       (SELECT sum(records) FROM ingest_ledger) AS ledger_records,
       (SELECT sum(dead_records) FROM ingest_ledger) AS ledger_dead`,
    Totals,
  )
  if (totals === undefined) throw new Error('no totals')
  return totals
}

/** What the totals must be when `raw` and `dead` are what is stored: every rollup holds each record once. */
export function consistentTotals(totals: Totals): Totals {
  const { raw, dead, with_user, throttled } = totals
  const rolled = { network: raw, user: with_user, route: raw, user_agent: raw, minute: raw }
  const ledger = { ledger_records: raw + dead, ledger_dead: dead }
  const throttles = { network_throttled: throttled, throttle_events: throttled }
  return { raw, raw_offsets: raw, dead, with_user, throttled, ...throttles, ...rolled, ...ledger }
}

/** Throws, with the difference, when a rollup or the ledger does not hold what the raw and the dead table hold. */
export async function assertConsistent(clickhouse: ClickHouse): Promise<Totals> {
  const totals = await readTotals(clickhouse)
  assert.deepEqual(totals, consistentTotals(totals))
  return totals
}
