/** Request records for tests: one that is right, and arbitrary ones that nearly are. */
import * as fc from 'fast-check'

import { FORMATS } from '../services/ingest/decode/formats/index.ts'
import type { DecodeOptions } from '../services/ingest/decode/decode.ts'

export const SPAN = { earliestMs: Date.UTC(2020, 0, 1), latestMs: Date.UTC(2030, 0, 1) } as const

export const DECODE: DecodeOptions = { format: FORMATS.sidestep, trustedHops: 0, ...SPAN }

/** A record with every field. */
export const FULL_RECORD = {
  timestamp: '2026-01-31T23:59:59.123Z',
  app_id: 'app-1',
  client_ip: '203.0.113.7',
  method: 'GET',
  route: '/2/users/:id/tweets',
  status_code: 200,
  user_id: 'u-1',
  request_id: 'r-1',
  credential_id: 'c-1',
  user_agent: 'client/1.0',
  ratelimit_limit: 900,
  ratelimit_remaining: 899,
  ratelimit_reset: 60,
  duration_ms: 12.5,
  request_bytes: 10,
  response_bytes: 2000,
  host: 'api.example.com',
  region: 'eu',
  gateway: 'g-1',
  trace_id: 't-1',
} as const

/** A minimal record, numbered: distinct apps, users and times. */
export function numberedRecord(index: number): Record<string, unknown> {
  return {
    timestamp: new Date(Date.UTC(2026, 0, 5) + index * 997).toISOString(),
    app_id: `app-${index % 17}`,
    client_ip: index % 5 === 0 ? `2001:db8:${index % 90}::${index % 7}` : `198.51.${index % 200}.${index % 9}`,
    method: 'GET',
    route: `/2/things/:id/part${index % 11}`,
    status_code: index % 13 === 0 ? 429 : 200,
    user_agent: `agent-${index % 6}`,
    ratelimit_limit: 900 + (index % 3),
    ...(index % 3 === 0 ? {} : { user_id: `u-${index % 101}` }),
  }
}

/** NDJSON of numbered records [from, to). */
export function numberedLines(from: number, to: number): string {
  let text = ''
  for (let index = from; index < to; index += 1) text += `${JSON.stringify(numberedRecord(index))}\n`
  return text
}

const ODD_TEXTS = [
  [
    '',
    ' ',
    '0',
    '::',
    '::1',
    '::ffff:1.2.3.4',
    '1.2.3.4',
    '1.2.3',
    '01.2.3.4',
    '256.1.1.1',
    'fe80::1%eth0',
    '[::1]:80',
  ],
  ['2026-02-30T00:00:00Z', '2026-01-01T25:00:00Z', '0000-01-01T00:00:00Z', '2026-01-01T00:00:00+02:00', '2026-01-01'],
  ['1767571200000', '\u{1F600}'.repeat(300), '\ud800', 'a\udc00', '\0', '\t\n\\', 'é'],
  [16, 17, 45, 46, 64, 65, 128, 129, 256, 257, 512, 513].map((length) => 'a'.repeat(length)),
].flat()

const ODD_NUMBERS = [
  [0, -0, -1, 1, 99, 100, 599, 600, 1.5, 1e21, 1_767_571_200, 8.64e15, 8.65e15],
  [4_294_967_295, 4_294_967_296, 9_007_199_254_740_991, 9_007_199_254_740_992],
  [SPAN.earliestMs, SPAN.earliestMs - 1, SPAN.latestMs, SPAN.latestMs - 1, SPAN.latestMs - 0.5],
].flat()

/** Values that a field may wrongly hold, around every bound that the schema has. */
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, ...ODD_TEXTS, ...ODD_NUMBERS),
  fc.jsonValue({ maxDepth: 1 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.double(),
  fc.ipV4(),
  fc.ipV6(),
  fc
    .date({ min: new Date(SPAN.earliestMs), max: new Date(SPAN.latestMs), noInvalidDate: true })
    .map((date) => date.toISOString()),
)

const FIELDS = Object.keys(FULL_RECORD)

/** A record with a few fields changed or left out. */
export const mutatedRecord: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...FIELDS, 'other', '__proto__'), oddValue, { maxKeys: 3 }),
    fc.subarray(FIELDS, { maxLength: 3 }),
  )
  .map(([changes, left]) => {
    const changed = Object.entries({ ...FULL_RECORD, ...changes })
    return Object.fromEntries(changed.filter(([name]) => !left.includes(name)))
  })
