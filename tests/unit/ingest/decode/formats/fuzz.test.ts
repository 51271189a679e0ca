/** Formats meet whatever a log holds: they return a record or undefined, and never throw. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../../../../services/ingest/decode/formats/format.ts'
import { FormatName, FORMATS } from '../../../../../services/ingest/decode/formats/index.ts'
import { normaliseRoute } from '../../../../../services/ingest/decode/route.ts'

/** Keys that formats look at, so that arbitrary objects reach the code behind them. */
const KNOWN_KEYS = `
  request response headers http http.request.method http.response.status_code
  method status response_code duration start_time x-forwarded-for
  x_forwarded_for downstream_remote_address common_properties http_logs log_entry resourceLogs
  resourceSpans scopeLogs logRecords attributes key value
  stringValue arrayValue values kind startTimeUnixNano endTimeUnixNano
  consumer latencies routeKey httpMethod requestTime requestTimeEpoch
  resourcePath path request_verb response_status_code developer developer_app
  client_received_start_timestamp msec request_time time_local remote_addr class_uid
  http_request http_response http_headers actor src_endpoint ratelimit
  ratelimit-policy x-ratelimit-limit x-ratelimit-remaining-minute __proto__ constructor toString
  hasOwnProperty
`
  .trim()
  .split(/\s+/)

const scalar = fc.oneof(
  fc.string(),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(
    '-',
    '',
    'GET',
    '200',
    '4002',
    '1775738096123456789',
    '09/Apr/2026:12:34:56 +0000',
    '1.2.3.4:5',
    '"d";r=1;t=2',
  ),
)
const key = fc.oneof(fc.constantFrom(...KNOWN_KEYS), fc.string())
const { value: json } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 8 }),
  ),
}))
const entry: fc.Arbitrary<JsonObject> = fc.dictionary(key, json, { maxKeys: 14 })
const options = fc.record({
  trustedHops: fc.integer({ min: 0, max: 3 }),
  forwardedHeader: fc.constantFrom('x-forwarded-for' as const, 'forwarded' as const),
})

describe.each(FormatName.options)('%s', (name) => {
  test('maps any JSON object without throwing, and yields text the route can be read from', () => {
    fc.assert(
      fc.property(entry, options, (object, hops) => {
        const record = FORMATS[name].map(object, hops)
        const route = record?.['route']
        expect(typeof route === 'string' ? normaliseRoute(route) : '/').toMatch(/^\//)
      }),
      { seed: 20_260_409, numRuns: 500 },
    )
  })

  test('reads any line without throwing', () => {
    const { parse } = FORMATS[name]
    if (parse === undefined) return
    const pieces = fc.constantFrom(
      '"',
      String.raw`\x22`,
      String.raw`\x`,
      '\\',
      ' ',
      '[',
      ']',
      '- -',
      '{',
      '=',
      'app_id="a"',
      '200 5',
      'GET / HTTP/1.1',
    )
    const line = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 24 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(line, (text) => {
        const parsed = parse(text)
        expect(parsed === undefined || typeof parsed === 'object').toBe(true)
      }),
      { seed: 20_260_409, numRuns: 2000 },
    )
  })
})
