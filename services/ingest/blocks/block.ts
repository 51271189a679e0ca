/**
 * A batch: the rows of a range of offsets of one source and partition, inserted as one block under one token.
 *
 * The token names the range, so the same range always has the same token and is stored once. Cutting is deterministic for files:
 * it depends on the lines alone (their number and bytes as read), never on time or on what was wrong with them.
 */
import type { DeadLetter } from '#schemas/dead-letter.ts'

import { appendDead, appendRecord, type RowBuffer, type RowOrigin } from './encode.ts'
import type { LandingRecord } from '../decode/landing-record.ts'

/** Where a batch belongs to. `source` holds no quote, slash or control character. */
export interface BatchKey {
  /** Kafka topic, or file:<fingerprint>. */
  readonly source: string
  readonly partition: number
}

export interface Batch extends BatchKey {
  /** First offset in the batch. */
  from: number
  /** Offset after the last one in the batch; offsets between may be missing (blank lines, compaction). */
  to: number
  /** Records, dead ones included. */
  records: number
  dead: number
  /** Bytes as they were read, decompressed. */
  inputBytes: number
  /** When it was opened, epoch milliseconds; only time limits look at it. */
  readonly openedAtMs: number
  readonly rows: RowBuffer
}

export interface BatchLimits {
  readonly rows: number
  /** Bytes as read, decompressed. */
  readonly bytes: number
  /** Milliseconds since it was opened; absent for files, whose ranges must not depend on time. */
  readonly milliseconds?: number
}

/**
 * Measured (docs/benchmarks): 50,000 rows a block cost the engine 10 us each, 20,000 14 us; 100,000 gain nothing and hold twice the memory.
 * Part of the identity of a file's ranges: a change makes a file that was cut off half-way start its next range at another offset.
 */
export const FILE_BATCH_LIMITS: BatchLimits = { rows: 50_000, bytes: 32 * 1024 * 1024 }

/** An empty batch that writes into `rows`, which it empties. `nowMs`: epoch milliseconds, for limits on time. */
export function openBatch(key: BatchKey, rows: RowBuffer, nowMs = 0): Batch {
  rows.length = 0
  return {
    source: key.source,
    partition: key.partition,
    from: 0,
    to: 0,
    records: 0,
    dead: 0,
    inputBytes: 0,
    openedAtMs: nowMs,
    rows,
  }
}

function originAt(batch: Batch, offset: number, inputBytes: number): RowOrigin {
  if (batch.records === 0) batch.from = offset
  batch.to = offset + 1
  batch.records += 1
  batch.inputBytes += inputBytes
  return { source: batch.source, partition: batch.partition, offset }
}

/** Adds an accepted record. Offsets of a batch must grow. `inputBytes`: its bytes as read. */
export function addRecord(batch: Batch, offset: number, record: LandingRecord, inputBytes: number): void {
  appendRecord(batch.rows, originAt(batch, offset, inputBytes), record)
}

/** Adds a dead record with its bytes. `inputBytes`: more than the payload has when that was cut already. */
export function addDead(
  batch: Batch,
  offset: number,
  letter: DeadLetter,
  payload: Uint8Array,
  inputBytes: number,
): void {
  appendDead(batch.rows, originAt(batch, offset, inputBytes), letter, payload)
  batch.dead += 1
}

/** True when the batch must be closed before anything else is appended. */
export function isFull(batch: Batch, limits: BatchLimits, nowMs = 0): boolean {
  if (batch.records === 0) return false
  if (batch.records >= limits.rows || batch.inputBytes >= limits.bytes) return true
  return limits.milliseconds !== undefined && nowMs - batch.openedAtMs >= limits.milliseconds
}

/** Deduplication token: source/partition/from-to. */
export function batchToken(key: BatchKey, from: number, to: number): string {
  return `${key.source}/${key.partition}/${from}-${to}`
}
