/** The store that recovery works on: ClickHouse. */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'

import { batchToken, type Batch } from './batch.ts'
import { insertLedgerEntry } from './ledger.ts'
import { insertDirectly, missingRows } from './recover.ts'
import type { RangeStore, RollupVote } from './recovery.ts'
import { addRangeSql, readRollups, votesSql, type Rollup } from './rollups.ts'
import { insertBatch, type RetryPolicy } from './writer.ts'

const VoteRow = z.object({
  rollup: z.string(),
  week: z.string(),
  present: z.coerce.number(),
  absent: z.coerce.number(),
  buckets: z.coerce.number(),
})

const CoveredRow = z.object({ records: z.coerce.number() })

const COVERED = `SELECT sum(records) AS records FROM (
  SELECT offset_from, offset_to, max(records) AS records FROM ingest_ledger
  WHERE source = {source:String} AND partition = {partition:UInt32} AND offset_from < {to:UInt64} AND offset_to > {from:UInt64}
  GROUP BY offset_from, offset_to)`

/** Recovery repeats itself as a whole, so its inserts are tried once. */
export const ONE_TRY: RetryPolicy = {
  attempts: 1,
  firstPauseMs: 0,
  pauseMaxMs: 0,
  pause: async () => {
    await Promise.resolve()
  },
}

/** Offsets of a batch, as parameters of a query. */
function rangeOf(batch: Batch): { source: string; partition: number; from: number; to: number } {
  return { source: batch.source, partition: batch.partition, from: batch.from, to: batch.to }
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
      return (await missingRows(clickhouse, batch, rangeOf(batch))).length
    },
    async insert(batch) {
      return await insertBatch(clickhouse, batch, ONE_TRY)
    },
    async insertMissing(batch) {
      const rows = await missingRows(clickhouse, batch, rangeOf(batch))
      const token = `${batchToken(batch, batch.from, batch.to)}/direct-${rows[0]?.offset ?? 0}-${rows.length}-${Date.now()}`
      await insertDirectly(clickhouse, rows, token, ONE_TRY)
    },
    async completeLedger(batch) {
      const [covered] = await clickhouse.select(COVERED, CoveredRow, rangeOf(batch))
      if ((covered?.records ?? 0) >= batch.records) return
      await insertLedgerEntry(clickhouse, { ...rangeOf(batch), records: batch.records, dead: batch.dead }, ONE_TRY)
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
