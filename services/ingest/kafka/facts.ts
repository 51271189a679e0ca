/** What is read about the partitions that a join has given to this process: commits and ends of the logs from Kafka, what is stored from ClickHouse. */
import type { Admin } from 'kafkajs'
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { SqlQuery } from '#lib/sql-query.ts'

import { latestSource } from './incarnation.ts'
import { decodeMetadata, type CommitMetadata } from './intent.ts'
import { isCertain, type StartFacts } from './start.ts'

const IslandParams = z.object({ topic: z.string(), partition: z.int() })
const Island = z.object({
  source: z.string(),
  from: z.coerce.number(),
  to: z.coerce.number(),
  last_block_from: z.coerce.number(),
  last_block_records: z.coerce.number(),
})
type Island = z.infer<typeof Island>

export const islandsQuery: SqlQuery<typeof IslandParams, typeof Island> = {
  name: 'ingest/ledger-islands',
  params: IslandParams,
  row: Island,
}

/** Ranges that the ledger has of every source of a topic, in order, merged where they meet. */
export async function readIslands(
  clickhouse: ClickHouse,
  topic: string,
  partition: number,
): Promise<readonly Island[]> {
  return await clickhouse.query(islandsQuery, { topic, partition })
}

const BeyondParams = z.object({ source: z.string(), partition: z.int(), from: z.int() })
const BeyondRow = z.object({ end: z.coerce.number() })
export const beyondQuery: SqlQuery<typeof BeyondParams, typeof BeyondRow> = {
  name: 'ingest/stored-beyond',
  params: BeyondParams,
  row: BeyondRow,
}

/** What Kafka tells of a partition. */
export interface PartitionFacts {
  readonly committed: number | undefined
  readonly metadata: CommitMetadata
  readonly low: number
  readonly high: number
}

/** Commits and ends of all partitions of a topic. Asked after GROUP_JOIN, when an older generation can no longer commit. */
export async function readFacts(
  admin: Admin,
  groupId: string,
  topic: string,
): Promise<ReadonlyMap<number, PartitionFacts>> {
  const [commits, ends] = await Promise.all([
    admin.fetchOffsets({ groupId, topics: [topic] }),
    admin.fetchTopicOffsets(topic),
  ])
  const committed = new Map(commits.flatMap((one) => one.partitions.map((part) => [part.partition, part] as const)))
  return new Map(
    ends.map(({ partition, low, high }) => {
      const commit = committed.get(partition)
      // -1: none; -2 and -1 are also what kafkajs commits when it falls back to the earliest or latest offset.
      const offset = commit === undefined || Number(commit.offset) < 0 ? undefined : Number(commit.offset)
      const metadata = offset === undefined ? decodeMetadata(null) : decodeMetadata(commit?.metadata)
      return [partition, { committed: offset, metadata, low: Number(low), high: Number(high) }]
    }),
  )
}

export type StoredFacts = Pick<StartFacts, 'source' | 'intent' | 'ledger' | 'lastBlock' | 'storedBeyond'>

/** What is stored of the latest source of a partition. Reads beyond the ledger only when commit and ledger disagree. */
export async function readStoredFacts(
  clickhouse: ClickHouse,
  topic: string,
  partition: number,
  { committed, metadata }: PartitionFacts,
): Promise<StoredFacts> {
  const intent = metadata.kind === 'intent' ? metadata.intent : undefined
  const islands = await readIslands(clickhouse, topic, partition)
  const source = latestSource(topic, [...islands.map((island) => island.source), intent?.s ?? topic])
  const own = islands.filter((island) => island.source === source)
  const ledger = own.map(({ from, to }) => ({ from, to }))
  const last = own.at(-1)
  const lastBlock =
    last === undefined ? undefined : { from: last.last_block_from, to: last.to, records: last.last_block_records }
  if (isCertain({ committed, intent, ledger })) return { source, intent, ledger, lastBlock, storedBeyond: undefined }
  const [beyond] = await clickhouse.query(beyondQuery, { source, partition, from: last?.to ?? 0 })
  const storedBeyond = beyond === undefined || beyond.end === 0 ? undefined : beyond.end
  return { source, intent, ledger, lastBlock, storedBeyond }
}
