/**
 * Lines made from public reports of what gateways and log shippers write (tests/support/cases), each with its right value, and more of
 * the same kinds.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import { decodeBytes, type Decoded } from '../../../../services/ingest/decode/decode.ts'
import { FORMATS, type FormatName } from '../../../../services/ingest/decode/formats/index.ts'
import { loadMappingFile } from '../../../../services/ingest/decode/formats/mapping-file.ts'
import { SPAN } from '../../../../rig/requests.ts'

function pathOf(file: string): string {
  return fileURLToPath(new URL(`../../../support/cases/${file}`, import.meta.url))
}

function decode(line: Buffer | string, format: FormatName, trustedHops = 0): Decoded {
  const bytes = Buffer.from(line)
  return decodeBytes(bytes, 0, bytes.length, false, { format: FORMATS[format], trustedHops, ...SPAN })
}

/** Each line of a case, decoded; with the mapping file beside it when there is one. */
function decodeCase(name: string, format: FormatName, trustedHops = 0): Decoded[] {
  const mapping = pathOf(`${name}.mapping.json`)
  const options = { format: existsSync(mapping) ? loadMappingFile(mapping) : FORMATS[format], trustedHops, ...SPAN }
  // Byte by byte: some of the lines are not UTF-8.
  const lines = readFileSync(pathOf(`${name}.txt`), 'latin1')
    .trimEnd()
    .split('\n')
  return lines
    .map((line) => Buffer.from(line, 'latin1'))
    .map((line) => decodeBytes(line, 0, line.length, false, options))
}

test.each<[string, FormatName, Record<string, unknown>]>([
  ['envoy-long-x-request-id', 'envoy', { request_id: 'a'.repeat(128) }],
  ['kong-latin1-in-a-header-not-read', 'kong', { user_agent: 'a/1' }],
  ['kong-long-query', 'kong', { route: '/v1/items' }],
  ['nginx-json-default-escape', 'nginx', { user_agent: 'say "hi"' }],
  ['nginx-json-latin1-user-agent', 'nginx', { user_agent: 'F\ufffdtbolClient/1.0' }],
  ['nginx-long-host', 'nginx', { host: 'h'.repeat(256) }],
  ['nginx-text-long-path', 'nginx', { route: '/v1/items' }],
  ['sidestep-dash-user', 'sidestep', { user_id: '' }],
  ['haproxy-minus-1', 'sidestep', { status_code: 0 }],
  ['ocsf-api-activity-official', 'ocsf', { method: 'GET', route: '/DescribeThings' }],
  ['aws-unquoted-dash', 'aws-apigateway', { response_bytes: null, credential_id: 'k1' }],
  ['envoy-docker-json-file', 'envoy', { app_id: 'c-1', timestamp_ms: Date.UTC(2026, 10, 20, 10, 0, 0, 123) }],
  ['gclb-latency', 'sidestep', { duration_ms: 144.577 }],
  ['otel-content-length-minus-1', 'otel', { request_bytes: null, duration_ms: 100 }],
  ['otel-negative-duration', 'otel', { duration_ms: null }],
  ['envoy-percent-z', 'envoy', { timestamp_ms: Date.UTC(2026, 10, 20, 4, 30, 0, 123) }],
  ['fastly-default-time', 'sidestep', { timestamp_ms: Date.UTC(2026, 10, 20, 10) }],
  ['remaining-float', 'kong', { ratelimit_limit: 600, ratelimit_remaining: 595, ratelimit_reset: 220 }],
  ['reset-duration', 'kong', { ratelimit_limit: 60, ratelimit_remaining: 59, ratelimit_reset: 360 }],
  ['reset-iso', 'kong', { ratelimit_limit: 100, ratelimit_remaining: 94, ratelimit_reset: 1_795_622_400 }],
  ['kong-numeric-custom-id', 'kong', { app_id: '1234567890123456789' }],
])('%s is read', (name, format, record) => {
  expect(decodeCase(name, format)).toMatchObject([{ kind: 'accepted', record }])
})

test('two users whose numbers differ beyond 2^53 are two users', () => {
  const users = decodeCase('envoy-two-users', 'envoy').map((decoded) =>
    decoded.kind === 'accepted' ? decoded.record.user_id : '',
  )
  expect(users).toEqual(['1834567890123456789', '1834567890123456788'])
})

