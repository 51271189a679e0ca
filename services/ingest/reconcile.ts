/**
 * The audit: is every offset of a topic stored once, does every rollup hold what the raw table holds, and is ClickHouse as far as Kafka's group?
 *
 * It reads. With `isRepair` it also rebuilds rollup buckets from raw rows, takes blocks out of the ledger that the tables lack, and moves the group
 * back to the first gap that Kafka can still fill: the service then reads on from there, passes over what is stored and stores the rest.
 * Rows that are stored twice are told, not removed. Where raw rows are gone that nobody can bring back, a rollup that holds more than the raw table
 * is right, and left alone.
 */
import { TupleParam } from '@clickhouse/client'
import type { Admin } from 'kafkajs'
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'

import { incarnationOf, readFacts, readIslands, sourceOf } from './kafka/facts.ts'
import { differencesSql, readRollups, rebuildSql, type Rollup } from './recovery/rollups.ts'

/** Raw rows live 30 days from their arrival (001_requests.sql); a day less, so that none has expired in what is compared. */
const RAW_DAYS = 29
const DAY_SECONDS = 86_400
const HOUR_SECONDS = 3600
/** Buckets of one rebuild: a statement of about 100 kB. */
const REBUILD_BUCKETS = 1000

export interface Gap {
  readonly source: string
  readonly partition: number
  /** Offsets [from, to) that no block holds. */
  readonly from: number
  readonly to: number
  /** Kafka still has them (some may be transaction markers, which are no records). */
  readonly isInKafka: boolean
}

const DoubleRow = z.object({
  source: z.string(),
  partition: z.number(),
  rows: z.coerce.number(),
  offsets: z.coerce.number(),
})
export type Double = z.infer<typeof DoubleRow>

const ShortRow = z.object({
  source: z.string(),
  partition: z.number(),
  from: z.coerce.number(),
  to: z.coerce.number(),
  recorded: z.coerce.number(),
  stored: z.coerce.number(),
})
/** A block that the ledger has and the tables lack, in whole or in part. */
export type Short = z.infer<typeof ShortRow>

const DifferenceRow = z.object({
  hour: z.number(),
  app_id: z.string(),
  raw: z.coerce.number(),
  rolled: z.coerce.number(),
})

export interface RollupDifference {
  readonly rollup: string
  /** (hour, app) buckets that differ. */
  readonly buckets: number
  /** Requests that the rollup lacks, and has too many. */
  readonly missing: number
  readonly extra: number
}

/** The group is ahead of ClickHouse: [to, committed) was passed and is not stored. */
export interface Behind {
  readonly partition: number
  readonly ledgerEnd: number
  readonly committed: number
}

export interface Reconciled {
  readonly gaps: readonly Gap[]
  readonly doubles: readonly Double[]
  readonly short: readonly Short[]
  readonly differences: readonly RollupDifference[]
  readonly behind: readonly Behind[]
  /** What was repaired, in words. */
  readonly repaired: readonly string[]
  /** What a repair had to leave as it is, in words. */
  readonly left: readonly string[]
}

export interface ReconcileOptions {
  readonly clickhouse: ClickHouse
  /** undefined: only the tables are looked at. */
  readonly kafka: { readonly admin: Admin; readonly groupId: string; readonly topic: string } | undefined
  readonly isRepair: boolean
  /** Epoch milliseconds. */
  readonly nowMs: number
}

/** Rows and offsets by source and partition, of rows that have not begun to expire. */
const DOUBLES = `SELECT source, partition, count() AS rows, uniqExact(offset) AS offsets
  FROM (SELECT source, partition, offset FROM requests UNION ALL SELECT source, partition, offset FROM dead_requests)
  GROUP BY source, partition HAVING rows != offsets ORDER BY source, partition`

