/**
 * Is this the topic that the ledger knows? Kafka lets a topic be deleted and created anew under its name; offsets then start again and may have
 * passed the old ones by the time anybody looks. kafkajs does not tell topic ids, so the last record that was stored is read again and compared
 * with its row.
 */
import type { KafkaMessage } from 'kafkajs'
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'

import { decodeBytes, type DecodeOptions } from '../decode/decode.ts'
import type { Probe } from './partition.ts'
import type { PartitionKey } from './partition-port.ts'
import type { StartPosition } from './start.ts'

const CountRow = z.object({ same: z.coerce.number(), rows: z.coerce.number() })

const AT_OFFSET = 'source = {source:String} AND partition = {partition:UInt32} AND offset = {offset:UInt64}'
const IS_SAME = 'app_id = {app:String} AND timestamp = fromUnixTimestamp64Milli({time:Int64})'

/** Found by the primary key, when the row is the same. */
const SAME = `SELECT count() AS same, count() AS rows FROM requests WHERE ${IS_SAME} AND ${AT_OFFSET}`

/**
 * Reads columns of the whole table: asked only when the row was not found by its key. Counts both in one look: a row that shows between two
 * looks would pass for another record.
 */
const EITHER = `SELECT countIf(${IS_SAME}) AS same, count() AS rows FROM requests WHERE ${AT_OFFSET}`

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
  const params = { source, partition, offset: message.offset, app, time }
  const [byKey] = await clickhouse.select(SAME, CountRow, params)
  if (byKey !== undefined && byKey.same > 0) return true
  const [either] = await clickhouse.select(EITHER, CountRow, params)
  return either === undefined || either.same > 0 || either.rows === 0
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
