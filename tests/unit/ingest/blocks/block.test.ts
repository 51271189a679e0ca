import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  addDead,
  addRecord,
  batchToken,
  isFull,
  openBatch,
  type BatchLimits,
} from '../../../../services/ingest/blocks/block.ts'
import { decodeText } from '../../../../services/ingest/decode/decode.ts'
import { createRowBuffer } from '../../../../services/ingest/blocks/encode.ts'
import { addLines, type FilePosition, type OpenBlock } from '../../../../services/ingest/files/lines.ts'
import { rangeCursor, type OffsetRange } from '../../../../services/ingest/blocks/range.ts'
import { createTally } from '../../../../services/ingest/files/tally.ts'
import { DECODE, FULL_RECORD } from '../../../../rig/requests.ts'

const KEY = { source: 'file:0123456789abcdef', partition: 0 } as const

interface Cut {
  readonly ranges: { readonly from: number; readonly to: number; readonly records: number }[]
  readonly duplicate: number
}

function open(): OpenBlock {
  return { batch: openBatch(KEY, createRowBuffer(1024)), part: createTally() }
}

/** Cuts lines into ranges as the file reader does, but with all closed batches kept. `chunkLines`: lines handed over at a time. */
function cut(lines: readonly string[], limits: BatchLimits, ledger: readonly OffsetRange[], chunkLines: number): Cut {
  const ranges: Cut['ranges'] = []
  const known = rangeCursor(ledger)
  const position: FilePosition = {
    file: 'f',
    decode: DECODE,
    limits,
    known,
    closeBefore: Number.POSITIVE_INFINITY,
    line: 0,
    passed: createTally(),
  }
  let block = open()
  const close = (): void => {
    const { from, to, records } = block.batch
    if (records > 0) ranges.push({ from, to, records })
    block = open()
  }
  for (let at = 0; at < lines.length; at += chunkLines) {
    const bytes = Buffer.from(
      lines
        .slice(at, at + chunkLines)
        .map((line) => `${line}\n`)
        .join(''),
    )
    const cursor = { bytes, ascii: false, at: 0 }
    while (addLines(position, block, cursor) === 'close') close()
  }
  close()
  return { ranges, duplicate: position.passed.duplicate }
}

const line = fc.oneof(
  { weight: 5, arbitrary: fc.constant(JSON.stringify(FULL_RECORD)) },
  fc.constantFrom('', ' \t\r', 'not json', '{}'),
)
const limits = fc.record({ rows: fc.integer({ min: 1, max: 9 }), bytes: fc.integer({ min: 1, max: 5000 }) })
const input = fc.tuple(
  fc.array(line, { maxLength: 60 }),
  limits,
  fc.integer({ min: 1, max: 70 }),
  fc.integer({ min: 1, max: 70 }),
)

/** Invariant 3. */
test('ranges depend on the lines alone, not on how they were read', () => {
  fc.assert(
    fc.property(input, ([lines, limit, one, other]) => {
      expect(cut(lines, limit, [], one)).toEqual(cut(lines, limit, [], other))
    }),
  )
})

test('every line that is not blank is in one range; ranges grow and do not overlap', () => {
  fc.assert(
    fc.property(input, ([lines, limit, chunk]) => {
      const { ranges } = cut(lines, limit, [], chunk)
      const offsets = lines.flatMap((text, index) => (text.trim() === '' ? [] : [index]))
      let at = 0
      for (const range of ranges) {
        const inside = offsets.slice(at, at + range.records)
        expect(inside.length).toBe(range.records)
        expect(range.records).toBeLessThanOrEqual(limit.rows)
        expect([inside[0], (inside.at(-1) ?? 0) + 1]).toEqual([range.from, range.to])
        at += range.records
      }
      expect(at).toBe(offsets.length)
    }),
  )
})

test('a run that goes on after any number of blocks cuts the same ranges as one that was not stopped', () => {
  fc.assert(
    fc.property(input, fc.nat(20), ([lines, limit, chunk], done) => {
      const whole = cut(lines, limit, [], chunk)
      const ledger = whole.ranges.slice(0, done)
      const resumed = cut(lines, limit, ledger, chunk)
      expect(resumed.ranges).toEqual(whole.ranges.slice(done))
      expect(resumed.duplicate).toBe(ledger.reduce((sum, range) => sum + range.records, 0))
    }),
  )
})

test('a batch counts records, dead ones and bytes as read, and its token names its range', () => {
  const batch = openBatch(KEY, createRowBuffer())
  const decoded = decodeText(JSON.stringify(FULL_RECORD), DECODE)
  if (decoded.kind === 'accepted') addRecord(batch, 7, decoded.record, 300)
  addDead(batch, 9, { reason: 'not_json', detail: 'x' }, Buffer.from('y'), 2)
  expect(batch).toMatchObject({ from: 7, to: 10, records: 2, dead: 1, inputBytes: 302 })
  expect(batchToken(batch, batch.from, batch.to)).toBe('file:0123456789abcdef/0/7-10')
})

test('a batch is full by rows, bytes or time, whichever comes first, and never when it is empty', () => {
  const batch = openBatch(KEY, createRowBuffer(), 1000)
  const limit = { rows: 2, bytes: 100, milliseconds: 2000 }
  expect(isFull(batch, limit, 10_000)).toBe(false)
  addDead(batch, 0, { reason: 'not_json', detail: 'x' }, Buffer.from('y'), 10)
  expect(isFull(batch, limit, 2999)).toBe(false)
  expect(isFull(batch, limit, 3000)).toBe(true)
  expect(isFull(batch, { ...limit, bytes: 10 }, 1000)).toBe(true)
  addDead(batch, 1, { reason: 'not_json', detail: 'x' }, Buffer.from('y'), 10)
  expect(isFull(batch, limit, 1000)).toBe(true)
})
