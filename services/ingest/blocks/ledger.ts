/** The ledger: which offsets of a source are in the database. What was read before is passed over, not stored twice. */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { SqlQuery } from '#lib/sql-query.ts'
import { tabSeparatedRow } from '#lib/tab-separated.ts'

import { insertRows, type RetryPolicy } from './insert.ts'
import type { OffsetRange } from './range.ts'

/** Offsets that one block brought in. */
export interface LedgerRange extends OffsetRange {
  readonly records: number
  readonly dead: number
}

const LedgerParams = z.object({ sources: z.array(z.string()), partition: z.int() })
const LedgerRow = z.object({
  source: z.string(),
  from: z.coerce.number(),
  to: z.coerce.number(),
  records: z.coerce.number(),
  dead: z.coerce.number(),
})

export const ledgerQuery: SqlQuery<typeof LedgerParams, typeof LedgerRow> = {
  name: 'ingest/ledger',
  params: LedgerParams,
  row: LedgerRow,
}

/** Ranges of each source, in the order of their offsets. */
export async function readLedger(
  clickhouse: ClickHouse,
  sources: readonly string[],
  partition: number,
): Promise<ReadonlyMap<string, readonly LedgerRange[]>> {
  const rows = await clickhouse.query(ledgerQuery, { sources: [...sources], partition })
  return Map.groupBy(rows, (row) => row.source)
}

const LEDGER_COLUMNS = ['source', 'partition', 'offset_from', 'offset_to', 'records', 'dead_records'] as const

export interface LedgerEntry extends LedgerRange {
  readonly source: string
  readonly partition: number
}

/**
 * Adds a row to the ledger by itself; blocks bring theirs with them. The same entry is added once for each `attempt`: a kill may leave a token without
 * its row, and the next attempt has another one.
 */
export async function insertLedgerEntry(
  clickhouse: ClickHouse,
  entry: LedgerEntry,
  attempt: number,
  retry: RetryPolicy,
): Promise<void> {
  const { source, partition, from, to, records, dead } = entry
  const body = Buffer.from(tabSeparatedRow([source, partition, from, to, records, dead]), 'utf8')
  const token = `${source}/${partition}/${from}-${to}/ledger-${attempt}`
  await insertRows(clickhouse, { table: 'ingest_ledger', columns: LEDGER_COLUMNS, body, token }, retry)
}
