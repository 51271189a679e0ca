/**
 * Batches into ClickHouse: one INSERT of one block each, retried under the same token, never dropped.
 *
 * - An error that passes (engine busy, server not reached) is retried with growing pauses, then thrown.
 * - A block that is refused for its data is cut in halves under tokens of their own until the one row at fault is alone; that row
 *   becomes a dead letter. It should never happen, since decode.ts bounds every value; if it does, nothing else is held up.
 * - Everything else is thrown. What has not been stored is not in the ledger, so a later run stores it.
 */
import type { BlockInsert, ClickHouse } from '#lib/clickhouse.ts'
import { insertErrorKind, isPassing } from '#lib/engine-error.ts'
import { errorMessage, SidestepError } from '#lib/errors.ts'
import { pause, retry, type Backoff } from '#lib/retry.ts'

import { batchToken, type Batch, type BatchKey } from './block.ts'
import { appendDead, createRowBuffer, LANDING_COLUMNS } from './encode.ts'
import { offsetAt, splitRows } from './rows.ts'

export interface RetryPolicy extends Backoff {
  /** Tries in all. */
  readonly attempts: number
  /** Waits so many milliseconds; may reject when stopped. */
  readonly pause: (milliseconds: number) => Promise<void>
}

/** A server that restarts is back within a minute: 0.25 s doubling to 10 s makes 9 tries last 41 s. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 9, firstPauseMs: 250, pauseMaxMs: 10_000, pause }

/** For whoever repeats the whole by himself. */
export const ONE_TRY: RetryPolicy = { ...DEFAULT_RETRY, attempts: 1 }

interface BlockPart extends BatchKey {
  readonly from: number
  readonly to: number
  /** Rows, each ended by a newline. */
  readonly body: Buffer
}

/** One insert, retried while the error is one that passes. Throws any other, and the last one. */
export async function insertRows(clickhouse: ClickHouse, insert: BlockInsert, policy: RetryPolicy): Promise<void> {
  await retry(async () => await clickhouse.insertBlock(insert), { ...policy, mayPass: isPassing })
}

async function insertPart(clickhouse: ClickHouse, part: BlockPart, policy: RetryPolicy): Promise<void> {
  const token = batchToken(part, part.from, part.to)
  await insertRows(clickhouse, { table: 'landing', columns: LANDING_COLUMNS, body: part.body, token }, policy)
}

/** Stores the rows one by one where it must; returns how many were refused and became dead letters. */
async function insertDivided(clickhouse: ClickHouse, part: BlockPart, policy: RetryPolicy): Promise<number> {
  try {
    await insertPart(clickhouse, part, policy)
    return 0
  } catch (error) {
    if (insertErrorKind(error) !== 'data') throw error
    const parts = splitRows(part.body)
    if (parts !== undefined) {
      const { first, second, middle } = parts
      const refused = await insertDivided(clickhouse, { ...part, to: middle, body: first }, policy)
      return refused + (await insertDivided(clickhouse, { ...part, from: middle, body: second }, policy))
    }
    const rows = createRowBuffer(part.body.length * 2 + 4096)
    const letter = { reason: 'refused_by_engine', detail: errorMessage(error).slice(0, 500) } as const
    appendDead(
      rows,
      { source: part.source, partition: part.partition, offset: offsetAt(part.body, 0) },
      letter,
      part.body,
    )
    await insertPart(clickhouse, { ...part, body: rows.bytes.subarray(0, rows.length) }, policy)
    return 1
  }
}

/**
 * Stores a batch; resolves to the number of rows that the engine refused and that are dead letters now (0 unless decode.ts has a
 * gap). Throws SidestepError when the batch is not stored.
 */
export async function insertBatch(clickhouse: ClickHouse, batch: Batch, policy: RetryPolicy): Promise<number> {
  const body = batch.rows.bytes.subarray(0, batch.rows.length)
  const part = { source: batch.source, partition: batch.partition, from: batch.from, to: batch.to, body }
  try {
    return await insertDivided(clickhouse, part, policy)
  } catch (error) {
    const token = batchToken(batch, batch.from, batch.to)
    throw new SidestepError('failure', `cannot store block ${token}: ${errorMessage(error)}`, { cause: error })
  }
}
