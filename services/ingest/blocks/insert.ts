/**
 * Batches into ClickHouse: one INSERT of one block each, retried under the same token, never dropped.
 *
 * - An error that passes (engine busy, server not reached) is retried with growing pauses, then thrown.
 * - A block that is refused for its data is cut in halves under tokens of their own until the one row at fault is alone; that row
 *   becomes a dead letter. It should never happen, since decode.ts bounds every value; if it does, nothing else is held up.
 * - Everything else is thrown. What has not been stored is not in the ledger, so a later run stores it.
 */
import { setTimeout as delay } from 'node:timers/promises'

import type { BlockInsert, ClickHouse } from '#lib/clickhouse.ts'
import { insertErrorKind } from '#lib/engine-error.ts'
import { errorMessage, SidestepError } from '#lib/errors.ts'

import { batchToken, type Batch, type BatchKey } from './block.ts'
import { appendDead, createRowBuffer, LANDING_COLUMNS, type RowBuffer } from './encode.ts'

export interface RetryPolicy {
  /** Tries in all. */
  readonly attempts: number
  /** Pause before the second try, milliseconds; doubles with each further one. */
  readonly firstPauseMs: number
  readonly pauseMaxMs: number
  /** Waits so many milliseconds; may reject when stopped. */
  readonly pause: (milliseconds: number) => Promise<void>
}

/** A server that restarts is back within a minute: 0.25 s doubling to 10 s makes 9 tries last 41 s. */
export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 9,
  firstPauseMs: 250,
  pauseMaxMs: 10_000,
  pause: async (milliseconds) => {
    await delay(milliseconds)
  },
}

interface BlockPart extends BatchKey {
  readonly from: number
  readonly to: number
  /** Rows, each ended by a newline. */
  readonly body: Buffer
}

/** One insert, retried while the error is one that passes. Throws any other, and the last one. */
export async function insertRows(clickhouse: ClickHouse, insert: BlockInsert, retry: RetryPolicy): Promise<void> {
  let pauseMs = retry.firstPauseMs
  for (let attempt = 1; ; attempt += 1) {
    try {
      await clickhouse.insertBlock(insert)
      return
    } catch (error) {
      if (insertErrorKind(error) !== 'passing' || attempt >= retry.attempts) throw error
      await retry.pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, retry.pauseMaxMs)
    }
  }
}

async function insertPart(clickhouse: ClickHouse, part: BlockPart, retry: RetryPolicy): Promise<void> {
  const token = batchToken(part, part.from, part.to)
  await insertRows(clickhouse, { table: 'landing', columns: LANDING_COLUMNS, body: part.body, token }, retry)
}

/** The offset of the row that starts at `at`: its third column. */
function offsetAt(body: Buffer, at: number): number {
  const partition = body.indexOf(9, at) + 1
  const offset = body.indexOf(9, partition) + 1
  return Number(body.toString('latin1', offset, body.indexOf(9, offset)))
}

/** Two parts with about half the bytes each; undefined when there is one row only. */
function halves(part: BlockPart): [BlockPart, BlockPart] | undefined {
  const { body } = part
  let cut = body.indexOf(10, Math.floor(body.length / 2)) + 1
  if (cut === body.length) cut = body.lastIndexOf(10, Math.max(0, body.length - 2)) + 1
  if (cut <= 0 || cut >= body.length) return undefined
  const middle = offsetAt(body, cut)
  return [
    { ...part, to: middle, body: body.subarray(0, cut) },
    { ...part, from: middle, body: body.subarray(cut) },
  ]
}

/** Stores the rows one by one where it must; returns how many were refused and became dead letters. */
async function insertDivided(clickhouse: ClickHouse, part: BlockPart, retry: RetryPolicy): Promise<number> {
  try {
    await insertPart(clickhouse, part, retry)
    return 0
  } catch (error) {
    if (insertErrorKind(error) !== 'data') throw error
    const parts = halves(part)
    if (parts !== undefined) {
      const first = await insertDivided(clickhouse, parts[0], retry)
      return first + (await insertDivided(clickhouse, parts[1], retry))
    }
    const rows = createRowBuffer(part.body.length * 2 + 4096)
    const letter = { reason: 'refused_by_engine', detail: errorMessage(error).slice(0, 500) } as const
    appendDead(
      rows,
      { source: part.source, partition: part.partition, offset: offsetAt(part.body, 0) },
      letter,
      part.body,
    )
    await insertPart(clickhouse, { ...part, body: rows.bytes.subarray(0, rows.length) }, retry)
    return 1
  }
}

/**
 * Stores a batch; resolves to the number of rows that the engine refused and that are dead letters now (0 unless decode.ts has a
 * gap). Throws SidestepError when the batch is not stored.
 */
export async function insertBatch(clickhouse: ClickHouse, batch: Batch, retry: RetryPolicy): Promise<number> {
  const body = batch.rows.bytes.subarray(0, batch.rows.length)
  const part = { source: batch.source, partition: batch.partition, from: batch.from, to: batch.to, body }
  try {
    return await insertDivided(clickhouse, part, retry)
  } catch (error) {
    const token = batchToken(batch, batch.from, batch.to)
    throw new SidestepError('failure', `cannot store block ${token}: ${errorMessage(error)}`, { cause: error })
  }
}

export interface Writer {
  /** A row buffer to fill, as soon as one is free: this is what holds the reader back. Throws when an insert failed. */
  room(): Promise<RowBuffer>
  /**
   * Starts to store a batch, as soon as fewer than `inFlightMax` are being stored; its row buffer is free again afterwards. Batches
   * start in the order in which they are written. Throws when an earlier insert failed.
   */
  write(batch: Batch): Promise<void>
  /** Takes a row buffer back that was not written. */
  giveBack(rows: RowBuffer): void
  /** Resolves when everything is stored. Throws when an insert failed. */
  drain(): Promise<void>
}

export interface WriterOptions {
  readonly clickhouse: ClickHouse
  /** Inserts at a time. One for the embedded engine, which runs them one after the other anyway. */
  readonly inFlightMax: number
  readonly retry?: RetryPolicy
  /** Called when a batch is stored, in the order in which that happens. */
  readonly onStored: (batch: Batch, refused: number) => void
}

/** One buffer is filled while `inFlightMax` others are stored. */
export function createWriter(options: WriterOptions): Writer {
  const free: RowBuffer[] = Array.from({ length: options.inFlightMax + 1 }, () => ({
    bytes: Buffer.alloc(0),
    length: 0,
  }))
  const inFlight = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined

  const store = async (batch: Batch): Promise<void> => {
    try {
      const refused = await insertBatch(options.clickhouse, batch, options.retry ?? DEFAULT_RETRY)
      options.onStored(batch, refused)
    } catch (error) {
      failure ??= { error }
    } finally {
      free.push(batch.rows)
    }
  }
  const throwFailure = (): void => {
    if (failure !== undefined) throw failure.error
  }
  return {
    async room() {
      for (;;) {
        throwFailure()
        const rows = free.pop()
        if (rows !== undefined) return rows
        await Promise.race(inFlight)
      }
    },
    async write(batch) {
      while (inFlight.size >= options.inFlightMax) await Promise.race(inFlight)
      throwFailure()
      const stored = store(batch).finally(() => inFlight.delete(stored))
      inFlight.add(stored)
    },
    giveBack(rows) {
      free.push(rows)
    },
    async drain() {
      await Promise.all(inFlight)
      throwFailure()
    },
  }
}
