/**
 * One record, as its source gave it, to a row or a dead letter.
 *
 * Total: any bytes give one or the other, nothing is thrown and nothing is dropped. The same for files and for Kafka.
 */
import { isAscii, isUtf8 } from 'node:buffer'

import type { DeadLetter } from '#schemas/dead-letter.ts'
import { REQUEST_FIELDS } from '#schemas/request-record.ts'

import { CHARS_MAX, checkFields } from './fast-path.ts'
import type { FormatOptions, JsonObject, LogFormat } from './formats/format.ts'
import { isInexact, isObject, textOf } from './formats/values.ts'
import { holdsSeveral, jsonProblem, mendJson, parseExactly } from './json.ts'
import type { LandingRecord, TimeSpan } from './landing-record.ts'
import { repair, type Adjustment } from './repair.ts'
import { withoutPrefix, wrappedIn } from './wrapping.ts'

export interface DecodeOptions extends TimeSpan, FormatOptions {
  readonly format: LogFormat
}

export type Decoded =
  | {
      readonly kind: 'accepted'
      readonly record: LandingRecord
      /** Fields that no schema names; ignored, but counted. */
      readonly unknownFields: readonly string[]
      /** Fields that could not be stored as they were, and what was done. */
      readonly adjusted: readonly Adjustment[]
    }
  | ({ readonly kind: 'dead' } & DeadLetter)

/** A line that is being read. */
interface Line {
  readonly text: string
  /** Bytes that were no UTF-8, here or in an escape, are U+FFFD now. */
  readonly isDamaged: boolean
  /** Wrappings taken off so far. */
  readonly depth: number
}

/** A container's line in a log event in a syslog line: deeper than that, somebody builds nested lines on purpose. */
const DEPTH_MAX = 3

function dead(reason: DeadLetter['reason'], detail: string): Decoded {
  return { kind: 'dead', reason, detail }
}

const NONE: readonly never[] = []

const TEXT_FIELDS = Object.keys(CHARS_MAX)

function unknownFieldsOf(entry: JsonObject): readonly string[] {
  let unknown: string[] | undefined
  for (const name in entry) {
    if (REQUEST_FIELDS.has(name)) continue
    unknown ??= []
    unknown.push(name)
  }
  return unknown ?? NONE
}

function accepted(record: LandingRecord, fields: JsonObject, adjusted: readonly Adjustment[]): Decoded {
  return { kind: 'accepted', record, unknownFields: unknownFieldsOf(fields), adjusted }
}

/** What is in the line when one wrapping is taken off; undefined when there is none. */
function decodeInner(text: string | undefined, line: Line, options: DecodeOptions): Decoded | undefined {
  if (text === undefined || line.depth >= DEPTH_MAX) return undefined
  return decodeLine({ text, isDamaged: line.isDamaged, depth: line.depth + 1 }, options)
}

/** What an object wraps, when it is no request in itself. */
function decodeWrapped(entry: JsonObject, line: Line, options: DecodeOptions): Decoded | undefined {
  const wrapped = wrappedIn(entry)
  if (wrapped === undefined) return undefined
  return 'problem' in wrapped ? dead('unmapped', wrapped.problem) : decodeInner(wrapped.line, line, options)
}

/** True when a field for text has a number that was rounded. */
function hasInexactText(fields: JsonObject): boolean {
  return TEXT_FIELDS.some((name) => isInexact(textOf(fields[name]) ?? ''))
}

/** The fields with whole numbers as they are written, not as a double holds them. */
function exactFields(fields: JsonObject, line: Line, options: DecodeOptions): JsonObject {
  if (!hasInexactText(fields)) return fields
  try {
    const entry = parseExactly(line.text)
    return (isObject(entry) ? options.format.map(entry, options) : undefined) ?? fields
  } catch {
    // The line was mended before it could be read: what was rounded is told as such.
    return fields
  }
}

/** A record that the fast path is not sure of. */
function decodeOdd(entry: JsonObject, fields: JsonObject, line: Line, options: DecodeOptions): Decoded {
  const exact = exactFields(fields, line, options)
  const { earliestMs, latestMs } = options
  const repaired = repair(exact, { earliestMs, latestMs, isDamaged: line.isDamaged })
  if ('record' in repaired) return accepted(repaired.record, fields, repaired.adjusted)
  return decodeWrapped(entry, line, options) ?? dead(repaired.reason, repaired.detail)
}

