/**
 * Rows of `landing` as TabSeparated, written into a buffer that is reused from block to block.
 *
 * Rows kept as strings and joined make the garbage collector cost 40 % of the path (docs/benchmarks); here a row is bytes at once.
 * Whatever text a client put into its request arrives in the table as it was: tabs, newlines, backslashes and control characters are
 * escaped as the format says, so no value can become a column or a row of its own.
 */
import type { DeadLetter } from '#schemas/dead-letter.ts'

import type { LandingRecord } from '../decode/landing-record.ts'

/** Columns of `landing` in the order of a row. */
export const LANDING_COLUMNS = [
  'source',
  'partition',
  'offset',
  'reason',
  'detail',
  'payload',
  'timestamp',
  'app_id',
  'client_ip',
  'method',
  'route',
  'status_code',
  'user_id',
  'user_agent',
  'request_id',
  'credential_id',
  'ratelimit_limit',
  'ratelimit_remaining',
  'ratelimit_reset',
  'duration_ms',
  'request_bytes',
  'response_bytes',
  'host',
  'region',
  'gateway',
  'trace_id',
] as const

/** Bytes of a dead record that are kept. */
export const PAYLOAD_MAX_BYTES = 65_536

/** A growing buffer of rows; `bytes` beyond `length` is room. */
export interface RowBuffer {
  bytes: Buffer
  length: number
}

/** Room that a block of 50,000 records of 250 bytes needs. */
const INITIAL_BYTES = 16 * 1024 * 1024

export function createRowBuffer(initialBytes: number = INITIAL_BYTES): RowBuffer {
  return { bytes: Buffer.allocUnsafeSlow(initialBytes), length: 0 }
}

/** Makes room for `more` bytes after `length`. */
function reserve(rows: RowBuffer, more: number): void {
  const needed = rows.length + more
  if (needed <= rows.bytes.length) return
  const grown = Buffer.allocUnsafeSlow(Math.max(needed, rows.bytes.length * 2))
  rows.bytes.copy(grown, 0, 0, rows.length)
  rows.bytes = grown
}

const TAB = 9
const NEWLINE = 10
const BACKSLASH = 92
const NULL_TEXT = '\\N'

/** Escape letter of each byte that TabSeparated cannot hold as it is; 0 for all others. */
const ESCAPES = new Uint8Array(256)
for (const [byte, letter] of [
  [0, '0'],
  [8, 'b'],
  [9, 't'],
  [10, 'n'],
  [12, 'f'],
  [13, 'r'],
  [92, '\\'],
] as const) {
  ESCAPES[byte] = letter.charCodeAt(0)
}

/** Bytes of a value, escaped; returns the position after it. Takes at most twice its length. */
function writeBytes(target: Buffer, start: number, value: Uint8Array): number {
  let at = start
  for (let index = 0; index < value.length; index += 1) {
    const byte = value[index] ?? 0
    const escape = ESCAPES[byte] ?? 0
    if (escape !== 0) {
      target[at] = BACKSLASH
      at += 1
      target[at] = escape
    } else {
      target[at] = byte
    }
    at += 1
  }
  return at
}

/**
 * Text and a tab; returns the position after them. Takes at most three times its length, and one.
 * Nearly all text is short ASCII without anything to escape: a loop over its characters is the cheapest way to find that out and
 * to copy it in one go.
 */
function writeText(target: Buffer, start: number, text: string): number {
  const { length } = text
  let at = start
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 32 || code === BACKSLASH || code > 126) {
      at = writeBytes(target, start, Buffer.from(text, 'utf8'))
      break
    }
    target[at] = code
    at += 1
  }
  target[at] = TAB
  return at + 1
}

/** Integers up to here are handled as 32 bits, which is several times as fast as the text of a number. */
const BILLION = 1e9

/** `digits` digits of an integer below a billion, leading zeros included; returns the position after them. */
function writeDigits(target: Buffer, start: number, value: number, digits: number): number {
  let rest = value | 0
  for (let at = start + digits - 1; at >= start; at -= 1) {
    const tenth = (rest / 10) | 0
    target[at] = 48 + rest - tenth * 10
    rest = tenth
  }
  return start + digits
}

function digitsOf(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits += 1
  return digits
}

/** A safe integer that is not negative, and a tab. */
function writeInteger(target: Buffer, start: number, value: number): number {
  let at = start
  if (value < BILLION) at = writeDigits(target, at, value, digitsOf(value))
  else {
    const high = Math.floor(value / BILLION)
    at = writeDigits(target, at, high, digitsOf(high))
    at = writeDigits(target, at, value - high * BILLION, 9)
  }
  target[at] = TAB
  return at + 1
}

