/**
 * What the ledger has of a file, told by its identity (docs/adr/0001-file-identity.md).
 *
 * A row of the ledger with 0 records is a remark about a file: [0, n) says that those lines are in under another identity (it was shorter than what
 * identifies it now), [n, n) that everything before its end n is complete (no kill can have cut its last block off).
 */
import type { ClickHouse } from '#lib/clickhouse.ts'

import type { RetryPolicy } from '../blocks/insert.ts'
import { insertLedgerEntry, readLedger, type LedgerEntry, type LedgerRange } from '../blocks/ledger.ts'
import { covers } from '../blocks/range.ts'
import { mendUntilNone } from '../recovery/recovery.ts'
import type { FileIdentity } from './identity.ts'

export interface KnownFile {
  /** Ranges of lines that are in for sure. */
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

/** Says that the lines before `to` are in under an earlier identity, and sees that it is said: otherwise they would be stored again. */
export async function adoptEarlierLines(
  clickhouse: ClickHouse,
  source: string,
  to: number,
  retry: RetryPolicy,
): Promise<void> {
  const entry = { source, partition: 0, from: 0, to, records: 0, dead: 0 }
  const look = async (): Promise<LedgerEntry[]> => {
    const known = (await readLedger(clickhouse, [source], 0)).get(source) ?? []
    return covers(known, entry) ? [] : [entry]
  }
  await mendUntilNone(look, async (_, attempt) => await insertLedgerEntry(clickhouse, entry, attempt, retry))
}

/** Says that every line before `end` is in all tables, so that the next run over the file need not look at its last block. */
export async function sealFile(clickhouse: ClickHouse, source: string, end: number, retry: RetryPolicy): Promise<void> {
  await insertLedgerEntry(clickhouse, { source, partition: 0, from: end, to: end, records: 0, dead: 0 }, 1, retry)
}
