/** What is known about the partitions that a join has given to this process: commits, ledger, the ends of the log. */
import type { Admin } from 'kafkajs'
import type { Logger } from 'pino'
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { SqlQuery } from '#lib/sql-query.ts'

import { decodeMetadata, type CommitMetadata } from './intent.ts'
import { isCertain, startPosition, type StartNote, type StartPosition } from './start.ts'

const IslandParams = z.object({ topic: z.string(), partition: z.int() })
const Island = z.object({
  source: z.string(),
  from: z.coerce.number(),
  to: z.coerce.number(),
  last_block_from: z.coerce.number(),
  last_block_records: z.coerce.number(),
})
type Island = z.infer<typeof Island>

const islandsQuery: SqlQuery<typeof IslandParams, typeof Island> = {
  name: 'ingest/ledger-islands',
  params: IslandParams,
  row: Island,
}

export async function readIslands(
  clickhouse: ClickHouse,
  topic: string,
  partition: number,
): Promise<readonly Island[]> {
  return await clickhouse.query(islandsQuery, { topic, partition })
}

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

/** The n-th topic of a name: the name itself for the first one, name@n afterwards. */
export function incarnationOf(topic: string, source: string): number {
  return source === topic ? 1 : Number(source.slice(topic.length + 1))
}

export function sourceOf(topic: string, incarnation: number): string {
  return incarnation === 1 ? topic : `${topic}@${incarnation}`
}

export interface Started {
  readonly source: string
  readonly start: StartPosition
  readonly facts: PartitionFacts
}

export interface StartOptions {
  readonly topic: string
  readonly partition: number
  readonly facts: PartitionFacts
  readonly islands: readonly Island[]
  readonly behind: 'rewind' | 'continue'
  /** Asked when commit and ledger disagree: where the stored records of a source end, from an offset on; undefined when there are none. */
  readonly readStoredBeyond: (source: string, from: number) => Promise<number | undefined>
  /** A source that was found to be of an earlier topic of this name. */
  readonly outdated: string | undefined
  /** Epoch milliseconds. */
  readonly nowMs: number
  readonly log: Logger
}

const BeyondParams = z.object({ source: z.string(), partition: z.int(), from: z.int() })
const BeyondRow = z.object({ end: z.coerce.number() })
const beyondQuery: SqlQuery<typeof BeyondParams, typeof BeyondRow> = {
  name: 'ingest/stored-beyond',
  params: BeyondParams,
  row: BeyondRow,
}

export async function readStoredBeyond(
  clickhouse: ClickHouse,
  source: string,
  partition: number,
  from: number,
): Promise<number | undefined> {
  const [row] = await clickhouse.query(beyondQuery, { source, partition, from })
  return row === undefined || row.end === 0 ? undefined : row.end
}

function logNote(options: StartOptions, source: string, note: StartNote): void {
  const { log, topic, partition } = options
  const about = { topic, partition, source, from: note.from, to: note.to, offsets: note.to - note.from }
  switch (note.kind) {
    case 'ledger_behind': {
      const line = { event: 'ingest.ledger_behind', ...about, rewound: note.isRewound }
      log.warn(
        line,
        'ClickHouse lacks offsets that the group has passed (a restore? another database?); LEDGER_BEHIND decides what is done',
      )
      return
    }
    case 'retention_cut':
      log.error(
        { event: 'ingest.retention_cut', ...about },
        'Kafka deleted records before they were stored; they are lost',
      )
      return
    case 'moved_back':
      log.warn(
        { event: 'ingest.moved_back', ...about },
        'the group was moved back; what is stored already is passed over',
      )
  }
}

/** Decides where to begin, under which source, and says what is unusual about it. */
export async function decideStart(options: StartOptions): Promise<Started> {
  const { topic, partition, facts, islands, log } = options
  const { committed, metadata, low, high } = facts
  const intent = metadata.kind === 'intent' ? metadata.intent : undefined
  const latest = Math.max(1, ...islands.map((island) => incarnationOf(topic, island.source)))
  const incarnation = intent?.s === undefined ? latest : Math.max(latest, incarnationOf(topic, intent.s))
  const source = sourceOf(topic, incarnation)
  const own = islands.filter((island) => island.source === source)
  const last = own.at(-1)
  const agreed = { committed, intent, ledger: own.map(({ from, to }) => ({ from, to })) }
  const storedBeyond = isCertain(agreed) ? undefined : await options.readStoredBeyond(source, last?.to ?? 0)
  const decided = startPosition({
    ...agreed,
    lastBlock:
      last === undefined ? undefined : { from: last.last_block_from, to: last.to, records: last.last_block_records },
    storedBeyond,
    low,
    high,
    behind: options.behind,
    nowMs: options.nowMs,
  })
  if (decided.kind === 'start' && source !== options.outdated) {
    for (const note of decided.notes) logNote(options, source, note)
    return { source, start: decided, facts }
  }
  const next = sourceOf(topic, incarnation + 1)
  const line = { event: 'ingest.topic_recreated', topic, partition, source: next, before: source, low, high }
  log.warn(line, 'the topic was created anew: its records are stored under a source of their own')
  const start = {
    kind: 'start',
    position: low,
    pending: undefined,
    known: [],
    doubtBelow: 0,
    doubt: 'offsets',
    notes: [],
  } as const
  return { source: next, start, facts }
}
