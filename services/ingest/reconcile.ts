/**
 * The audit: is every offset of a topic stored once, and is ClickHouse as far as Kafka's group? Raw rows, dead letters, ledger and Kafka are held
 * against each other; rollups are computed from raw rows, and whoever computes them compares them.
 *
 * It reads. With `isRepair` it also takes blocks out of the ledger that the tables lack, and moves the group back to the first gap that Kafka can
 * still fill: the service then reads on from there, passes over what is stored and stores the rest. Rows that are stored twice are told, not removed.
 */
import type { Admin } from 'kafkajs'
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { rawRetentionSeconds } from '#lib/raw-retention.ts'
import type { SqlQuery } from '#lib/sql-query.ts'

import { difference } from './blocks/range.ts'
import { readFacts, readIslands } from './kafka/facts.ts'
import { incarnationOf, sourceOf } from './kafka/incarnation.ts'

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
  readonly behind: readonly Behind[]
  /** What was repaired, in words. */
  readonly repaired: readonly string[]
}

export interface ReconcileOptions {
  readonly clickhouse: ClickHouse
  /** undefined: only the tables are looked at. */
  readonly kafka: { readonly admin: Admin; readonly groupId: string; readonly topic: string } | undefined
  readonly isRepair: boolean
}

/** A block is stamped by another row than its records, and both by the second: so much earlier than they expire they are not looked at any more. */
const RETENTION_MARGIN_SECONDS = 86_400

const NoParams = z.object({})
export const doubledOffsetsQuery: SqlQuery<typeof NoParams, typeof DoubleRow> = {
  name: 'ingest/doubled-offsets',
  params: NoParams,
  row: DoubleRow,
}
const BackParams = z.object({ back_seconds: z.int() })
export const shortBlocksQuery: SqlQuery<typeof BackParams, typeof ShortRow> = {
  name: 'ingest/short-blocks',
  params: BackParams,
  row: ShortRow,
}
const BlockParams = z.object({ source: z.string(), partition: z.int(), from: z.int(), to: z.int() })
export const FORGET_BLOCK = { name: 'ingest/forget-block', params: BlockParams } as const

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
  // Before the first block there is a gap only where Kafka still has something.
  const begin = Math.min(facts.low, own[0]?.from ?? facts.low)
  for (const { from, to } of difference([{ from: begin, to: own.at(-1)?.to ?? begin }], own)) {
    const isInKafka = to > facts.low
    audit.gaps.push({ source: sourceOf(topic, latest), partition, from, to, isInKafka })
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

/** Takes what the tables lack out of the ledger and moves the group back; resolves to what was done, in words. */
async function repair(options: ReconcileOptions, audit: Audit): Promise<string[]> {
  const { clickhouse, kafka } = options
  if (kafka === undefined || audit.rewinds.size === 0) return []
  for (const { source, partition, from, to } of audit.forgettable) {
    await clickhouse.run(FORGET_BLOCK, { source, partition, from, to })
  }
  const { admin, groupId, topic } = kafka
  const partitions = [...audit.rewinds].map(([partition, offset]) => ({ partition, offset: String(offset) }))
  await admin.setOffsets({ groupId, topic, partitions })
  return [`${groupId}: moved back in ${partitions.length} partitions; start the service, it stores what is missing`]
}

/** Looks at everything, and repairs what can be repaired when asked to. Throws when Kafka or ClickHouse does not answer. */
export async function reconcile(options: ReconcileOptions): Promise<Reconciled> {
  const { clickhouse, isRepair } = options
  const doubles = await clickhouse.query(doubledOffsetsQuery, {})
  const backSeconds = (await rawRetentionSeconds(clickhouse)) - RETENTION_MARGIN_SECONDS
  const short = await clickhouse.query(shortBlocksQuery, { back_seconds: Math.max(0, backSeconds) })
  const audit = await auditOffsets(options, short)
  const repaired = isRepair ? await repair(options, audit) : []
  return { gaps: audit.gaps, behind: audit.behind, doubles, short, repaired }
}
