/**
 * One record, as its source gave it, to a row or a dead letter.
 *
 * Total: any bytes give one or the other, nothing is thrown and nothing is dropped. The same for files and for Kafka.
 */
import { isAscii, isUtf8 } from 'node:buffer'

import type { DeadLetter } from '#schemas/dead-letter.ts'
import { REQUEST_FIELDS } from '#schemas/request-record.ts'

import { checkFields } from './fast-path.ts'
import { checkSchema } from './schema-path.ts'
import type { FormatOptions, JsonObject, LogFormat } from './formats/format.ts'
import type { LandingRecord, TimeSpan } from './landing-record.ts'

export interface DecodeOptions extends TimeSpan, FormatOptions {
  readonly format: LogFormat
}

export type Decoded =
  | {
      readonly kind: 'accepted'
      readonly record: LandingRecord
      /** Fields that no schema names; ignored, but counted. */
      readonly unknownFields: readonly string[]
    }
  | ({ readonly kind: 'dead' } & DeadLetter)

function dead(reason: DeadLetter['reason'], detail: string): Decoded {
  return { kind: 'dead', reason, detail }
}

const NONE: readonly string[] = []

function unknownFieldsOf(entry: JsonObject): readonly string[] {
  let unknown: string[] | undefined
  for (const name in entry) {
    if (REQUEST_FIELDS.has(name)) continue
    unknown ??= []
    unknown.push(name)
  }
  return unknown ?? NONE
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What JSON.parse says, without the excerpt of the record that V8 puts into it. */
function jsonProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return `not JSON: ${message
    .replace(/,? *\.*"[\s\S]*$/, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 120)}`
}

/** A record that has been parsed: mapped, checked, turned into a row. */
function decodeEntry(entry: JsonObject, options: DecodeOptions): Decoded {
  let fields: JsonObject | undefined
  try {
    fields = options.format.map(entry, options)
  } catch {
    // A format that throws has a bug, which must not stop the stream.
    return dead('unmapped', `the format ${options.format.name} cannot read this record`)
  }
  if (fields === undefined) return dead('unmapped', `not a request in the format ${options.format.name}`)
  const row = checkFields(fields, options) ?? checkSchema(fields, options)
  if ('reason' in row) return dead(row.reason, row.detail)
  return { kind: 'accepted', record: row, unknownFields: unknownFieldsOf(fields) }
}

/** A record given as text. */
export function decodeText(text: string, options: DecodeOptions): Decoded {
  const { format } = options
  let value: unknown
  try {
    value = format.parse === undefined ? JSON.parse(text) : format.parse(text)
  } catch (error) {
    if (format.parse !== undefined) return dead('unmapped', `the format ${format.name} cannot read this line`)
    return dead('not_json', jsonProblem(error))
  }
  if (value === undefined) return dead('unmapped', `the line is not in the format ${format.name}`)
  if (isJsonObject(value)) return decodeEntry(value, options)
  const kind = Array.isArray(value) ? 'an array' : 'a bare value'
  return dead('not_an_object', `${kind}, where one JSON object a record is expected`)
}

/**
 * A record given as bytes [from, to) of a buffer. `ascii`: the caller knows that they are all ASCII (checked for a whole chunk at
 * once, which costs nothing), so they need no check here and become a string of one byte a character.
 */
export function decodeBytes(bytes: Buffer, from: number, to: number, ascii: boolean, options: DecodeOptions): Decoded {
  if (ascii) return decodeText(bytes.toString('latin1', from, to), options)
  const range = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)
  if (isAscii(range)) return decodeText(bytes.toString('latin1', from, to), options)
  if (!isUtf8(range)) return dead('not_utf8', 'the bytes are not UTF-8')
  return decodeText(bytes.toString('utf8', from, to), options)
}
