/** Units, times, addresses and rate-limit dialects that all formats share. */
import { describe, expect, test } from 'vitest'

import { bareAddress, clientIp } from '../../../../../services/ingest/decode/formats/client-address.ts'
import { field } from '../../../../../services/ingest/decode/formats/paths.ts'
import { readRateLimit } from '../../../../../services/ingest/decode/formats/rate-limit.ts'
import {
  commonLogTimeToEpochMs,
  hostOf,
  millisecondsOf,
  nanosecondsToEpochMs,
  numberOf,
  timestampOf,
} from '../../../../../services/ingest/decode/formats/values.ts'

describe('numbers and units', () => {
  test.each([
    ['12', 12],
    ['0.057', 0.057],
    ['-', undefined],
    ['', undefined],
    [null, undefined],
    [7, 7],
    ['abc', 'abc'],
    [' ', ' '],
    ['600.0', 600],
    ['0x10', '0x10'],
    ['1e400', Number.POSITIVE_INFINITY],
    ['12 apples', '12 apples'],
    [true, true],
  ])('%j is read as %j', (value, expected) => {
    expect(numberOf(value)).toBe(expected)
  })

  test.each([
    [0.1234, 's', 123.4],
    ['1.005', 's', 1005],
    [1500, 'us', 1.5],
    ['37500000', 'ns', 37.5],
    ['12', 'ms', 12],
    ['0.144577s', 's', 144.577],
    ['0.231s', 'ms', 231],
    ['6m0s', 's', 360_000],
    ['1h2m3.5s', 'ms', 3_723_500],
    ['12 ms', 's', 12],
    ['850µs', 's', 0.85],
    ['PT0.35S', 'ms', 350],
    ['PT1H2M', 'ms', 3_720_000],
    ['6m0', 's', '6m0'],
    ['12 parsecs', 's', '12 parsecs'],
    ['PT', 's', 'PT'],
  ] as const)('%j %s in milliseconds', (value, unit, expected) => {
    expect(millisecondsOf(value, unit)).toBe(expected)
  })

  test('nanoseconds keep their milliseconds exactly', () => {
    expect(nanosecondsToEpochMs('1775738096123999999')).toBe(1_775_738_096_123)
    expect(nanosecondsToEpochMs(1_775_738_096_123_000_000)).toBe(1_775_738_096_123)
  })
})

describe('times', () => {
  test.each([
    ['09/Apr/2026:12:34:56 +0000', 1_775_738_096_000],
    ['09/Apr/2026:14:34:56 +0200', 1_775_738_096_000],
    ['31/Feb/2026:00:00:00 +0000', undefined],
    ['09/Foo/2026:12:34:56 +0000', undefined],
    ['09/Apr/2026:24:34:56 +0000', undefined],
    ['09/anF/2026:12:34:56 +0000', undefined],
  ])('Common Log Format %s', (text, expected) => {
    expect(commonLogTimeToEpochMs(text)).toBe(expected)
  })

  test.each([
    ['1775738096123', 1_775_738_096_123],
    ['2026-04-09 12:34:56.789 UTC', '2026-04-09T12:34:56.789Z'],
    ['2026-04-09 12:34:56', '2026-04-09 12:34:56'],
    ['2026-04-09 12:34:56 +0530', '2026-04-09T12:34:56+0530'],
    ['2026-04-09 12:34:56,789+00:00', '2026-04-09T12:34:56,789+00:00'],
    ['09/Apr/2026:12:34:56.250 +0000', 1_775_738_096_250],
    ['2026-04-09T12:34:56Z', '2026-04-09T12:34:56Z'],
    ['-', undefined],
    [null, undefined],
    ['yesterday', 'yesterday'],
  ])('%j becomes %j', (value, expected) => {
    expect(timestampOf(value)).toBe(expected)
  })
})

/** The client's address as a format reads it from a log that has these values. */
const read = clientIp<{ readonly peer: string; readonly header?: unknown; readonly forwarded?: unknown }>({
  peer: ({ peer }) => peer,
  xForwardedFor: ({ header }) => header,
  forwarded: ({ forwarded }) => forwarded,
})

