import { isDeepStrictEqual } from 'node:util'

import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { RequestRecord } from '#schemas/request-record.ts'

import { checkFields } from '../../../../services/ingest/decode/fast-path.ts'
import { FieldName } from '../../../../services/ingest/decode/formats/fields.ts'
import type { LandingRecord } from '../../../../services/ingest/decode/landing-record.ts'
import { countAdjusted, repair, type AdjustedCounts } from '../../../../services/ingest/decode/repair.ts'
import { decodeBytes, decodeText, type Decoded } from '../../../../services/ingest/decode/decode.ts'
import { DECODE, FULL_RECORD, mutatedRecord, SPAN } from '../../../../rig/requests.ts'

const LINE = { ...SPAN, isDamaged: false } as const

const { timestamp, app_id, client_ip, method, route, status_code } = FULL_RECORD
/** What detection cannot do without. */
const NEEDED = { timestamp, app_id, client_ip, method, route, status_code } as const

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
    adjusted: [],
  })
})

test('what the fast path accepts, the other path gives unchanged', () => {
  fc.assert(
    fc.property(mutatedRecord, (record) => {
      const fast = checkFields(record, SPAN)
      const other = repair(record, LINE)
      expect(fast === undefined || isDeepStrictEqual(other, { record: fast, adjusted: [] })).toBe(true)
    }),
    { numRuns: 10_000 },
  )
})

/** A stored record as the contract has it. */
function asSent({ timestamp_ms, ...record }: LandingRecord): Record<string, unknown> {
  const present = Object.entries(record).filter(([, value]) => value !== '' && value !== null)
  return { timestamp: timestamp_ms, ...Object.fromEntries(present) }
}

test('whatever is sent, what is stored is a request record', () => {
  fc.assert(
    fc.property(mutatedRecord, (record) => {
      const decoded = decode(record)
      const isStorable = decoded.kind === 'dead' || RequestRecord.safeParse(asSent(decoded.record)).success
      expect(isStorable).toBe(true)
    }),
    { numRuns: 10_000 },
  )
})

test('no field beside the six that detection needs can make a record dead, and no change goes uncounted', () => {
  fc.assert(
    fc.property(mutatedRecord, (record) => {
      const whole: Record<string, unknown> = { ...record, ...NEEDED }
      const decoded = decode(whole)
      expect(decoded.kind).toBe('accepted')
      if (decoded.kind !== 'accepted') return
      const counted = new Set(decoded.adjusted.map(({ field }) => field))
      for (const [name, value] of Object.entries(asSent(decoded.record))) {
        if (name in NEEDED || counted.has(FieldName.parse(name))) continue
        // Read as a whole, numbers and their text alike.
        expect(String(value)).toBe(String(whole[name]))
      }
    }),
    { numRuns: 10_000 },
  )
})

