import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { RequestRecord } from '#schemas/request-record.ts'

import { checkFields } from '../../../../services/ingest/decode/fast-path.ts'
import { checkSchema } from '../../../../services/ingest/decode/schema-path.ts'
import { decodeBytes, decodeText, type Decoded } from '../../../../services/ingest/decode/decode.ts'
import { DECODE, FULL_RECORD, mutatedRecord, SPAN } from '../../../../rig/requests.ts'

function decode(record: unknown): Decoded {
  return decodeText(JSON.stringify(record), DECODE)
}

function decodeBuffer(bytes: Buffer): Decoded {
  return decodeBytes(bytes, 0, bytes.length, false, DECODE)
}

test('a full record becomes a row', () => {
  expect(decode(FULL_RECORD)).toEqual({
    kind: 'accepted',
    record: {
      ...Object.fromEntries(Object.entries(FULL_RECORD).filter(([name]) => name !== 'timestamp')),
      timestamp_ms: Date.UTC(2026, 0, 31, 23, 59, 59, 123),
    },
    unknownFields: [],
  })
})

/** zod counts such a character as one, the fast path as two: near a limit it is not sure, and zod decides. */
const TWO_UNITS = /[\u{10000}-\u{10ffff}]/u

test('the fast path and zod agree on whatever a record holds: the same row, or no row', () => {
  fc.assert(
    fc.property(mutatedRecord, (record) => {
      const fast = checkFields(record, SPAN)
      const slow = checkSchema(record, SPAN)
      const isAccepted = !('reason' in slow)
      const isFastSure = fast !== undefined || !TWO_UNITS.test(JSON.stringify(record))
      expect(fast).toEqual(isAccepted && isFastSure ? slow : undefined)
    }),
    { numRuns: 20_000 },
  )
})

test('a row is given only for what the published schema accepts, nulls apart', () => {
  fc.assert(
    fc.property(mutatedRecord, (record) => {
      // As JSON has it: an infinite number is written as null, and null is absent.
      const sent: Record<string, unknown> = JSON.parse(JSON.stringify(record))
      const withoutNulls = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null))
      const isValid = RequestRecord.safeParse(withoutNulls).success
      expect(isValid || decode(record).kind === 'dead').toBe(true)
    }),
    { numRuns: 5000 },
  )
})

/** Invariant 4. */
test('any bytes give a row or a dead letter, never an exception', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 3 })).map(([at, noise]) => {
      const line = Buffer.from(JSON.stringify(FULL_RECORD))
      line.set(noise, at % (line.length - noise.length))
      return line
    }),
  )
  fc.assert(
    fc.property(bytes, (input) => {
      const decoded = decodeBuffer(Buffer.from(input))
      expect(['accepted', 'dead']).toContain(decoded.kind)
    }),
    { numRuns: 5000 },
  )
})

test('the detail of a dead letter never holds the record', () => {
  const secret = 'not-to-be-shown'
  for (const line of [
    `{"app_id":"${secret}`,
    secret,
    `["${secret}"]`,
    `{"app_id":"${secret}"}`,
    JSON.stringify({ ...FULL_RECORD, client_ip: secret }),
  ]) {
    const decoded = decodeText(line, DECODE)
    expect(decoded.kind).toBe('dead')
    expect(JSON.stringify(decoded)).not.toContain(secret)
  }
})

