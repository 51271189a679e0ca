/**
 * One file into blocks, and the blocks to the writer.
 *
 * The loop is the only owner of the open block. It runs ahead of the engine by one block, and waits for the one before otherwise.
 */
import { isAscii } from 'node:buffer'

import type { ClickHouse } from '#lib/clickhouse.ts'

import { openBatch, type BatchKey, type BatchLimits } from '../blocks/block.ts'
import { insertBatch, type RetryPolicy } from '../blocks/insert.ts'
import type { LedgerEntry } from '../blocks/ledger.ts'
import { rangeCursor } from '../blocks/range.ts'
import type { DecodeOptions } from '../decode/decode.ts'
import { createRangeStore } from '../recovery/range-store.ts'
import { recoveryOf } from '../recovery/recovery.ts'
import type { BlockWriter } from './block-writer.ts'
import type { FileIdentity } from './identity.ts'
import { adoptEarlierLines, readKnownFile, sealFile } from './known-file.ts'
import type { LineChunk } from './line-chunks.ts'
import { addLines, addOverlongLine, isBoundary, isUnfinished, type FilePosition, type OpenBlock } from './lines.ts'
import type { FileSource } from './source.ts'
import { addProblem, createTally, mergeTally, tallyStored, type Tally } from './tally.ts'

/** What all files of a run share. */
export interface FileRun {
  readonly clickhouse: ClickHouse
  readonly writer: BlockWriter
  readonly decode: DecodeOptions
  readonly limits: BatchLimits
  readonly retry: RetryPolicy
  readonly signal?: AbortSignal | undefined
  /** Counts of what is stored. */
  readonly total: Tally
  /** Called when a block is stored and counted. */
  readonly onStored: () => void
}

interface FileState {
  readonly run: FileRun
  readonly key: BatchKey
  readonly position: FilePosition
  /** The last range of an earlier run: its block may be in some tables only. */
  readonly unsure: LedgerEntry | undefined
  /** The lines before this one are in under an earlier identity of the file. */
  readonly earlierTo: number | undefined
  /** The first block after it may be in some tables too, when the earlier run was killed before its ledger row was in. */
  isNextUnsure: boolean
  /** Something was stored, or completed, in this run. */
  hasStored: boolean
  block: OpenBlock | undefined
}

async function openFile(run: FileRun, file: string, identity: FileIdentity): Promise<FileState> {
  const { sure, unsure, earlierTo } = await readKnownFile(run.clickhouse, identity)
  return {
    run,
    key: { source: identity.source, partition: 0 },
    position: {
      file,
      decode: run.decode,
      limits: run.limits,
      known: rangeCursor(sure),
      closeBefore: unsure?.to ?? Number.POSITIVE_INFINITY,
      line: 0,
      passed: run.total,
    },
    unsure,
    earlierTo,
    isNextUnsure: true,
    hasStored: false,
    block: undefined,
  }
}

function blockOf(state: FileState): OpenBlock {
  const { unsure, position, run } = state
  const key = unsure !== undefined && position.line < unsure.to ? unsure : state.key
  state.block ??= { batch: openBatch(key, run.writer.rows), part: createTally() }
  return state.block
}

async function storeBlock({ run }: FileState, { batch, part }: OpenBlock): Promise<void> {
  const refused = await insertBatch(run.clickhouse, batch, run.retry)
  tallyStored(run.total, part, batch, refused)
}

/** Completes the block of an earlier run, or one that an earlier run may have begun to store. */
async function recoverBlock(state: FileState, { batch, part }: OpenBlock, isInLedger: boolean): Promise<void> {
  const { run, key, earlierTo } = state
  const { clickhouse, retry, total } = run
  if (!isInLedger && earlierTo !== undefined) await adoptEarlierLines(clickhouse, key.source, earlierTo, retry)
  // The file may have grown since, or be read with other options: what is stored is believed by its offsets alone.
  const options = { isSameRange: false, pause: retry.pause, onRepair: () => undefined } as const
  const refused = await recoveryOf(createRangeStore(clickhouse, retry), batch, options)()
  if (!isInLedger) tallyStored(total, part, batch, refused)
  else mergeTally(total, { ...createTally(), read: batch.records, duplicate: batch.records, bytes: batch.inputBytes })
}

