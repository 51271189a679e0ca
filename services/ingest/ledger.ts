/** Which offsets of a source are in the database: what was read before is passed over, not stored twice. */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { SqlQuery } from '#lib/sql-query.ts'

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
  name: 'ingest-ledger',
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
