/**
 * Offsets [from, to) and sets of them: the ledger, what is known, what is missing. Pure.
 *
 * A set is a list of ranges. Functions take ranges in any order, overlapping or not; they give them in order, none empty, none touching another.
 */

/** Offsets from <= offset < to. */
export interface OffsetRange {
  readonly from: number
  readonly to: number
}

/** Offsets that are in any of the ranges. */
export function union(ranges: readonly OffsetRange[]): OffsetRange[] {
  const merged: { from: number; to: number }[] = []
  for (const { from, to } of ranges.toSorted((one, other) => one.from - other.from)) {
    const last = merged.at(-1)
    if (from >= to) continue
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

/** Offsets that are in some of the ranges and in none of the holes. */
export function difference(ranges: readonly OffsetRange[], holes: readonly OffsetRange[]): OffsetRange[] {
  const left: OffsetRange[] = []
  const cuts = union(holes)
  let index = 0
  for (const range of union(ranges)) {
    let { from } = range
    // A hole may reach into the next range too, so the last one looked at is looked at again.
    while ((cuts[index]?.to ?? Number.POSITIVE_INFINITY) <= from) index += 1
    for (let cut = cuts[index]; cut !== undefined && cut.from < range.to; cut = cuts[index]) {
      if (cut.from > from) left.push({ from, to: cut.from })
      from = cut.to
      if (cut.to > range.to) break
      index += 1
    }
    if (from < range.to) left.push({ from, to: range.to })
  }
  return left
}

/** True when every offset of the range is in the set. */
export function covers(set: readonly OffsetRange[], range: OffsetRange): boolean {
  return difference([range], set).length === 0
}

/** A set for a reader that goes through the offsets in order. */
export interface RangeCursor {
  /** True when the offset is in the set. Offsets asked for must not fall. */
  has(offset: number): boolean
}

export function rangeCursor(set: readonly OffsetRange[]): RangeCursor {
  const ranges = union(set)
  let index = 0
  return {
    has(offset) {
      for (;;) {
        const range = ranges[index]
        if (range === undefined || offset < range.from) return false
        if (offset < range.to) return true
        index += 1
      }
    },
  }
}