/** Blocks of the ledger younger than the retention of raw rows, against the offsets that are stored. */
const SHORT = `WITH recent AS (
    SELECT source, partition, offset_from, offset_to, max(records) AS recorded FROM ingest_ledger
    WHERE ingested_at > now() - INTERVAL ${RAW_DAYS} DAY GROUP BY source, partition, offset_from, offset_to),
  counts AS (
    SELECT recent.source AS source, recent.partition AS partition, recent.offset_from AS offset_from, uniqExact(rows.offset) AS stored
    FROM (SELECT source, partition, offset FROM requests UNION ALL SELECT source, partition, offset FROM dead_requests) AS rows
    ASOF JOIN recent ON rows.source = recent.source AND rows.partition = recent.partition AND rows.offset >= recent.offset_from
    WHERE rows.offset < recent.offset_to
    GROUP BY source, partition, offset_from)
  SELECT source, partition, offset_from AS from, offset_to AS to, recorded, stored
  FROM recent LEFT JOIN counts USING (source, partition, offset_from)
  WHERE stored < recorded ORDER BY source, partition, from`

const FORGET = `ALTER TABLE ingest_ledger DELETE
  WHERE source = {source:String} AND partition = {partition:UInt32} AND offset_from = {from:UInt64} AND offset_to = {to:UInt64}
  SETTINGS mutations_sync = 1`

interface Audit {
  readonly gaps: Gap[]
  readonly behind: Behind[]
  /** Blocks that can be read again. */
  readonly forgettable: Short[]
  /** First offset to read again, by partition. */
  readonly rewinds: Map<number, number>
}

function rewind(audit: Audit, partition: number, offset: number): void {
  audit.rewinds.set(partition, Math.min(offset, audit.rewinds.get(partition) ?? offset))
}

async function auditPartition(
  audit: Audit,
  options: ReconcileOptions,
  partition: number,
  short: readonly Short[],
): Promise<void> {
  const { clickhouse, kafka } = options
  if (kafka === undefined) return
  const { topic } = kafka
  const facts = (await readFacts(kafka.admin, kafka.groupId, topic)).get(partition)
  if (facts === undefined) return
  const islands = await readIslands(clickhouse, topic, partition)
  const latest = Math.max(1, ...islands.map((island) => incarnationOf(topic, island.source)))
  const own = islands.filter((island) => incarnationOf(topic, island.source) === latest)
  for (const [index, island] of own.entries()) {
    // Before the first block there is a gap only where Kafka still has something.
    const from = own[index - 1]?.to ?? facts.low
    if (from >= island.from) continue
    const isInKafka = island.from > facts.low
    audit.gaps.push({ source: island.source, partition, from, to: island.from, isInKafka })
    if (isInKafka) rewind(audit, partition, Math.max(from, facts.low))
  }
  const ledgerEnd = own.at(-1)?.to ?? facts.low
  // An intent under way is not behind: its range is being stored.
  if (facts.committed !== undefined && facts.committed > ledgerEnd) {
    audit.behind.push({ partition, ledgerEnd, committed: facts.committed })
    rewind(audit, partition, Math.max(ledgerEnd, facts.low))
  }
  for (const block of short) {
    if (block.partition !== partition || block.source !== sourceOf(topic, latest) || block.from < facts.low) continue
    audit.forgettable.push(block)
    rewind(audit, partition, block.from)
  }
}

async function auditOffsets(options: ReconcileOptions, short: readonly Short[]): Promise<Audit> {
  const audit: Audit = { gaps: [], behind: [], forgettable: [], rewinds: new Map() }
  const { kafka } = options
  if (kafka === undefined) return audit
  for (const { partition } of await kafka.admin.fetchTopicOffsets(kafka.topic)) {
    await auditPartition(audit, options, partition, short)
  }
  return audit
}

type Bucket = z.infer<typeof DifferenceRow>

const bucketKey = (bucket: Bucket): string => `${bucket.hour}/${bucket.app_id}`