test('a record that the published schema accepts is accepted, unless its time or address is none', () => {
  fc.assert(
    fc.property(mutatedRecord, (record) => {
      // As JSON has it: an infinite number is written as null, and null is absent.
      const sent: Record<string, unknown> = JSON.parse(JSON.stringify(record))
      const withoutNulls = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null))
      const decoded = decode(record)
      if (!RequestRecord.safeParse(withoutNulls).success || decoded.kind === 'accepted') return
      expect(['bad_timestamp', 'time_outside_span', 'bad_address', 'not_utf8', 'missing_field']).toContain(
        decoded.reason,
      )
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
  ['a status of two digits', { status_code: 99 }, 'out_of_range', 'status_code'],
  ['an app id of 129 characters', { app_id: 'a'.repeat(129) }, 'out_of_range', 'app_id'],
  ['an empty app id', { app_id: '' }, 'missing_field', 'app_id is missing'],
  ['a dash for an app id', { app_id: '-' }, 'missing_field', 'app_id is missing'],
  ['a status that is a word', { status_code: 'OK' }, 'wrong_type', 'found text of 2 characters'],
  ['an object for the app', { app_id: {} }, 'wrong_type', 'app_id must be text, found an object'],
  ['a day that does not exist', { timestamp: '2026-02-30T00:00:00Z' }, 'bad_timestamp', 'timestamp'],
  ['hour 25', { timestamp: '2026-01-01T25:00:00Z' }, 'bad_timestamp', 'timestamp'],
  ['a year of five digits', { timestamp: '99999-01-01T00:00:00Z' }, 'bad_timestamp', 'timestamp'],
  ['year 0', { timestamp: '0000-01-01T00:00:00Z' }, 'time_outside_span', 'outside'],
  ['a negative time', { timestamp: -1 }, 'time_outside_span', 'outside'],
  ['seconds', { timestamp: 1_767_571_200 }, 'time_outside_span', 'seconds'],
  ['a time beyond any date', { timestamp: 1e20 }, 'time_outside_span', 'outside'],
  ['true as a time', { timestamp: true }, 'wrong_type', 'timestamp'],
  ['an empty address', { client_ip: '' }, 'missing_field', 'client_ip'],
  ['no address', { client_ip: 'localhost' }, 'bad_address', 'found text of 9 characters'],
  ['half a surrogate pair', { app_id: '\ud800' }, 'not_utf8', 'app_id'],
  ['a time without a zone', { timestamp: '2026-01-01T00:00:00' }, 'bad_timestamp', 'without a zone'],
  ['a year', { timestamp: '2026' }, 'bad_timestamp', 'found text of 4 characters'],
  ['seconds as text', { timestamp: '1767571200' }, 'time_outside_span', 'looks like seconds'],
  ['microseconds', { timestamp: 1_767_571_200_000_000 }, 'time_outside_span', 'looks like microseconds'],
  ['nanoseconds', { timestamp: '1767571200000000000' }, 'time_outside_span', 'looks like nanoseconds'],
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

test('bytes that are not UTF-8 are repaired where they are read, and cost nothing elsewhere', () => {
  const latin1 = (change: Record<string, unknown>): Buffer =>
    Buffer.from(JSON.stringify({ ...FULL_RECORD, ...change }), 'latin1')
  expect(decodeBuffer(latin1({ user_agent: 'é1' }))).toMatchObject({
    kind: 'accepted',
    record: { user_agent: '\ufffd1' },
    adjusted: [{ field: 'user_agent', change: 'repaired' }],
  })
  expect(decodeBuffer(latin1({ other: 'é' }))).toMatchObject({ kind: 'accepted', adjusted: [] })
  // Two users whose names differ in one such letter must not become one, nor two applications.
  expect(decodeBuffer(latin1({ user_id: 'André' }))).toMatchObject({
    record: { user_id: '' },
    adjusted: [{ field: 'user_id', change: 'left out' }],
  })
  expect(decodeBuffer(latin1({ app_id: 'André' }))).toMatchObject({ kind: 'dead', reason: 'not_utf8' })
  const utf8 = Buffer.from(JSON.stringify({ ...FULL_RECORD, user_agent: 'é\u{1F600}\ufffd' }))
  expect(decodeBuffer(utf8)).toMatchObject({ record: { user_agent: 'é\u{1F600}\ufffd' }, adjusted: [] })
})

test.each<[string, Record<string, unknown>, Record<string, unknown>, readonly string[]]>([
  [
    'a request id of 129 characters',
    { request_id: 'r'.repeat(129) },
    { request_id: 'r'.repeat(128) },
    ['request_id cut'],
  ],
  ['a host of 300 characters', { host: 'h'.repeat(300) }, { host: 'h'.repeat(256) }, ['host cut']],
  ['a method of 17 letters', { method: 'updateredirectref' }, { method: 'UPDATEREDIRECTRE' }, ['method cut']],
  [
    'half a surrogate pair in a user agent',
    { user_agent: 'a\ud800' },
    { user_agent: 'a\ufffd' },
    ['user_agent repaired'],
  ],
  ['half a surrogate pair in a user', { user_id: 'a\ud800' }, { user_id: '' }, ['user_id left out']],
  ['an object for a user', { user_id: {} }, { user_id: '' }, ['user_id left out']],
  ['a fraction of a byte', { request_bytes: 1.5 }, { request_bytes: null }, ['request_bytes left out']],
  ['2^53 bytes', { request_bytes: 2 ** 53 }, { request_bytes: null }, ['request_bytes left out']],
  ['a limit beyond UInt32', { ratelimit_limit: 2 ** 32 }, { ratelimit_limit: null }, ['ratelimit_limit left out']],
  ['-1 for an unknown length', { response_bytes: -1 }, { response_bytes: null }, ['response_bytes left out']],
  ['a duration of 1e308', { duration_ms: 1e308 }, { duration_ms: null }, ['duration_ms left out']],
  ['a negative duration', { duration_ms: -5 }, { duration_ms: null }, ['duration_ms left out']],
])('%s is adjusted and counted', (_, change, expected, adjusted) => {
  const decoded = decode({ ...FULL_RECORD, ...change })
  expect(decoded).toMatchObject({ kind: 'accepted', record: expected })
  const counts: AdjustedCounts = new Map()
  if (decoded.kind === 'accepted') countAdjusted(counts, decoded.adjusted)
  expect([...counts.keys()]).toEqual(adjusted)
})

test('long ids of users that begin alike stay different, and the same one stays the same', () => {
  const userOf = (user: string): string => {
    const decoded = decode({ ...FULL_RECORD, user_id: user })
    return decoded.kind === 'accepted' ? decoded.record.user_id : ''
  }
  const long = 'u'.repeat(200)
  expect(userOf(`${long}1`)).not.toBe(userOf(`${long}2`))
  expect(userOf(`${long}1`)).toBe(userOf(`${long}1`))
  expect(userOf(`${long}1`).length).toBeLessThanOrEqual(128)
})

test('ids beyond 2^53 are exact, or are not taken', () => {
  const line = (id: string): string => JSON.stringify(FULL_RECORD).replace('"u-1"', id).replace('"app-1"', id)
  const exact = decodeText(line('1834567890123456789'), DECODE)
  expect(exact).toMatchObject({
    kind: 'accepted',
    record: { app_id: '1834567890123456789', user_id: '' },
    adjusted: [],
  })
  expect(decodeText(line('1.8345678901234568e+18'), DECODE)).toMatchObject({ kind: 'dead', reason: 'out_of_range' })
  const user = JSON.stringify(FULL_RECORD).replace('"u-1"', '1834567890123456788')
  expect(decodeText(user, DECODE)).toMatchObject({ record: { user_id: '1834567890123456788' } })
  const rounded = JSON.stringify(FULL_RECORD).replace('"u-1"', '1.8345678901234568e+18')
  expect(decodeText(rounded, DECODE)).toMatchObject({ record: { user_id: '' }, adjusted: [{ field: 'user_id' }] })
})

test('a number that no double holds is told as that', () => {
  const line = JSON.stringify(FULL_RECORD)
  expect(decodeText(line.replace('12.5', '1e400'), DECODE)).toMatchObject({ record: { duration_ms: null } })
  const decoded = decodeText(line.replace(':200,', ':1e400,'), DECODE)
  expect(decoded).toMatchObject({ kind: 'dead', reason: 'out_of_range' })
  expect(decoded.kind === 'dead' ? decoded.detail : '').toContain('found a number too large to be read')
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
  ['no answer as HAProxy has it', { status_code: -1 }, { status_code: 0 }],
  ['numbers as text', { status_code: '200', duration_ms: '1.5' }, { status_code: 200, duration_ms: 1.5 }],
  ['epoch milliseconds as text', { timestamp: '1767571200000' }, { timestamp_ms: 1_767_571_200_000 }],
  ['an app id as a number', { app_id: 12 }, { app_id: '12' }],
  ['a port', { client_ip: '1.2.3.4:80' }, { client_ip: '1.2.3.4' }],
  ['a zone id', { client_ip: 'fe80::1%eth0' }, { client_ip: 'fe80::1' }],
  ['a dash for a user', { user_id: '-', user_agent: '-' }, { user_id: '', user_agent: '' }],
  ['empty text for ids', { user_id: '', request_id: '', credential_id: '' }, { user_id: '', request_id: '' }],
  ['the application as its own user', { user_id: 'app-1' }, { user_id: '' }],
  ['a query of 600 characters', { route: `/v1/items?pad=${'x'.repeat(600)}` }, { route: '/v1/items' }],
  [
    'a basic offset',
    { timestamp: '2026-11-20T10:00:00.123+0530' },
    { timestamp_ms: Date.UTC(2026, 10, 20, 4, 30, 0, 123) },
  ],
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
