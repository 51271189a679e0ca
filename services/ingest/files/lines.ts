/**
 * Lines of a file into the open block: decodes each, passes over those that are in the database, stops where the block must be closed.
 *
 * Synchronous: everything that waits is in file-reader.ts.
 */
import { addDead, addRecord, isFull, type Batch, type BatchLimits } from '../blocks/block.ts'
import { decodeBytes, type Decoded, type DecodeOptions } from '../decode/decode.ts'
import type { KnownOffsets } from '../blocks/ledger.ts'
import { LINE_LIMITS } from './line-chunks.ts'
import { addDecoded, addProblem, type Tally } from './tally.ts'

/** Where the reader is in a file. */
export interface FilePosition {
  readonly file: string
  readonly decode: DecodeOptions
  readonly limits: BatchLimits
  /** Lines that are in the database. */
  readonly known: KnownOffsets
  /** A block that starts before this line ends before it. */
  closeBefore: number
  /** Number of the next line, from 0. */
  line: number
  /** Counts of lines passed over. */
  readonly passed: Tally
}

/** The batch that is being filled, with the counts of what is in it. */
export interface OpenBlock {
  readonly batch: Batch
  readonly part: Tally
}

/** Lines in a buffer, from `at` on. */
export interface LineCursor {
  readonly bytes: Buffer
  /** All of `bytes` is ASCII. */
  readonly ascii: boolean
  at: number
}

const NEWLINE = 10
const SPACE = 32

/** True for a line of nothing but spaces, tabs and carriage returns. */
function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte !== SPACE && byte !== 9 && byte !== 13) return false
  }
  return true
}

function tooLong(bytes: number): Decoded {
  const detail = `the line has ${bytes} bytes; at most ${LINE_LIMITS.lineBytesMax} are read`
  return { kind: 'dead', reason: 'record_too_long', detail }
}

/** Adds the line [from, to) of `bytes`, which had `lineBytes` bytes in the file. */
function addDecodedLine(
  position: FilePosition,
  block: OpenBlock,
  decoded: Decoded,
  payload: { readonly bytes: Buffer; readonly from: number; readonly to: number },
  lineBytes: number,
): void {
  const { line } = position
  // One more for the newline.
  const inputBytes = lineBytes + 1
  addDecoded(block.part, decoded)
  if (decoded.kind === 'accepted') {
    addRecord(block.batch, line, decoded.record, inputBytes)
    return
  }
  addProblem(block.part, { reason: decoded.reason, file: position.file, line: line + 1, message: decoded.detail })
  addDead(block.batch, line, decoded, payload.bytes.subarray(payload.from, payload.to), inputBytes)
}

function decodeLine(position: FilePosition, cursor: LineCursor, to: number): Decoded {
  const lineBytes = to - cursor.at
  if (lineBytes > LINE_LIMITS.lineBytesMax) return tooLong(lineBytes)
  return decodeBytes(cursor.bytes, cursor.at, to, cursor.ascii, position.decode)
}

/** True when the next line may not go into the block: it is in the database, or belongs to another range. */
export function isBoundary(position: FilePosition, block: OpenBlock): boolean {
  if (block.batch.records === 0) return false
  return (
    position.known.has(position.line) ||
    (position.line >= position.closeBefore && block.batch.from < position.closeBefore)
  )
}

function passOver(position: FilePosition, lineBytes: number): void {
  position.passed.read += 1
  position.passed.duplicate += 1
  position.passed.bytes += lineBytes + 1
}

/** Adds lines until the chunk is used up ('more') or the block must be closed first ('close'). */
export function addLines(position: FilePosition, block: OpenBlock, cursor: LineCursor): 'more' | 'close' {
  const { bytes } = cursor
  while (cursor.at < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, cursor.at)
    const to = newline < 0 ? bytes.length : newline
    if (!isBlank(bytes, cursor.at, to)) {
      if (isBoundary(position, block)) return 'close'
      if (position.known.has(position.line)) {
        passOver(position, to - cursor.at)
      } else {
        const payload = { bytes, from: cursor.at, to }
        addDecodedLine(position, block, decodeLine(position, cursor, to), payload, to - cursor.at)
      }
    }
    position.line += 1
    cursor.at = to + 1
    if (isFull(block.batch, position.limits)) return 'close'
  }
  return 'more'
}

/** Adds a line of which only the head was kept because it is too long. The block must not be at a boundary. */
export function addOverlongLine(position: FilePosition, block: OpenBlock, head: Buffer, lineBytes: number): void {
  if (position.known.has(position.line)) passOver(position, lineBytes)
  else addDecodedLine(position, block, tooLong(lineBytes), { bytes: head, from: 0, to: head.length }, lineBytes)
  position.line += 1
}

/**
 * True when the last line of a file, which has no newline, is not a whole record: it is still being written, or was cut off.
 * It is left for a later run, because once stored as dead its offset would be taken.
 */
export function isUnfinished(position: FilePosition, bytes: Buffer, from: number): boolean {
  if (isBlank(bytes, from, bytes.length) || position.known.has(position.line)) return false
  const decoded = decodeLine(position, { bytes, ascii: false, at: from }, bytes.length)
  if (decoded.kind === 'accepted') return false
  if (decoded.reason === 'unmapped') return position.decode.format.parse !== undefined
  return decoded.reason === 'not_json' || decoded.reason === 'not_utf8'
}
