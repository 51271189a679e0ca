/** The algebra of offset ranges against a naive oracle: sets of numbers. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { covers, difference, rangeCursor, union, type OffsetRange } from '../../../../services/ingest/blocks/range.ts'

const OFFSET_MAX = 30
const range = fc.record({ from: fc.nat(OFFSET_MAX), to: fc.nat(OFFSET_MAX) })
const ranges = fc.array(range, { maxLength: 8 })

function offsetsOf(set: readonly OffsetRange[]): Set<number> {
  const offsets = new Set<number>()
  for (const { from, to } of set) for (let offset = from; offset < to; offset += 1) offsets.add(offset)
  return offsets
}

/** True when the ranges are in order, none empty, none touching another. */
function isNormal(set: readonly OffsetRange[]): boolean {
  return set.every(({ from, to }, index) => from < to && (index === 0 || from > (set[index - 1]?.to ?? from)))
}

test('a union has every offset of its ranges and no other, in ranges that do not touch', () => {
  fc.assert(
    fc.property(ranges, (set) => {
      const merged = union(set)
      expect(offsetsOf(merged)).toEqual(offsetsOf(set))
      expect(isNormal(merged)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('a difference has the offsets of the one and none of the other', () => {
  fc.assert(
    fc.property(ranges, ranges, (set, holes) => {
      const left = difference(set, holes)
      expect(offsetsOf(left)).toEqual(offsetsOf(set).difference(offsetsOf(holes)))
      expect(isNormal(left)).toBe(true)
    }),
    { numRuns: 5000 },
  )
})

test('a range is covered when each of its offsets is', () => {
  fc.assert(
    fc.property(ranges, range, (set, one) => {
      expect(covers(set, one)).toBe(offsetsOf([one]).isSubsetOf(offsetsOf(set)))
    }),
    { numRuns: 2000 },
  )
})

test('a cursor that goes through the offsets in order tells those that are in the set', () => {
  fc.assert(
    fc.property(ranges, fc.array(fc.nat(OFFSET_MAX)), (set, asked) => {
      const cursor = rangeCursor(set)
      const offsets = offsetsOf(set)
      for (const offset of asked.toSorted((one, other) => one - other)) {
        expect(cursor.has(offset)).toBe(offsets.has(offset))
      }
    }),
    { numRuns: 2000 },
  )
})