function writeNumber(target: Buffer, start: number, value: number | null): number {
  if (value !== null && Number.isInteger(value) && value >= 0) return writeInteger(target, start, value)
  return writePlain(target, start, value === null ? NULL_TEXT : String(value))
}

/** Text that needs no escape, and a tab. */
function writePlain(target: Buffer, start: number, text: string): number {
  let at = start
  for (let index = 0; index < text.length; index += 1) {
    target[at] = text.charCodeAt(index)
    at += 1
  }
  target[at] = TAB
  return at + 1
}

/** Epoch milliseconds from 2001-09-09 on have 13 digits, which ClickHouse reads as such; before that it needs date and time. */
const THIRTEEN_DIGITS_MS = 1e12

function writeTimestamp(target: Buffer, start: number, timestampMs: number): number {
  if (timestampMs >= THIRTEEN_DIGITS_MS) return writeInteger(target, start, timestampMs)
  return writePlain(target, start, new Date(timestampMs).toISOString().replace('T', ' ').replace('Z', ''))
}

/** Where a row comes from. */
export interface RowOrigin {
  /** Kafka topic, or file:<fingerprint>. */
  readonly source: string
  readonly partition: number
  readonly offset: number
}

/** Most bytes of the parts of a row that are not the client's text: numbers, tabs, an address, a time. */
const FIXED_MAX_BYTES = 512

/** Most bytes that the text of a record takes: three for each character. */
function textBytesMax(record: LandingRecord): number {
  const identifiers =
    record.app_id.length + record.user_id.length + record.request_id.length + record.credential_id.length
  const labels =
    record.method.length + record.route.length + record.user_agent.length + record.host.length + record.region.length
  return 3 * (identifiers + labels + record.gateway.length + record.trace_id.length)
}

/** Appends the row of an accepted record. */
export function appendRecord(rows: RowBuffer, origin: RowOrigin, record: LandingRecord): void {
  reserve(rows, FIXED_MAX_BYTES + 3 * origin.source.length + textBytesMax(record))
  const target = rows.bytes
  let at = writeText(target, rows.length, origin.source)
  at = writeNumber(target, at, origin.partition)
  at = writeNumber(target, at, origin.offset)
  // reason, detail and payload are empty.
  target[at] = TAB
  target[at + 1] = TAB
  target[at + 2] = TAB
  at = writeTimestamp(target, at + 3, record.timestamp_ms)
  at = writeText(target, at, record.app_id)
  at = writePlain(target, at, record.client_ip)
  at = writeText(target, at, record.method)
  at = writeText(target, at, record.route)
  at = writeNumber(target, at, record.status_code)
  at = writeText(target, at, record.user_id)
  at = writeText(target, at, record.user_agent)
  at = writeText(target, at, record.request_id)
  at = writeText(target, at, record.credential_id)
  at = writeNumber(target, at, record.ratelimit_limit)
  at = writeNumber(target, at, record.ratelimit_remaining)
  at = writeNumber(target, at, record.ratelimit_reset)
  at = writeNumber(target, at, record.duration_ms)
  at = writeNumber(target, at, record.request_bytes)
  at = writeNumber(target, at, record.response_bytes)
  at = writeText(target, at, record.host)
  at = writeText(target, at, record.region)
  at = writeText(target, at, record.gateway)
  at = writeText(target, at, record.trace_id)
  target[at - 1] = NEWLINE
  rows.length = at
}

/** What a dead row has in the columns of a record: a valid time and address, nothing else. */
const DEAD_RECORD = '1970-01-01 00:00:00.000\t\t::\t\t\t0\t\t\t\t\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\t\t\t\n'

/** Appends the row of a dead record; `payload` is cut at 64 KiB and kept byte by byte. */
export function appendDead(rows: RowBuffer, origin: RowOrigin, letter: DeadLetter, payload: Uint8Array): void {
  const kept = payload.length > PAYLOAD_MAX_BYTES ? payload.subarray(0, PAYLOAD_MAX_BYTES) : payload
  reserve(rows, 2 * FIXED_MAX_BYTES + 3 * (origin.source.length + letter.detail.length) + 2 * kept.length)
  const target = rows.bytes
  let at = writeText(target, rows.length, origin.source)
  at = writeNumber(target, at, origin.partition)
  at = writeNumber(target, at, origin.offset)
  at = writeText(target, at, letter.reason)
  at = writeText(target, at, letter.detail)
  at = writeBytes(target, at, kept)
  target[at] = TAB
  at += 1
  rows.length = at + target.write(DEAD_RECORD, at, 'latin1')
}
