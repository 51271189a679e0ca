import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { parseRfc3339 } from '../../../../services/ingest/decode/timestamp.ts'

const epochMs = fc.integer({ min: Date.UTC(0, 0, 1) - 6e13, max: 253_402_300_799_999 })

test('every instant of the years 0 to 9999 is read as what toISOString wrote', () => {
  fc.assert(
    fc.property(epochMs, (ms) => {
      const text = new Date(ms).toISOString()
      fc.pre(text.length === 24)
      expect(parseRfc3339(text)).toBe(ms)
      expect(parseRfc3339(text.toLowerCase())).toBe(ms)
    }),
  )
})

test('an offset names the same instant', () => {
  const offset = fc.integer({ min: -1439, max: 1439 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), offset, (ms, minutes) => {
      const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1)
      const hours = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')
      const rest = String(Math.abs(minutes) % 60).padStart(2, '0')
      expect(parseRfc3339(`${local}${minutes < 0 ? '-' : '+'}${hours}:${rest}`)).toBe(ms)
    }),
  )
})

test.each([
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['2026-01-01 00:00:00Z', '2026-01-01T00:00:00.000Z'],
  ['2026-01-01T00:00:00.1Z', '2026-01-01T00:00:00.100Z'],
  ['2026-01-01T00:00:00.123999999Z', '2026-01-01T00:00:00.123Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ['2016-12-31T18:59:60.5-05:00', '2017-01-01T00:00:00.500Z'],
  ['2026-11-20T10:00:00+0000', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T10:00:00.123+0530', '2026-11-20T04:30:00.123Z'],
  ['2026-11-20T10:00:00-0330', '2026-11-20T13:30:00.000Z'],
  ['2026-11-20T10:00:00+05', '2026-11-20T05:00:00.000Z'],
  ['2026-11-20 10:00:00,123+0100', '2026-11-20T09:00:00.123Z'],
])('%s is %s', (text, instant) => {
  expect(parseRfc3339(text)).toBe(Date.parse(instant))
})

test.each([
  ['a day that does not exist', '2026-02-30T00:00:00Z'],
  ['29 February of a common year', '2025-02-29T00:00:00Z'],
  ['29 February of 1900', '1900-02-29T00:00:00Z'],
  ['hour 25', '2026-01-01T25:00:00Z'],
  ['hour 24', '2026-01-01T24:00:00Z'],
  ['minute 60', '2026-01-01T00:60:00Z'],
  ['a leap second in the middle of a day', '2026-01-01T12:00:60Z'],
  ['month 13', '2026-13-01T00:00:00Z'],
  ['day 0', '2026-01-00T00:00:00Z'],
  ['no offset', '2026-01-01T00:00:00'],
  ['a date alone', '2026-01-01'],
  ['a year of five digits', '+12026-01-01T00:00:00Z'],
  ['a negative year', '-0001-01-01T00:00:00Z'],
  ['an offset of three digits', '2026-01-01T00:00:00+020'],
  ['an offset of seven digits', '2026-01-01T00:00:00+02:000'],
  ['a zone by name', '2026-01-01T00:00:00 CET'],
  ['a comma without digits', '2026-01-01T00:00:00,Z'],
  ['an offset of 24 hours', '2026-01-01T00:00:00+24:00'],
  ['a dot without digits', '2026-01-01T00:00:00.Z'],
  ['something behind it', '2026-01-01T00:00:00Z '],
  ['words', 'Thu, 01 Jan 2026 00:00:00 GMT'],
  ['digits', '1767225600000'],
  ['nothing', ''],
])('%s is refused', (_, text) => {
  expect(parseRfc3339(text)).toBeUndefined()
})

test('whatever is accepted, Date.parse reads alike, leap seconds and long fractions apart', () => {
  const digit = fc.integer({ min: 0, max: 9 }).map(String)
  const near = fc
    .array(fc.oneof(digit, fc.constantFrom('-', ':', '.', 'T', 'Z', '+', ' ')), { minLength: 18, maxLength: 26 })
    .map((parts) => parts.join(''))
  const pattern = fc.stringMatching(
    /^20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,3})?(Z|[+-][0-2]\d:[0-5]\d)$/,
  )
  fc.assert(
    fc.property(fc.oneof(near, pattern), (text) => {
      const parsed = parseRfc3339(text)
      expect(parsed ?? Date.parse(text)).toBe(Date.parse(text))
    }),
    { numRuns: 2000 },
  )
})