/** Sends the open block on its way. */
async function closeBlock(state: FileState): Promise<void> {
  const { run, block, unsure, isNextUnsure } = state
  state.block = undefined
  if (block === undefined || block.batch.records === 0) return
  const isInLedger = unsure !== undefined && block.batch.from < unsure.to
  if (!isInLedger) state.isNextUnsure = false
  state.hasStored = true
  await run.writer.write(async () => {
    if (isNextUnsure) await recoverBlock(state, block, isInLedger)
    else await storeBlock(state, block)
    run.onStored()
  })
}

function isStopped(state: FileState): boolean {
  return state.run.signal?.aborted === true
}

async function readLines(state: FileState, bytes: Buffer): Promise<void> {
  const cursor = { bytes, ascii: isAscii(bytes), at: 0 }
  while (!isStopped(state)) {
    const block = blockOf(state)
    if (addLines(state.position, block, cursor) === 'close') await closeBlock(state)
    else return
  }
}

/** What comes before the last line of a file that ends without a newline, when that line is not a whole record. */
function withoutUnfinished(state: FileState, chunk: { readonly bytes: Buffer; readonly terminated: boolean }): Buffer {
  const { position } = state
  if (chunk.terminated || !isUnfinished(position, chunk.bytes, 0)) return chunk.bytes
  const message = 'the last line is not a whole record; it was left for a later run, in case it is still being written'
  addProblem(position.passed, { reason: 'unfinished_line', file: position.file, line: position.line + 1, message })
  return chunk.bytes.subarray(0, 0)
}

async function readChunk(state: FileState, chunk: LineChunk): Promise<void> {
  const { position } = state
  switch (chunk.kind) {
    case 'lines':
      await readLines(state, withoutUnfinished(state, chunk))
      return
    case 'too_long': {
      if (isBoundary(position, blockOf(state))) await closeBlock(state)
      addOverlongLine(position, blockOf(state), chunk.head, chunk.bytes)
      return
    }
    case 'cut_off': {
      const message = `${chunk.problem}; what comes before this line was read`
      addProblem(position.passed, { reason: 'cut_off', file: position.file, line: position.line + 1, message })
      return
    }
  }
}

/** The next chunk; undefined at the end, or when the signal comes first (standard input may never end). */
async function nextChunk(
  chunks: AsyncGenerator<LineChunk>,
  signal: AbortSignal | undefined,
): Promise<LineChunk | undefined> {
  const next = chunks.next()
  if (signal === undefined) return chunkOf(await next)
  const { promise: stopped, resolve } = Promise.withResolvers<undefined>()
  const stop = (): void => resolve(undefined)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return chunkOf(await Promise.race([next, stopped]))
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function chunkOf(result: IteratorResult<LineChunk> | undefined): LineChunk | undefined {
  return result === undefined || result.done === true ? undefined : result.value
}

/** The source that the last block of the file is stored under: the earlier one when there is nothing beyond what that has. */
function lastSource({ unsure, isNextUnsure, key }: FileState): string {
  return unsure !== undefined && isNextUnsure ? unsure.source : key.source
}

/** Reads a file to its end, or until the signal; returns when what was read is stored. */
export async function readFile(run: FileRun, file: string, source: FileSource, identity: FileIdentity): Promise<void> {
  const state = await openFile(run, file, identity)
  try {
    for (;;) {
      const chunk = await nextChunk(source.chunks, run.signal)
      if (chunk === undefined || isStopped(state)) break
      await readChunk(state, chunk)
    }
    if (!isStopped(state)) await closeBlock(state)
  } finally {
    await run.writer.drain()
  }
  if (!isStopped(state) && state.hasStored) {
    await sealFile(run.clickhouse, lastSource(state), state.position.line, run.retry)
  }
}