/** A record that has been parsed: mapped, checked, turned into a row. */
function decodeEntry(entry: JsonObject, line: Line, options: DecodeOptions): Decoded {
  const { format } = options
  let fields: JsonObject | undefined
  try {
    fields = format.map(entry, options)
  } catch {
    // A format that throws has a bug, which must not stop the stream.
    return dead('unmapped', `the format ${format.name} cannot read this record`)
  }
  if (fields === undefined) {
    const why = format.explain?.(entry) ?? `not a request in the format ${format.name}`
    return decodeWrapped(entry, line, options) ?? dead('unmapped', why)
  }
  const record = line.isDamaged ? undefined : checkFields(fields, options)
  return record === undefined ? decodeOdd(entry, fields, line, options) : accepted(record, fields, NONE)
}

/** A line that JSON.parse refuses. */
function decodeBroken(line: Line, error: unknown, options: DecodeOptions): Decoded {
  const { text, isDamaged } = line
  const mended = mendJson(text)
  if (mended !== undefined) {
    try {
      const entry: unknown = JSON.parse(mended)
      const isDamagedNow = isDamaged || (mended.includes('\ufffd') && !text.includes('\ufffd'))
      if (isObject(entry)) return decodeEntry(entry, { ...line, text: mended, isDamaged: isDamagedNow }, options)
    } catch {
      // Not that fault, or not the only one.
    }
  }
  if (holdsSeveral(text, error))
    return dead('not_an_object', 'several JSON objects in one line: write each on a line of its own (jq -c . FILE)')
  const inner = decodeInner(withoutPrefix(text), line, options)
  if (inner !== undefined) return inner
  return isDamaged ? dead('not_utf8', 'the bytes are not UTF-8') : dead('not_json', jsonProblem(text, error))
}

/** A line in a format that is no JSON. */
function decodeColumns(line: Line, parse: NonNullable<LogFormat['parse']>, options: DecodeOptions): Decoded {
  const { format } = options
  let entry: JsonObject | undefined
  try {
    entry = parse(line.text)
  } catch {
    return dead('unmapped', `the format ${format.name} cannot read this line`)
  }
  if (entry === undefined) {
    const why = format.explain?.(line.text) ?? `the line is not in the format ${format.name}`
    return decodeInner(withoutPrefix(line.text), line, options) ?? dead('unmapped', why)
  }
  return decodeEntry(entry, holdsBrokenEscape(line, entry) ? { ...line, isDamaged: true } : line, options)
}

/** Bytes that were no UTF-8 stand as \xHH in such lines. */
function holdsBrokenEscape({ text }: Line, entry: JsonObject): boolean {
  if (!text.includes(String.raw`\x`)) return false
  return Object.values(entry).some((value) => typeof value === 'string' && value.includes('\ufffd'))
}

const BRACE = 123

function decodeLine(line: Line, options: DecodeOptions): Decoded {
  const { text } = line
  const { parse } = options.format
  if (parse !== undefined && text.charCodeAt(0) !== BRACE) return decodeColumns(line, parse, options)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return decodeBroken(line, error, options)
  }
  if (isObject(value)) return decodeEntry(value, line, options)
  const kind = Array.isArray(value) ? 'an array' : 'a bare value'
  return dead('not_an_object', `${kind}, where one JSON object a record is expected`)
}

/** A record given as text. */
export function decodeText(text: string, options: DecodeOptions): Decoded {
  return decodeLine({ text, isDamaged: false, depth: 0 }, options)
}

/**
 * A record given as bytes [from, to) of a buffer. `ascii`: the caller knows that they are all ASCII (checked for a whole chunk at
 * once, which costs nothing), so they need no check here and become a string of one byte a character. Bytes that are not UTF-8 become
 * U+FFFD: one such byte in a header that nobody reads costs nothing.
 */
export function decodeBytes(bytes: Buffer, from: number, to: number, ascii: boolean, options: DecodeOptions): Decoded {
  if (ascii) return decodeText(bytes.toString('latin1', from, to), options)
  const range = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)
  if (isAscii(range)) return decodeText(bytes.toString('latin1', from, to), options)
  return decodeLine({ text: bytes.toString('utf8', from, to), isDamaged: !isUtf8(range), depth: 0 }, options)
}
