/**
 * Is this the topic that the ledger knows? Kafka lets a topic be deleted and created anew under its name; offsets then start again and may have
 * passed the old ones by the time anybody looks. kafkajs does not tell topic ids, so the last record that was stored is read again and compared
 * with its row.
 */
import type { KafkaMessage } from 'kafkajs'
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { SqlQuery } from '#lib/sql-query.ts'

import { decodeBytes, type DecodeOptions } from '../decode/decode.ts'
import type { Probe } from './partition.ts'
import type { PartitionKey } from './partition-port.ts'
import type { StartPosition } from './start.ts'

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

export interface ProbeOptions {
  readonly clickhouse: ClickHouse
  readonly key: PartitionKey
  readonly start: StartPosition
  /** Ends of the ranges that the ledger has: the offset before an end is a record that was stored. */
  readonly ledgerEnds: readonly number[]
  /** First offset that Kafka still has. */
  readonly low: number
  readonly decode: DecodeOptions
}

/** What to look at first, where there is something to compare: the first record wanted, when it is stored already, else the one before it. */
export function probeOf(options: ProbeOptions): Probe | undefined {
  const { clickhouse, key, start, ledgerEnds, low, decode } = options
  const isStoredAlready = start.position < Math.max(0, ...ledgerEnds)
  const offset = isStoredAlready ? start.position : start.position - 1
  if (offset < low || !(isStoredAlready || ledgerEnds.includes(start.position))) return undefined
  return { offset, isStored: async (message) => await isStored(clickhouse, key, message, decode) }
}
