/** The store that recovery works on: ClickHouse. */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { SqlQuery } from '#lib/sql-query.ts'

import { batchToken, type Batch } from '../blocks/block.ts'
import { insertBatch, insertRows, type RetryPolicy } from '../blocks/insert.ts'
import { insertLedgerEntry } from '../blocks/ledger.ts'
import { difference, rangeCursor, type OffsetRange } from '../blocks/range.ts'
import { countRows, encodedRows, rowsByTable } from '../blocks/rows.ts'
import type { RangeStore } from './recovery.ts'

const RangeParams = z.object({ source: z.string(), partition: z.int(), from: z.int(), to: z.int() })
type RangeParams = z.infer<typeof RangeParams>
const RangeRow = z.object({ from: z.coerce.number(), to: z.coerce.number() })

export const storedRangesQuery: SqlQuery<typeof RangeParams, typeof RangeRow> = {
  name: 'ingest/stored-ranges',
  params: RangeParams,
  row: RangeRow,
}

export const ledgerOverlapsQuery: SqlQuery<typeof RangeParams, typeof RangeRow> = {
  name: 'ingest/ledger-overlaps',
  params: RangeParams,
  row: RangeRow,
}

/** Offsets of a batch, as parameters of a query. */
function rangeOf({ source, partition, from, to }: Batch): RangeParams {
  return { source, partition, from, to }
}

async function missingOffsets(clickhouse: ClickHouse, batch: Batch): Promise<number[]> {
  const stored = rangeCursor(await clickhouse.query(storedRangesQuery, rangeOf(batch)))
  return encodedRows(batch)
    .map(({ offset }) => offset)
    .filter((offset) => !stored.has(offset))
    .toArray()
}

async function uncoveredRanges(clickhouse: ClickHouse, batch: Batch): Promise<OffsetRange[]> {
  const covered = await clickhouse.query(ledgerOverlapsQuery, rangeOf(batch))
  return difference([batch], covered).filter((range) => countRows(batch, range).records > 0)
}

/** `retry`: of each insert. Whoever repeats a recovery as a whole needs one try. */
export function createRangeStore(clickhouse: ClickHouse, retry: RetryPolicy): RangeStore<Batch> {
  return {
    missing: async (batch) => await missingOffsets(clickhouse, batch),
    insert: async (batch) => await insertBatch(clickhouse, batch, retry),
    async insertMissing(batch, offsets, attempt) {
      const wanted = new Set(offsets)
      const rows = encodedRows(batch).filter(({ offset }) => wanted.has(offset))
      const token = `${batchToken(batch, batch.from, batch.to)}/direct-${offsets[0] ?? 0}-${offsets.length}-${attempt}`
      for (const part of rowsByTable(rows.toArray())) await insertRows(clickhouse, { ...part, token }, retry)
    },
    uncovered: async (batch) => await uncoveredRanges(clickhouse, batch),
    async insertLedger(batch, ranges, attempt) {
      for (const range of ranges) {
        const entry = { ...rangeOf(batch), ...range, ...countRows(batch, range) }
        await insertLedgerEntry(clickhouse, entry, attempt, retry)
      }
    },
  }
}
