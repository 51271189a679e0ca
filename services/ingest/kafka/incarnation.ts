/**
 * All that is known of a topic that was made anew. Kafka lets a topic be deleted and created again under its name; offsets then start again, and may have
 * passed the old ones by the time anybody looks. kafkajs does not tell topic ids.
 *
 * The n-th topic of a name is its n-th incarnation, whose records are stored under a source of their own: the name for the first, name@n afterwards.
 * Three things tell that the next one has begun, and only they:
 * 1. the log ends before what was stored or committed (start.ts),
 * 2. the last record that was stored is read again and is another one (`probeOf`),
 * 3. kafkajs goes back while it reads (`Arrivals`).
 * 2 and 3 are seen while a session runs: they end it with TopicRenewedError, and the next start takes the next source (`EndedSources`), unless another member
 * has begun it by then.
 */
import type { KafkaMessage } from 'kafkajs'
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { SqlQuery } from '#lib/sql-query.ts'

import { decodeBytes, type DecodeOptions } from '../decode/decode.ts'
import type { PartitionKey } from './partition.ts'

export function incarnationOf(topic: string, source: string): number {
  return source === topic ? 1 : Number(source.slice(topic.length + 1))
}

export function sourceOf(topic: string, incarnation: number): string {
  return incarnation === 1 ? topic : `${topic}@${incarnation}`
}

/** The latest of the sources that are known of a topic. */
export function latestSource(topic: string, sources: readonly string[]): string {
  return sourceOf(topic, Math.max(1, ...sources.map((source) => incarnationOf(topic, source))))
}

export function nextSource(topic: string, source: string): string {
  return sourceOf(topic, incarnationOf(topic, source) + 1)
}

/** The log of a partition is not the one that was read. */
export class TopicRenewedError extends Error {
  override readonly name = 'TopicRenewedError'
  readonly key: PartitionKey

  constructor(key: PartitionKey, wanted: number, met: number) {
    super(`${key.topic}/${key.partition} is another log: at offset ${wanted} it went to ${met}, or has another record`)
    this.key = key
  }
}

/** Sources that were found to be over, until the partition is begun again by this process. */
export class EndedSources {
  private readonly byPartition = new Map<string, string>()

  add({ topic, partition, source }: PartitionKey): void {
    this.byPartition.set(`${topic}/${partition}`, source)
  }

  /** The source of a partition that is over, if any; it is told once. */
  take(topic: string, partition: number): string | undefined {
    const source = this.byPartition.get(`${topic}/${partition}`)
    this.byPartition.delete(`${topic}/${partition}`)
    return source
  }
}

/**
 * What it means where a batch begins. `next`: with the offset wanted. `ask_again`: elsewhere, for the first time. `gap`: Kafka has nothing before it.
 * `renewed`: it went back.
 */
export type Arrival = 'next' | 'ask_again' | 'gap' | 'renewed'

/**
 * Where the batches of a partition begin. That offsets are missing, or that the log is another one, is believed when the same comes after kafkajs
 * was told to go back: a batch that was fetched for an earlier epoch does not come twice.
 */
export class Arrivals {
  private met: number | undefined

  judge(wanted: number, met: number): Arrival {
    if (met !== wanted && met !== this.met) {
      this.met = met
      return 'ask_again'
    }
    this.met = undefined
    // Only a log that is shorter than it was makes kafkajs go back.
    return met === wanted ? 'next' : met > wanted ? 'gap' : 'renewed'
  }
}

const RecordParams = z.object({
  source: z.string(),
  partition: z.int(),
  offset: z.int(),
  app: z.string(),
  time: z.int(),
})
const SameRow = z.object({ same: z.coerce.number() })
const AtOffsetRow = z.object({ same: z.coerce.number(), records: z.coerce.number() })

export const isRecordStoredQuery: SqlQuery<typeof RecordParams, typeof SameRow> = {
  name: 'ingest/is-record-stored',
  params: RecordParams,
  row: SameRow,
}
export const recordAtOffsetQuery: SqlQuery<typeof RecordParams, typeof AtOffsetRow> = {
  name: 'ingest/record-at-offset',
  params: RecordParams,
  row: AtOffsetRow,
}

/** Far beyond any event time that was ever believed: the record is compared, not judged. */
const ANY_TIME = { earliestMs: 0, latestMs: 8_000_000_000_000 } as const

/** False only when the offset holds another accepted record than the one that is stored; what has expired or was dead proves nothing. */
async function isStored(
  clickhouse: ClickHouse,
  key: PartitionKey,
  message: KafkaMessage,
  decode: DecodeOptions,
): Promise<boolean> {
  const value = message.value ?? Buffer.alloc(0)
  const decoded = decodeBytes(value, 0, value.length, false, { ...decode, ...ANY_TIME })
  if (decoded.kind !== 'accepted') return true
  const { source, partition } = key
  const { app_id: app, timestamp_ms: time } = decoded.record
  const params = { source, partition, offset: Number(message.offset), app, time }
  const [byKey] = await clickhouse.query(isRecordStoredQuery, params)
  if (byKey !== undefined && byKey.same > 0) return true
  const [either] = await clickhouse.query(recordAtOffsetQuery, params)
  return either === undefined || either.same > 0 || either.records === 0
}

/** A record that is read again, to see that it is the one that was stored. */
export interface Probe {
  readonly offset: number
  readonly isStored: (message: KafkaMessage) => Promise<boolean>
}

export interface ProbeOptions {
  readonly clickhouse: ClickHouse
  readonly key: PartitionKey
  /** First offset wanted. */
  readonly position: number
  /** Where the ledger ends: the offset before is a record that was stored. undefined: it has nothing. */
  readonly ledgerEnd: number | undefined
  /** First offset that Kafka still has. */
  readonly low: number
  readonly decode: DecodeOptions
}

/** What to look at first, where there is something to compare: the first record wanted, when it is stored already, else the one before it. */
export function probeOf(options: ProbeOptions): Probe | undefined {
  const { clickhouse, key, position, ledgerEnd, low, decode } = options
  if (ledgerEnd === undefined || position > ledgerEnd) return undefined
  const offset = position < ledgerEnd ? position : position - 1
  return offset < low
    ? undefined
    : { offset, isStored: async (message) => await isStored(clickhouse, key, message, decode) }
}
