/**
 * One file into blocks, and the blocks to the writer.
 *
 * The loop is the only owner of the open block. It runs ahead of the engine by one block, and waits for a free row buffer otherwise.
 */
import { isAscii } from 'node:buffer'

import type { ClickHouse } from '#lib/clickhouse.ts'

import { openBatch, type Batch, type BatchKey, type BatchLimits } from '../blocks/block.ts'
import type { DecodeOptions } from '../decode/decode.ts'
import type { FileIdentity } from './identity.ts'
import { addLines, addOverlongLine, isBoundary, isUnfinished, type FilePosition, type OpenBlock } from './lines.ts'
import type { FileSource } from './source.ts'
import { insertLedgerEntry, knownOffsets, readKnownFile, type KnownFile, type LedgerEntry } from '../blocks/ledger.ts'
import type { LineChunk } from './line-chunks.ts'
import { isStoredBeyond, recoverBatch } from '../recovery/file-recovery.ts'
import { addProblem, createTally, mergeTally, tallyStored, type Tally } from './tally.ts'
import { DEFAULT_RETRY, type RetryPolicy, type Writer } from '../blocks/insert.ts'

/** What all files of a run share. */
export interface FileRun {
  readonly clickhouse: ClickHouse
  readonly writer: Writer
  readonly decode: DecodeOptions
  readonly limits: BatchLimits
  readonly retry?: RetryPolicy | undefined
  readonly signal?: AbortSignal | undefined
  /** Counts of what is stored. */
  readonly total: Tally
  /** Counts of batches on their way, to be added to the total when they are stored. */
  readonly onTheirWay: Map<Batch, Tally>
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

/** What is in of a file; its last block is in doubt unless something behind it is stored, because blocks are stored one after the other. */
async function knownOf(clickhouse: ClickHouse, identity: FileIdentity): Promise<KnownFile> {
  const known = await readKnownFile(clickhouse, identity)
  const { sure, unsure } = known
  if (unsure === undefined || unsure.source !== identity.source) return known
  const isComplete = await isStoredBeyond(clickhouse, { source: unsure.source, partition: 0, from: unsure.to })
  return isComplete ? { sure: [...sure, unsure], unsure: undefined } : known
}

async function openFile(run: FileRun, file: string, identity: FileIdentity): Promise<FileState> {
  const { sure, unsure, earlierTo } = await knownOf(run.clickhouse, identity)
  return {
    run,
    key: { source: identity.source, partition: 0 },
    position: {
      file,
      decode: run.decode,
      limits: run.limits,
      known: knownOffsets(sure),
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

async function blockOf(state: FileState): Promise<OpenBlock> {
  const { unsure, position } = state
  const key = unsure !== undefined && position.line < unsure.to ? unsure : state.key
  state.block ??= { batch: openBatch(key, await state.run.writer.room()), part: createTally() }
  return state.block
}

/** Says that what came before is in under the identity that the file had when it was shorter. */
async function adoptEarlier(state: FileState, to: number): Promise<void> {
  const entry = { ...state.key, from: 0, to, records: 0, dead: 0 }
  await insertLedgerEntry(state.run.clickhouse, entry, state.run.retry ?? DEFAULT_RETRY)
}

/** Completes the block of an earlier run, or one that an earlier run may have begun to store. */
async function recoverBlock(state: FileState, block: OpenBlock): Promise<void> {
  const { run, unsure, position } = state
  const { batch, part } = block
  const isStored = unsure !== undefined && batch.from < unsure.to
  if (!isStored) {
    state.isNextUnsure = false
    if (state.earlierTo !== undefined) await adoptEarlier(state, state.earlierTo)
  }
  const { problems, refused } = await recoverBatch(run.clickhouse, batch, run.retry ?? DEFAULT_RETRY)
  run.writer.giveBack(batch.rows)
  if (isStored) {
    mergeTally(run.total, { ...createTally(), read: batch.records, duplicate: batch.records, bytes: batch.inputBytes })
  } else {
    tallyStored(run.total, part, batch, refused)
  }
  for (const message of problems) addProblem(run.total, { reason: 'not_repaired', file: position.file, message })
}

/** Sends the open block on its way. */
async function closeBlock(state: FileState): Promise<void> {
  const { run, block } = state
  if (block === undefined) return
  state.block = undefined
  const { batch, part } = block
  if (batch.records === 0) {
    run.writer.giveBack(batch.rows)
    return
  }
  state.hasStored = true
  if (state.isNextUnsure) {
    await recoverBlock(state, block)
  } else {
    run.onTheirWay.set(batch, part)
    await run.writer.write(batch)
  }
}

function isStopped(state: FileState): boolean {
  return state.run.signal?.aborted === true
}

async function readLines(state: FileState, bytes: Buffer): Promise<void> {
  const cursor = { bytes, ascii: isAscii(bytes), at: 0 }
  while (!isStopped(state)) {
    const block = await blockOf(state)
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
      if (isBoundary(position, await blockOf(state))) await closeBlock(state)
      addOverlongLine(position, await blockOf(state), chunk.head, chunk.bytes)
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

/**
 * Says in the ledger that everything before the end of the file is complete, so that the next run over it need not look at its last block again. A
 * range without lines: [end, end).
 */
async function sealFile(state: FileState): Promise<void> {
  const { unsure, position } = state
  if (!state.hasStored) return
  const owner = unsure !== undefined && state.isNextUnsure ? unsure.source : state.key.source
  const entry = { source: owner, partition: 0, from: position.line, to: position.line, records: 0, dead: 0 }
  await insertLedgerEntry(state.run.clickhouse, entry, state.run.retry ?? DEFAULT_RETRY)
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
    if (!isStopped(state)) {
      await closeBlock(state)
      await run.writer.drain()
      await sealFile(state)
    }
  } finally {
    if (state.block !== undefined) run.writer.giveBack(state.block.batch.rows)
    await run.writer.drain()
  }
}