test.each<[string, Record<string, unknown>, string, string]>([
  ['a missing field', { app_id: undefined }, 'missing_field', 'app_id'],
  ['null for a required field', { method: null }, 'missing_field', 'method'],
  ['a number as text', { status_code: '200' }, 'wrong_type', 'status_code'],
  ['text as a number', { app_id: 12 }, 'wrong_type', 'app_id'],
  ['an object for text', { user_id: {} }, 'wrong_type', 'user_id'],
  ['a fraction where an integer is needed', { request_bytes: 1.5 }, 'out_of_range', 'request_bytes'],
  ['an integer beyond UInt32', { ratelimit_limit: 4_294_967_297 }, 'out_of_range', 'ratelimit_limit'],
  ['a negative count', { response_bytes: -1 }, 'out_of_range', 'response_bytes'],
  ['a status of two digits', { status_code: 99 }, 'out_of_range', 'status_code'],
  ['an app id of 129 characters', { app_id: 'a'.repeat(129) }, 'out_of_range', 'app_id'],
  ['an empty app id', { app_id: '' }, 'out_of_range', 'app_id'],
  ['a day that does not exist', { timestamp: '2026-02-30T00:00:00Z' }, 'bad_timestamp', 'timestamp'],
  ['hour 25', { timestamp: '2026-01-01T25:00:00Z' }, 'bad_timestamp', 'timestamp'],
  ['digits as text', { timestamp: '1767571200000' }, 'bad_timestamp', 'must be a number'],
  ['a year of five digits', { timestamp: '99999-01-01T00:00:00Z' }, 'bad_timestamp', 'timestamp'],
  ['year 0', { timestamp: '0000-01-01T00:00:00Z' }, 'time_outside_span', 'outside'],
  ['a negative time', { timestamp: -1 }, 'time_outside_span', 'outside'],
  ['seconds', { timestamp: 1_767_571_200 }, 'time_outside_span', 'seconds'],
  ['a time beyond any date', { timestamp: 1e20 }, 'time_outside_span', 'outside'],
  ['true as a time', { timestamp: true }, 'wrong_type', 'timestamp'],
  ['a zone id', { client_ip: 'fe80::1%eth0' }, 'bad_address', 'client_ip'],
  ['a port', { client_ip: '1.2.3.4:80' }, 'bad_address', 'client_ip'],
  ['an empty address', { client_ip: '' }, 'bad_address', 'client_ip'],
  ['half a surrogate pair', { user_id: '\ud800' }, 'not_utf8', 'user_id'],
])('%s is dead with its reason', (_, change, reason, detail) => {
  const decoded = decode({ ...FULL_RECORD, ...change })
  expect(decoded).toMatchObject({ kind: 'dead', reason })
  expect(decoded.kind === 'dead' ? decoded.detail : '').toContain(detail)
})

test.each<[string, string, string]>([
  ['nothing', '', 'not_json'],
  ['a cut line', '{"app_id":"a', 'not_json'],
  ['an array', '[{}]', 'not_an_object'],
  ['a number', '7', 'not_an_object'],
  ['null', 'null', 'not_an_object'],
  ['a NUL byte inside text', '{"app_id":"a\0b"}', 'not_json'],
  ['a million brackets', '['.repeat(1_000_000), 'not_json'],
])('%s is dead', (_, line, reason) => {
  expect(decodeText(line, DECODE)).toMatchObject({ kind: 'dead', reason })
})

test('bytes that are not UTF-8 are dead, and UTF-8 is read as such', () => {
  const latin1 = Buffer.from(JSON.stringify({ ...FULL_RECORD, user_agent: 'é' }), 'latin1')
  expect(decodeBuffer(latin1)).toMatchObject({ kind: 'dead', reason: 'not_utf8' })
  const utf8 = Buffer.from(JSON.stringify({ ...FULL_RECORD, user_agent: 'é\u{1F600}' }))
  expect(decodeBuffer(utf8)).toMatchObject({ kind: 'accepted', record: { user_agent: 'é\u{1F600}' } })
})

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ['a method in lower case', { method: 'get' }, { method: 'GET' }],
  ['a raw path', { route: '/2/users/123456/tweets?x=1' }, { route: '/2/users/:id/tweets' }],
  ['a mapped address', { client_ip: '::ffff:1.2.3.4' }, { client_ip: '1.2.3.4' }],
  ['null for an optional field', { user_id: null, duration_ms: null }, { user_id: '', duration_ms: null }],
  ['epoch milliseconds', { timestamp: 1_767_571_200_123 }, { timestamp_ms: 1_767_571_200_123 }],
  ['a fraction of a millisecond', { timestamp: 1_767_571_200_122.9998 }, { timestamp_ms: 1_767_571_200_123 }],
  ['an escaped NUL', { user_id: 'a\0b' }, { user_id: 'a\0b' }],
  ['no answer', { status_code: 0 }, { status_code: 0 }],
])('%s is accepted', (_, change, expected) => {
  expect(decode({ ...FULL_RECORD, ...change })).toMatchObject({ kind: 'accepted', record: expected })
})

test('a user agent is cut at 512 characters, never through a surrogate pair', () => {
  const long = decode({ ...FULL_RECORD, user_agent: 'x'.repeat(10_000) })
  expect(long).toMatchObject({ record: { user_agent: 'x'.repeat(512) } })
  const pairs = decode({ ...FULL_RECORD, user_agent: `x${'\u{1F600}'.repeat(300)}` })
  const text = pairs.kind === 'accepted' ? pairs.record.user_agent : ''
  expect(text).toHaveLength(511)
  expect(text.isWellFormed()).toBe(true)
})

test('unknown fields are named, known ones are not', () => {
  expect(decode({ ...FULL_RECORD, extra: 1, more: null })).toMatchObject({ unknownFields: ['extra', 'more'] })
})

test('the last of two equal fields counts, as in JSON.parse', () => {
  const line = JSON.stringify(FULL_RECORD).replace('{', '{"app_id":"first",')
  expect(decodeText(line, DECODE)).toMatchObject({ record: { app_id: 'app-1' } })
})
