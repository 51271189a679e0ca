/**
 * Which offsets of a source are in the database: what was read before is passed over, not stored twice.
 *
 * A row of the ledger with 0 records is a note about a file: [0, n) says that those lines are in under another source (it was shorter than what
 * identifies it now), [n, n) that everything before its end n is complete (no kill can have cut its last block off).
 */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { SqlQuery } from '#lib/sql-query.ts'
import { tabSeparatedRow } from '#lib/tab-separated.ts'

import type { FileIdentity } from '../files/identity.ts'
import { insertRows, type RetryPolicy } from './insert.ts'

/** Offsets [from, to) that one block brought in. */
export interface LedgerRange {
  readonly from: number
  readonly to: number
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

const ledgerQuery: SqlQuery<typeof LedgerParams, typeof LedgerRow> = {
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

/** Offsets that are in, for a reader that goes through them in order. */
export interface KnownOffsets {
  /** True when the offset is in. Offsets asked for must grow. */
  has(offset: number): boolean
}

export function knownOffsets(ranges: readonly LedgerRange[]): KnownOffsets {
  let index = 0
  return {
    has(offset) {
      for (;;) {
        const range = ranges[index]
        if (range === undefined || offset < range.from) return false
        if (offset < range.to) return true
        index += 1
      }
    },
  }
}

const LEDGER_COLUMNS = ['source', 'partition', 'offset_from', 'offset_to', 'records', 'dead_records'] as const

export interface LedgerEntry extends LedgerRange {
  readonly source: string
  readonly partition: number
}

/** Adds a row to the ledger by itself; blocks bring theirs with them. */
export async function insertLedgerEntry(clickhouse: ClickHouse, entry: LedgerEntry, retry: RetryPolicy): Promise<void> {
  const { source, partition, from, to, records, dead } = entry
  const body = Buffer.from(tabSeparatedRow([source, partition, from, to, records, dead]), 'utf8')
  const token = `${source}/${partition}/${from}-${to}/ledger`
  await insertRows(clickhouse, { table: 'ingest_ledger', columns: LEDGER_COLUMNS, body, token }, retry)
}

/** What the ledger has of a file. */
export interface KnownFile {
  /** Ranges that are in for sure. */
  readonly sure: readonly LedgerRange[]
  /** The last range: a kill may have left its block in some tables only. */
  readonly unsure: LedgerEntry | undefined
  /** The lines before this one are in under the identity that the file had when it was shorter; absent when it has the same one. */
  readonly earlierTo?: number
}

/** What of a file is in, also when it was shorter then and has another identity now. */
export async function readKnownFile(clickhouse: ClickHouse, identity: FileIdentity): Promise<KnownFile> {
  const sources = [identity.source, ...identity.earlier.map((earlier) => earlier.source)]
  const ledger = await readLedger(clickhouse, sources, 0)
  const own = ledger.get(identity.source)
  if (own !== undefined) return knownFile(own, identity.source)
  for (const earlier of identity.earlier) {
    const ranges = ledger.get(earlier.source)
    // With more lines than the identity was made of it would be another file, which only starts alike.
    if (ranges?.every((range) => range.to <= earlier.lines)) {
      const earlierTo = Math.max(...ranges.map((range) => range.to))
      return { ...knownFile(ranges, earlier.source), earlierTo }
    }
  }
  return { sure: [], unsure: undefined }
}

function knownFile(ranges: readonly LedgerRange[], source: string): KnownFile {
  const last = ranges.at(-1)
  if (last === undefined || last.records === 0) return { sure: ranges, unsure: undefined }
  return { sure: ranges.slice(0, -1), unsure: { ...last, source, partition: 0 } }
}
