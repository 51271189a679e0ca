/** The store that recovery works on: ClickHouse. */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'

import { batchToken, type Batch } from '../blocks/block.ts'
import { LANDING_COLUMNS } from '../blocks/encode.ts'
import { insertLedgerEntry } from '../blocks/ledger.ts'
import { encodedRows, insertDirectly, missingRows } from './file-recovery.ts'
import type { OffsetRange } from '../kafka/protocol.ts'
import type { RangeStore, RollupVote } from './recovery.ts'
import { addRangeSql, readRollups, votesSql, type Rollup } from './rollups.ts'
import { insertBatch, insertRows, type RetryPolicy } from '../blocks/insert.ts'

const VoteRow = z.object({
  rollup: z.string(),
  week: z.string(),
  present: z.coerce.number(),
  absent: z.coerce.number(),
  buckets: z.coerce.number(),
})

const EntryRow = z.object({ from: z.coerce.number(), to: z.coerce.number() })

/** Entries of the ledger that overlap a range. */
const ENTRIES = `SELECT offset_from AS from, offset_to AS to FROM ingest_ledger
  WHERE source = {source:String} AND partition = {partition:UInt32} AND offset_from < {to:UInt64} AND offset_to > {from:UInt64}
  ORDER BY from, to`

/** Recovery repeats itself as a whole, so its inserts are tried once. */
export const ONE_TRY: RetryPolicy = {
  attempts: 1,
  firstPauseMs: 0,
  pauseMaxMs: 0,
  pause: async () => {
    await Promise.resolve()
  },
}

const LINE_END = Buffer.from('\n')

/** Offsets of a batch, as parameters of a query. */
function rangeOf(batch: Batch): { source: string; partition: number; from: number; to: number } {
  return { source: batch.source, partition: batch.partition, from: batch.from, to: batch.to }
}

/** What of a range no entry covers. `entries` in the order of their offsets. */
function uncovered(range: OffsetRange, entries: readonly OffsetRange[]): OffsetRange[] {
  const holes: OffsetRange[] = []
  let { from } = range
  for (const entry of entries) {
    if (entry.from > from) holes.push({ from, to: entry.from })
    from = Math.max(from, entry.to)
  }
  if (from < range.to) holes.push({ from, to: range.to })
  return holes
}

export function createRangeStore(clickhouse: ClickHouse): RangeStore<Batch> {
  let views: Promise<readonly Rollup[]> | undefined
  const rollups = async (): Promise<readonly Rollup[]> => {
    views ??= readRollups(clickhouse)
    try {
      return await views
    } catch (error) {
      views = undefined
      throw error
    }
  }
  return {
    async missing(batch) {
      return (await missingRows(clickhouse, batch, rangeOf(batch))).map((row) => row.offset)
    },
    async insert(batch) {
      return await insertBatch(clickhouse, batch, ONE_TRY)
    },
    async insertMissing(batch) {
      const rows = await missingRows(clickhouse, batch, rangeOf(batch))
      const token = `${batchToken(batch, batch.from, batch.to)}/direct-${rows[0]?.offset ?? 0}-${rows.length}-${Date.now()}`
      await insertDirectly(clickhouse, rows, token, ONE_TRY)
    },
    async insertRest(batch) {
      const rows = await missingRows(clickhouse, batch, rangeOf(batch))
      const body = Buffer.concat(rows.flatMap((row) => [row.bytes, LINE_END]))
      const token = `${batchToken(batch, batch.from, batch.to)}/rest-${rows[0]?.offset ?? 0}-${rows.length}`
      await insertRows(clickhouse, { table: 'landing', columns: LANDING_COLUMNS, body, token }, ONE_TRY)
    },
    before(batch, offset) {
      const rows = [...encodedRows(batch)].filter((row) => row.offset < offset)
      const dead = rows.filter((row) => row.isDead).length
      const length = rows.reduce((sum, row) => sum + row.bytes.length + 1, 0)
      return { ...batch, to: offset, records: rows.length, dead, rows: { bytes: batch.rows.bytes, length } }
    },
    async completeLedger(batch) {
      const entries = await clickhouse.select(ENTRIES, EntryRow, rangeOf(batch))
      for (const { from, to } of uncovered(rangeOf(batch), entries)) {
        const rows = [...encodedRows(batch)].filter((row) => row.offset >= from && row.offset < to)
        const dead = rows.filter((row) => row.isDead).length
        const entry = { ...rangeOf(batch), from, to, records: rows.length, dead }
        if (rows.length > 0) await insertLedgerEntry(clickhouse, entry, ONE_TRY)
      }
    },
    async votes(batch) {
      const votes: RollupVote[] = []
      for (const rollup of await rollups()) {
        votes.push(...(await clickhouse.select(votesSql(rollup), VoteRow, rangeOf(batch))))
      }
      return votes
    },
    async addToRollup(batch, vote) {
      const rollup = (await rollups()).find((one) => one.table === vote.rollup)
      if (rollup === undefined) throw new Error(`no such rollup: ${vote.rollup}`)
      await clickhouse.command(addRangeSql(rollup), { ...rangeOf(batch), week: vote.week })
    },
  }
}
