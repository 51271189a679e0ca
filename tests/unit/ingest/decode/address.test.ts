import { isIPv4, isIPv6 } from 'node:net'

import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { canonicalAddress } from '../../../../services/ingest/decode/address.ts'

test('IPv4 is accepted exactly where node accepts it, and stays as it is', () => {
  const nearly = fc
    .array(fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.constantFrom('', '00', '01', 'a', '-1')), {
      minLength: 1,
      maxLength: 5,
    })
    .map((parts) => parts.join('.'))
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), nearly), (text) => {
      expect(canonicalAddress(text)).toBe(isIPv4(text) ? text : undefined)
    }),
    { numRuns: 2000 },
  )
})

test('IPv6 comes out in one spelling, which is its own', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const canonical = canonicalAddress(text)
      fc.pre(canonical?.includes(':') === true)
      expect(isIPv6(canonical ?? '')).toBe(true)
      expect(canonicalAddress(canonical ?? '')).toBe(canonical)
      expect(canonicalAddress(text.toUpperCase())).toBe(canonical)
    }),
    { numRuns: 2000 },
  )
})

test('every IPv6 address that node accepts is accepted, zones apart', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.ipV6(), fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef:.%')), maxLength: 20 })),
      (text) => {
        expect(canonicalAddress(text) !== undefined).toBe(isIPv4(text) || (isIPv6(text) && !text.includes('%')))
      },
    ),
    { numRuns: 5000 },
  )
})

test.each([
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['::FFFF:0102:0304', '1.2.3.4'],
  ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
  ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::', '::'],
])('%s is %s', (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical)
})

test.each([
  'fe80::1%eth0',
  '1.2.3.4:80',
  '[::1]',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.04',
  '1.2.3.256',
  ' 1.2.3.4',
  'localhost',
  '',
  '::1::',
  '1.2.3.4%1',
])('%j is refused', (text) => {
  expect(canonicalAddress(text)).toBeUndefined()
})

test('what is remembered does not change the answer, beyond any number of addresses', () => {
  const texts = Array.from({ length: 60_000 }, (_, index) => `2001:db8:1:1:1:1:1:${(index + 1).toString(16)}`)
  expect(texts.filter((text) => canonicalAddress(text) !== text)).toEqual([])
  expect(texts.slice(0, 100).filter((text) => canonicalAddress(text) !== text)).toEqual([])
})
