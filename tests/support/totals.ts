/** What each table that ingest fills holds. */
import assert from 'node:assert/strict'

import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'

const Totals = z.object({
  raw: z.coerce.number(),
  raw_offsets: z.coerce.number(),
  dead: z.coerce.number(),
  with_user: z.coerce.number(),
  throttled: z.coerce.number(),
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
       (SELECT sum(records) FROM ingest_ledger) AS ledger_records,
       (SELECT sum(dead_records) FROM ingest_ledger) AS ledger_dead`,
    Totals,
  )
  if (totals === undefined) throw new Error('no totals')
  return totals
}

/** What the totals must be when `raw` and `dead` are what is stored: each record once. */
export function consistentTotals(totals: Totals): Totals {
  const { raw, dead, with_user, throttled } = totals
  return { raw, raw_offsets: raw, dead, with_user, throttled, ledger_records: raw + dead, ledger_dead: dead }
}

/** Throws, with the difference, when the ledger does not hold what the raw and the dead table hold. */
export async function assertConsistent(clickhouse: ClickHouse): Promise<Totals> {
  const totals = await readTotals(clickhouse)
  assert.deepEqual(totals, consistentTotals(totals))
  return totals
}
