import { expect, test } from 'vitest'

import {
  addDecoded,
  addProblem,
  addUnknownFields,
  createTally,
  mergeTally,
} from '../../../../services/ingest/files/tally.ts'
import { decodeText } from '../../../../services/ingest/decode/decode.ts'
import { DECODE, FULL_RECORD } from '../../../../rig/requests.ts'

test('unknown fields are counted each, and a log with random keys does not fill the memory', () => {
  const tally = createTally()
  addUnknownFields(tally, ['a', 'b'])
  for (let index = 0; index < 10_000; index += 1)
    addUnknownFields(tally, ['a', `${'x'.repeat(1000)}${index}`, `k${index}`])
  expect(tally.unknownFields.get('a')).toBe(10_001)
  expect(tally.unknownFields.size).toBeLessThanOrEqual(200)
  expect([...tally.unknownFields.keys()].every((name) => name.length <= 100)).toBe(true)
  const whole = createTally()
  mergeTally(whole, tally)
  mergeTally(whole, tally)
  expect(whole.unknownFields.get('a')).toBe(20_002)
})

test('of each reason the first problems of each file are kept', () => {
  const tally = createTally()
  for (let line = 1; line <= 100; line += 1) {
    for (const file of ['one', 'two']) addProblem(tally, { reason: 'not_json', file, line, message: 'x' })
    addProblem(tally, { reason: 'bad_address', file: 'one', line, message: 'y' })
  }
  expect(
    tally.problems
      .filter((problem) => problem.file === 'one' && problem.reason === 'not_json')
      .map((problem) => problem.line),
  ).toEqual([1, 2, 3, 4, 5])
  expect(tally.problems).toHaveLength(15)
})

test('parts add up to the whole: counts, reasons and the span of time', () => {
  const times = ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z']
  const whole = createTally()
  mergeTally(whole, createTally())
  expect(whole.firstTimestampMs).toBeUndefined()
  for (const timestamp of times) {
    const part = createTally()
    addDecoded(part, decodeText(JSON.stringify({ ...FULL_RECORD, timestamp }), DECODE))
    addDecoded(part, decodeText('', DECODE))
    mergeTally(whole, { ...part, read: 2, stored: 1, dead: 1, bytes: 10 })
  }
  expect(whole).toMatchObject({
    read: 6,
    stored: 3,
    dead: 3,
    bytes: 30,
    deadByReason: new Map([['not_json', 3]]),
    firstTimestampMs: Date.UTC(2026, 0, 1),
    lastTimestampMs: Date.UTC(2026, 0, 3),
  })
})
