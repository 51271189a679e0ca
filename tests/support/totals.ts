/** What each table that ingest fills holds, for comparing the ledger with the rows. */
import assert from 'node:assert/strict'

import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'

const Totals = z.object({
  raw: z.coerce.number(),
  raw_offsets: z.coerce.number(),
  dead: z.coerce.number(),
  dead_offsets: z.coerce.number(),
  /** Offsets that are stored as a record and as a dead letter too. */
  both: z.coerce.number(),
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
       (SELECT uniqExact(source, partition, offset) FROM dead_requests) AS dead_offsets,
       (SELECT count() FROM requests WHERE (source, partition, offset) IN (SELECT source, partition, offset FROM dead_requests)) AS both,
       (SELECT sum(records) FROM ingest_ledger) AS ledger_records,
       (SELECT sum(dead_records) FROM ingest_ledger) AS ledger_dead`,
    Totals,
  )
  if (totals === undefined) throw new Error('no totals')
  return totals
}

/** What the totals must be when `raw` and `dead` are what is stored: no offset twice, and a ledger that counts each record once. */
export function consistentTotals({ raw, dead }: Totals): Totals {
  return { raw, raw_offsets: raw, dead, dead_offsets: dead, both: 0, ledger_records: raw + dead, ledger_dead: dead }
}

/** Throws, with the difference, when an offset is stored twice or the ledger does not count what the raw and the dead table hold. */
export async function assertConsistent(clickhouse: ClickHouse): Promise<Totals> {
  const totals = await readTotals(clickhouse)
  assert.deepEqual(totals, consistentTotals(totals))
  return totals
}