test.each<[string, FormatName, string, RegExp]>([
  ['nginx-vhost-first', 'nginx', 'unmapped', /columns before the address/],
  ['nginx-vhost-first-with-app-id', 'nginx', 'unmapped', /columns before the address/],
  ['nginx-local-time', 'nginx', 'bad_timestamp', /without a zone/],
  ['nginx-year-only', 'nginx', 'bad_timestamp', /found text of 4 characters/],
  ['firehose-concatenated', 'aws-apigateway', 'not_an_object', /several JSON objects in one line/],
])('%s is refused with what stands there', (name, format, reason, detail) => {
  expect(decodeCase(name, format)).toMatchObject([{ kind: 'dead', reason, detail: expect.stringMatching(detail) }])
})

describe('nginx text', () => {
  const combined = (columns: string, address = '192.0.2.1 - c-1'): string =>
    `${address} [20/Nov/2026:10:00:00 +0000] "GET /v1/items HTTP/1.1" 200 12 "-" "curl/8"${columns}`

  test("the last column of nginx's main format is X-Forwarded-For", () => {
    expect(decodeCase('nginx-main-with-hops', 'nginx', 1)).toMatchObject([{ record: { client_ip: '203.0.113.9' } }])
    expect(decode(combined(' "6.6.6.6, 203.0.113.9" app_id="a"'), 'nginx', 1)).toMatchObject({
      record: { client_ip: '203.0.113.9', app_id: 'a' },
    })
    // Whoever asks the gateway itself has no such header.
    expect(decode(combined(' "-"'), 'nginx', 1)).toMatchObject({ record: { client_ip: '192.0.2.1' } })
  })

  test.each(['', ' "0.003"', ' 0.003 0.002 .'])(
    'with trusted hops and no such column the balancer is not taken: %s',
    (columns) => {
      expect(decode(combined(columns), 'nginx', 1)).toMatchObject({
        kind: 'dead',
        detail: expect.stringContaining('http_x_forwarded_for'),
      })
      expect(decode(combined(columns), 'nginx')).toMatchObject({ record: { client_ip: '192.0.2.1' } })
    },
  )

  test.each([
    'api.example.test 203.0.113.9 - -',
    'api.example.test:443 203.0.113.9 - c-1',
    '192.0.2.80 - 203.0.113.9 - c-1',
    'lb-1 nginx 203.0.113.9 - -',
  ])('a column before the address is never the client, and no app comes of it: %s', (address) => {
    expect(decode(combined(' app_id="c-1"', address), 'nginx')).toMatchObject({ kind: 'dead' })
  })

  test('a Basic user name of any length, or with spaces in it, cannot make a record dead', () => {
    for (const user of ['a b', 'x'.repeat(600), '203.0.113.9']) {
      const decoded = decode(combined(' app_id="c-9"', `192.0.2.1 - ${user}`), 'nginx')
      expect(decoded).toMatchObject({ kind: 'accepted', record: { app_id: 'c-9', client_ip: '192.0.2.1' } })
    }
    expect(decode(combined('', '192.0.2.1 - 203.0.113.9'), 'nginx')).toMatchObject({ reason: 'missing_field' })
  })
})