describe('addresses', () => {
  test.each([
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[::1]:80', '::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['[::FFFF:192.0.2.1]:443', '192.0.2.1'],
    [' 1.2.3.4 ', '1.2.3.4'],
    ['-', undefined],
    [5, undefined],
  ])('%j is %j', (value, expected) => {
    expect(bareAddress(value)).toBe(expected)
  })

  test.each([
    // [header, hops, expected]: the peer is 192.0.2.1
    ['6.6.6.6, 203.0.113.1', 0, '192.0.2.1'],
    ['6.6.6.6, 203.0.113.1', 1, '203.0.113.1'],
    ['6.6.6.6, 203.0.113.1', 2, '6.6.6.6'],
    ['6.6.6.6, 203.0.113.1', 3, '192.0.2.1'],
    ['203.0.113.1:4000', 1, '203.0.113.1'],
    ['6.6.6.6,', 1, '192.0.2.1'],
    [',', 1, '192.0.2.1'],
    [',', 2, '192.0.2.1'],
    ['unknown', 1, '192.0.2.1'],
    ['', 1, '192.0.2.1'],
    [42, 1, '192.0.2.1'],
    [['6.6.6.6', '203.0.113.1'], 1, '203.0.113.1'],
  ] as const)('X-Forwarded-For %j with %i trusted hops', (header, trustedHops, expected) => {
    expect(read({ peer: '192.0.2.1:99', header }, { trustedHops })).toBe(expected)
  })

  test.each([
    ['for=192.0.2.60;proto=http;by=203.0.113.43', '192.0.2.60'],
    ['for=6.6.6.6, For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['for=6.6.6.6, proto=https;for="203.0.113.9:80"', '203.0.113.9'],
    ['for=_hidden', '192.0.2.1'],
    ['for="203.0.113.9, for=6.6.6.6', '6.6.6.6'],
    ['by=203.0.113.43', '192.0.2.1'],
  ])('Forwarded %s', (header, expected) => {
    expect(read({ peer: '192.0.2.1', forwarded: header }, { trustedHops: 1 })).toBe(expected)
  })

  test('only the header that the proxies append to is believed', () => {
    const options = { trustedHops: 1, forwardedHeader: 'forwarded' } as const
    expect(read({ peer: '192.0.2.1', header: '6.6.6.6', forwarded: 'for=203.0.113.9' }, options)).toBe('203.0.113.9')
    expect(read({ peer: '192.0.2.1', header: '6.6.6.6' }, options)).toBe('192.0.2.1')
    const legacy = { trustedHops: 1, forwardedHeader: 'x-forwarded-for' } as const
    expect(read({ peer: '192.0.2.1', forwarded: 'for=6.6.6.6' }, legacy)).toBe('192.0.2.1')
  })
})

describe('rate-limit headers', () => {
  test.each([
    [{ RateLimit: '"default";r=50;t=30', 'RateLimit-Policy': '"default";q=100;w=60' }, 100, 50, 30],
    [
      {
        ratelimit: '"burst";r=5;t=3, "day";r=900;t=3600',
        'ratelimit-policy': '"day";q=1000;w=86400, "burst";q=10;w=5',
      },
      10,
      5,
      3,
    ],
    [{ RateLimit: '"default";r=50;t=30' }, undefined, 50, 30],
    [{ RateLimit: 'limit=100, remaining=7, reset=5', 'RateLimit-Policy': '100;w=60' }, 100, 7, 5],
    [{ 'RateLimit-Limit': '100, 100;w=60', 'RateLimit-Remaining': '9', 'RateLimit-Reset': '12' }, 100, 9, 12],
    [
      { 'X-RateLimit-Limit': '60', 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1775738160' },
      60,
      0,
      1_775_738_160,
    ],
    [
      { 'x-rate-limit-limit': '15', 'x-rate-limit-remaining': '14', 'x-rate-limit-reset': '1775738160' },
      15,
      14,
      1_775_738_160,
    ],
    [
      { 'X-RateLimit-Limit': '60', 'X-RateLimit-Remaining': '1', 'X-RateLimit-Reset': '1775738160123' },
      60,
      1,
      1_775_738_161,
    ],
    [
      {
        'X-RateLimit-Limit-Minute': '20',
        'X-RateLimit-Remaining-Minute': '2',
        'X-RateLimit-Limit-Hour': '90',
        'X-RateLimit-Remaining-Hour': '60',
      },
      20,
      2,
      undefined,
    ],
    // one dialect only: the draft's remainder is not paired with another header's limit
    [
      { 'RateLimit-Remaining': '3', 'X-RateLimit-Limit': '1000', 'X-RateLimit-Remaining': '999' },
      undefined,
      3,
      undefined,
    ],
    [{ 'X-RateLimit-Limit': 'unlimited', 'X-RateLimit-Remaining': '-1' }, undefined, undefined, undefined],
    [{ 'X-RateLimit-Limit': '4294967296', 'X-RateLimit-Remaining': '5' }, undefined, 5, undefined],
    [{ 'X-RateLimit-Limit': ['7', '8'], 'X-RateLimit-Remaining': 6 }, 7, 6, undefined],
    // read whole: fractions that are none, durations, dates; never the first digits of something else
    [{ 'x-ratelimit-limit': '600.0', 'x-ratelimit-remaining': '595.0', 'x-ratelimit-reset': '220' }, 600, 595, 220],
    [{ 'x-ratelimit-limit': '600.5', 'x-ratelimit-remaining': '5 left' }, undefined, undefined, undefined],
    [{ 'x-ratelimit-limit': '60', 'x-ratelimit-reset': '6m0s' }, 60, undefined, 360],
    [{ 'x-ratelimit-limit': '60', 'x-ratelimit-reset': '850ms' }, 60, undefined, 1],
    [{ 'x-ratelimit-limit': '60', 'x-ratelimit-reset': '2026-11-25T16:00:00+00:00' }, 60, undefined, 1_795_622_400],
    [{ 'x-ratelimit-limit': '60', 'x-ratelimit-reset': 'Wed, 25 Nov 2026 16:00:00 GMT' }, 60, undefined, 1_795_622_400],
    [{ 'x-ratelimit-limit': '60', 'x-ratelimit-reset': '2026-11-25' }, 60, undefined, undefined],
    // other units than requests are never taken for requests
    [
      {
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '6m0s',
        'x-ratelimit-limit-tokens': '150000',
        'x-ratelimit-remaining-tokens': '3',
      },
      60,
      59,
      360,
    ],
    [{ 'x-ratelimit-limit-tokens': '9', 'x-ratelimit-remaining-tokens': '3' }, undefined, undefined, undefined],
    [
      {
        RateLimit: '"bytes";r=5;t=30, "default";r=50;t=30',
        'RateLimit-Policy': '"bytes";q=9;qu="content-bytes", "default";q=100',
      },
      100,
      50,
      30,
    ],
    [
      { RateLimit: '"a";r=5', 'RateLimit-Policy': '"a";q=10;qu="concurrent-requests"' },
      undefined,
      undefined,
      undefined,
    ],
    [{ RateLimit: '"a";r=5', 'RateLimit-Policy': '"a";q=10;qu="requests"' }, 10, 5, undefined],
    [{ 'content-type': 'application/json', 'x-request-id': '5' }, undefined, undefined, undefined],
  ])('%j', (headers, limit, remaining, reset) => {
    const found = readRateLimit(headers)
    expect([found.limit, found.remaining, found.reset]).toEqual([limit, remaining, reset])
  })
})

describe('fields', () => {
  test.each([
    [{ 'a.b.c': 1 }],
    [{ a: { b: { c: 1 } } }],
    [{ 'a.b': { c: 1 } }],
    [{ a: { 'b.c': 1 } }],
    [{ 'a.b': { d: 2 }, a: { b: { c: 1 } } }],
  ])('finds a.b.c in %j', (entry) => {
    expect(field('a.b.c')(entry)).toBe(1)
  })

  test('takes the first name that has a value, and indexes arrays', () => {
    expect(field('x', 'y')({ x: '-', y: 'there' })).toBe('there')
    expect(field('tries.0.ip')({ tries: [{ ip: '1.2.3.4' }] })).toBe('1.2.3.4')
    expect(field('x')({ x: null })).toBeUndefined()
  })

  test('a host loses its port, an address in brackets does not', () => {
    expect([hostOf('api.example.com:8443'), hostOf('[::1]:8443'), hostOf('-')]).toEqual([
      'api.example.com',
      '[::1]:8443',
      undefined,
    ])
  })
})