/** Buckets that differ in two looks: between them whatever is being inserted has reached every table. */
async function stableDifferences(options: ReconcileOptions, rollup: Rollup): Promise<Bucket[]> {
  const to = Math.ceil(options.nowMs / 1000 / HOUR_SECONDS + 25) * HOUR_SECONDS
  const from = Math.floor(options.nowMs / 1000 / HOUR_SECONDS) * HOUR_SECONDS - RAW_DAYS * DAY_SECONDS
  const look = async (): Promise<Bucket[]> =>
    await options.clickhouse.select(differencesSql(rollup), DifferenceRow, { from, to })
  const first = await look()
  if (first.length === 0) return []
  const before = new Map(first.map((bucket) => [bucketKey(bucket), bucket.raw - bucket.rolled]))
  return (await look()).filter((bucket) => before.get(bucketKey(bucket)) === bucket.raw - bucket.rolled)
}

function summary(rollup: Rollup, buckets: readonly Bucket[]): RollupDifference {
  const gaps = buckets.map((bucket) => bucket.raw - bucket.rolled)
  const missing = gaps.reduce((sum, gap) => sum + Math.max(0, gap), 0)
  const extra = gaps.reduce((sum, gap) => sum + Math.max(0, -gap), 0)
  return { rollup: rollup.table, buckets: buckets.length, missing, extra }
}

async function rebuild(clickhouse: ClickHouse, rollup: Rollup, buckets: readonly Bucket[]): Promise<void> {
  const [remove, fill] = rebuildSql(rollup)
  for (let from = 0; from < buckets.length; from += REBUILD_BUCKETS) {
    const part = buckets.slice(from, from + REBUILD_BUCKETS)
    const params = { buckets: part.map((bucket) => new TupleParam([bucket.hour, bucket.app_id])) }
    await clickhouse.command(remove, params)
    await clickhouse.command(fill, params)
  }
}

interface Repairs {
  readonly repaired: string[]
  readonly left: string[]
}

/** `rawIsWhole`: every raw row that the ledger knows of is stored, or will be read again. */
async function compareRollups(
  options: ReconcileOptions,
  rawIsWhole: boolean,
  repairs: Repairs,
): Promise<RollupDifference[]> {
  const differences: RollupDifference[] = []
  for (const rollup of await readRollups(options.clickhouse)) {
    const buckets = await stableDifferences(options, rollup)
    if (buckets.length === 0) continue
    differences.push(summary(rollup, buckets))
    if (!options.isRepair) continue
    const repairable = rawIsWhole ? buckets : buckets.filter((bucket) => bucket.raw > bucket.rolled)
    if (repairable.length < buckets.length) {
      const count = buckets.length - repairable.length
      repairs.left.push(
        `${rollup.table}: ${count} buckets hold more than the raw table, of which rows are gone for good`,
      )
    }
    if (repairable.length === 0) continue
    await rebuild(options.clickhouse, rollup, repairable)
    repairs.repaired.push(`${rollup.table}: ${repairable.length} buckets rebuilt from raw rows`)
  }
  return differences
}

/** Looks at everything, and repairs what can be repaired when asked to. Throws when Kafka or ClickHouse does not answer. */
export async function reconcile(options: ReconcileOptions): Promise<Reconciled> {
  const { clickhouse, kafka, isRepair } = options
  const repairs: Repairs = { repaired: [], left: [] }
  const doubles = await clickhouse.select(DOUBLES, DoubleRow)
  const short = await clickhouse.select(SHORT, ShortRow)
  const audit = await auditOffsets(options, short)
  const differences = await compareRollups(options, audit.forgettable.length === short.length, repairs)
  if (isRepair && kafka !== undefined && audit.rewinds.size > 0) {
    for (const { source, partition, from, to } of audit.forgettable) {
      await clickhouse.command(FORGET, { source, partition, from, to })
    }
    const partitions = [...audit.rewinds].map(([partition, offset]) => ({ partition, offset: String(offset) }))
    await kafka.admin.setOffsets({ groupId: kafka.groupId, topic: kafka.topic, partitions })
    repairs.repaired.push(
      `${kafka.groupId}: moved back in ${partitions.length} partitions; start the service, it stores what is missing`,
    )
  }
  return { gaps: audit.gaps, behind: audit.behind, doubles, short, differences, ...repairs }
}