describe('what ships the log', () => {
  const envoy =
    '{"start_time":"2026-11-20T10:00:00Z","method":"GET","path":"/v1/items","response_code":200,"downstream_remote_address":"192.0.2.7:5000","client_id":"c-1"}'
  const text = '192.0.2.7 - c-1 [20/Nov/2026:10:00:00 +0000] "GET /v1/items HTTP/1.1" 200 12 "-" "curl/8"'

  test.each([
    ['a byte order mark', '\ufeff'],
    ['a container runtime', '2026-11-20T10:00:00.123456789Z stdout F '],
    ['syslog', '<190>Nov 20 10:00:00 edge-1 nginx: '],
    ['syslog by RFC 5424', '<190>1 2026-11-20T10:00:00.123Z edge-1 nginx 77 - - '],
    ['docker compose', 'gateway-1  | '],
    ['kubectl', '[pod/gateway-5d9/nginx] '],
  ])('the prefix of %s is taken off', (_, prefix) => {
    expect(decode(prefix + envoy, 'envoy')).toMatchObject({ kind: 'accepted', record: { app_id: 'c-1' } })
    expect(decode(prefix + text, 'nginx')).toMatchObject({ kind: 'accepted', record: { app_id: 'c-1' } })
  })

  test.each(['2026-11-20T10:00:00.123Z ', '2026-11-20T10:00:00 ', '2026-11-20T10:00:00.1+00:00 gateway/envoy/1f2e '])(
    'the prefix of CloudWatch is taken off: %s',
    (prefix) => {
      expect(decode(prefix + envoy, 'envoy')).toMatchObject({ kind: 'accepted', record: { app_id: 'c-1' } })
    },
  )

  test.each([
    ['docker', { log: `${envoy}\n`, stream: 'stdout', time: '2026-11-20T10:00:00.2Z' }],
    ['journald', { MESSAGE: envoy, __REALTIME_TIMESTAMP: '1790000000000000' }],
    ['a CloudWatch event', { timestamp: 1_790_000_000_000, message: envoy, ingestionTime: 1_790_000_000_001 }],
    [
      'a CloudWatch subscription',
      { messageType: 'DATA_MESSAGE', logEvents: [{ id: '1', timestamp: 1, message: envoy }] },
    ],
    ['docker in CloudWatch', { id: '1', timestamp: 1, message: JSON.stringify({ log: envoy, stream: 'stderr' }) }],
  ])('the object of %s is unwrapped', (_, object) => {
    expect(decode(JSON.stringify(object), 'envoy')).toMatchObject({ kind: 'accepted', record: { app_id: 'c-1' } })
  })

  test('a batch of events is told as such', () => {
    const batch = { messageType: 'DATA_MESSAGE', logEvents: [{ message: envoy }, { message: envoy }] }
    expect(decode(JSON.stringify(batch), 'envoy')).toMatchObject({
      detail: expect.stringContaining('2 log events in one line'),
    })
  })

  test('text that a client may have written before the object is no prefix', () => {
    expect(decode(`Mozilla/5.0 ${envoy}`, 'envoy')).toMatchObject({ kind: 'dead', reason: 'not_json' })
    expect(decode(`{"message":${JSON.stringify(envoy)},"level":"info"}`, 'envoy')).toMatchObject({ kind: 'dead' })
  })
})

describe('JSON as templates write it', () => {
  const line = (field: string): string =>
    `{"requestId":"r1","ip":"192.0.2.7","requestTimeEpoch":"1790000000123","httpMethod":"GET","resourcePath":"/v1","status":200,${field},"apiKeyId":"k1"}`

  test.each(['"responseLength":-', '"responseLength":', '"responseLength": NaN', '"responseLength":"-"'])(
    'a value that is not there is absent: %s',
    (field) => {
      expect(decode(line(field), 'aws-apigateway')).toMatchObject({
        kind: 'accepted',
        record: { response_bytes: null },
      })
    },
  )

  test('escapes of bytes are read, also of a quote, a backslash and UTF-8', () => {
    const agent = String.raw`"userAgent":"a\x22b\x5Cc\xC3\xA9 {\":-,\" \\x41"`
    expect(decode(line(agent), 'aws-apigateway')).toMatchObject({
      record: { user_agent: String.raw`a"b\cé {":-," \x41` },
      adjusted: [],
    })
    expect(decode(line(String.raw`"userAgent":"F\xFAtbol"`), 'aws-apigateway')).toMatchObject({
      record: { user_agent: 'F\ufffdtbol' },
      adjusted: [{ field: 'user_agent', change: 'repaired' }],
    })
  })

  test('a hostile line costs time in proportion to its length', () => {
    const started = process.cpuUsage()
    for (const unit of ['\\"', '"', ':-', '\\x22', '{"a":']) decode(`{"a":"${unit.repeat(100_000)}`, 'envoy')
    const { user } = process.cpuUsage(started)
    expect(user / 1e6).toBeLessThan(10)
  })

  test('a file of another shape is told by what it is', () => {
    for (const part of ['[', '{', '  "method": "GET",', '},'])
      expect(decode(part, 'envoy')).toMatchObject({ detail: expect.stringContaining('one object a line') })
  })
})

test.each([
  [1, 'POST'],
  [2, 'GET'],
  [3, 'PUT'],
  [4, 'DELETE'],
])('activity %i of an OCSF API Activity is a %s', (activity, method) => {
  const [base] = readFileSync(pathOf('ocsf-api-activity-official.txt'), 'utf8').split('\n')
  const event = (base ?? '').replace('"activity_id":2', `"activity_id":${activity}`)
  expect(decode(event, 'ocsf')).toMatchObject({ kind: 'accepted', record: { method } })
  expect(decode((base ?? '').replace('"activity_id":2', '"activity_id":99'), 'ocsf')).toMatchObject({
    kind: 'dead',
    detail: 'method is missing',
  })
})
