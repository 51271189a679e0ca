import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { decodeText } from '../../../../services/ingest/decode/decode.ts'
import {
  appendDead,
  appendRecord,
  createRowBuffer,
  LANDING_COLUMNS,
  PAYLOAD_MAX_BYTES,
} from '../../../../services/ingest/blocks/encode.ts'
import type { LandingRecord } from '../../../../services/ingest/decode/landing-record.ts'
import { DECODE, FULL_RECORD } from '../../../../rig/requests.ts'

const ORIGIN = { source: 'file:0123456789abcdef', partition: 3, offset: 12_345 } as const

const UNESCAPE: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, 0: 0, b: 8, f: 12, '\\': 92 }

/** The cells of TabSeparated rows as bytes: an oracle that reads the format as its manual says. */
function parseRows(bytes: Buffer): Buffer[][] {
  const rows: Buffer[][] = []
  let row: Buffer[] = []
  let cell: number[] = []
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === 92) {
      at += 1
      const letter = String.fromCharCode(bytes[at] ?? 0)
      if (letter === 'N') cell.push(...Buffer.from('NULL'))
      else cell.push(UNESCAPE[letter] ?? Number.NaN)
    } else if (byte === 9 || byte === 10) {
      row.push(Buffer.from(cell))
      cell = []
      if (byte === 10) rows.push(row)
      if (byte === 10) row = []
    } else cell.push(byte)
  }
  if (row.length > 0) throw new Error('the last row is not ended')
  return rows
}

function fullRecord(): LandingRecord {
  const decoded = decodeText(JSON.stringify(FULL_RECORD), DECODE)
  if (decoded.kind !== 'accepted') throw new Error('the full record must be accepted')
  return decoded.record
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => value.isWellFormed()),
  fc.string({
    unit: fc.constantFrom('\t', '\n', '\\', '\0', '\r', "'", 'N', 'é', '\u{1F600}', '\u007f'),
    maxLength: 40,
  }),
)

const CELL = Object.fromEntries(LANDING_COLUMNS.map((name, index) => [name, index]))

test('whatever text a client sends arrives in its own column, in its own row', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 5 }), (values) => {
      const rows = createRowBuffer(16)
      for (const [app_id, user_agent, trace_id] of values)
        appendRecord(rows, ORIGIN, { ...fullRecord(), app_id, user_agent, trace_id })
      const parsed = parseRows(rows.bytes.subarray(0, rows.length))
      expect(parsed).toHaveLength(values.length)
      for (const [index, [app, agent, trace]] of values.entries()) {
        expect(parsed[index]).toHaveLength(LANDING_COLUMNS.length)
        expect(parsed[index]?.[CELL['app_id'] ?? -1]?.toString()).toBe(app)
        expect(parsed[index]?.[CELL['user_agent'] ?? -1]?.toString()).toBe(agent)
        expect(parsed[index]?.[CELL['trace_id'] ?? -1]?.toString()).toBe(trace)
      }
    }),
  )
})

test('a row has its columns in the order of LANDING_COLUMNS', () => {
  const rows = createRowBuffer()
  appendRecord(rows, ORIGIN, { ...fullRecord(), duration_ms: null })
  const [cells] = parseRows(rows.bytes.subarray(0, rows.length))
  const row = Object.fromEntries(LANDING_COLUMNS.map((name, index) => [name, cells?.[index]?.toString()]))
  expect(row).toEqual({
    ...Object.fromEntries(Object.entries(FULL_RECORD).map(([name, value]) => [name, String(value)])),
    source: ORIGIN.source,
    partition: '3',
    offset: '12345',
    reason: '',
    detail: '',
    payload: '',
    timestamp: '1769903999123',
    duration_ms: 'NULL',
  })
})

test('times before September 2001 are written as date and time, because their milliseconds are not told from seconds', () => {
  const rows = createRowBuffer()
  appendRecord(rows, ORIGIN, { ...fullRecord(), timestamp_ms: 999_999_999_999 })
  const [cells] = parseRows(rows.bytes.subarray(0, rows.length))
  expect(cells?.[CELL['timestamp'] ?? -1]?.toString()).toBe('2001-09-09 01:46:39.999')
})

test('the bytes of a dead record survive as they are, cut at 64 KiB', () => {
  const letter = { reason: 'not_utf8', detail: 'the bytes\tare\nnot UTF-8' } as const
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isLong) => {
      const payload = isLong ? Buffer.concat([Buffer.alloc(PAYLOAD_MAX_BYTES - 100, 7), bytes, bytes]) : bytes
      const rows = createRowBuffer(16)
      appendDead(rows, ORIGIN, letter, payload)
      const [cells] = parseRows(rows.bytes.subarray(0, rows.length))
      expect(cells).toHaveLength(LANDING_COLUMNS.length)
      expect(cells?.[4]?.toString()).toBe(letter.detail)
      expect(cells?.[5]).toEqual(Buffer.from(payload.subarray(0, PAYLOAD_MAX_BYTES)))
      expect(cells?.[6]?.toString()).toBe('1970-01-01 00:00:00.000')
    }),
  )
})

test('a buffer that is reused holds only what was appended since it was emptied', () => {
  const rows = createRowBuffer(16)
  appendRecord(rows, ORIGIN, fullRecord())
  const first = Buffer.from(rows.bytes.subarray(0, rows.length))
  rows.length = 0
  appendRecord(rows, ORIGIN, fullRecord())
  expect(rows.bytes.subarray(0, rows.length)).toEqual(first)
})

test('every number is written as its digits, whatever its length', () => {
  const integer = fc.oneof(
    fc.maxSafeNat(),
    fc.integer({ min: 0, max: 15 }).map((power) => 10 ** power),
    fc.integer({ min: 1, max: 15 }).map((power) => 10 ** power - 1),
    fc.constantFrom(0, Number.MAX_SAFE_INTEGER),
  )
  const duration = fc.oneof(fc.double({ min: 0, max: 4_294_967_295, noNaN: true }), fc.integer({ min: 0, max: 99 }))
  const decoded = decodeText(JSON.stringify(FULL_RECORD), DECODE)
  if (decoded.kind === 'dead') throw new Error(decoded.detail)
  const timeMs = fc.integer({ min: 1_000_000_000_000, max: 8_000_000_000_000 })
  fc.assert(
    fc.property(integer, integer, duration, timeMs, (offset, bytes, duration_ms, timestamp_ms) => {
      const rows = createRowBuffer(64)
      const record = { ...decoded.record, response_bytes: bytes, duration_ms, timestamp_ms }
      appendRecord(rows, { ...ORIGIN, offset }, record)
      const cells = (parseRows(rows.bytes.subarray(0, rows.length))[0] ?? []).map(String)
      const cell = (name: (typeof LANDING_COLUMNS)[number]) => cells[LANDING_COLUMNS.indexOf(name)]
      expect(cell('offset')).toBe(String(offset))
      expect(cell('response_bytes')).toBe(String(bytes))
      expect(Number(cell('duration_ms'))).toBe(duration_ms)
      expect(cell('timestamp')).toBe(String(timestamp_ms))
    }),
  )
})
