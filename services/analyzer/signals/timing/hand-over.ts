/**
 * Hand-over between spells: one key falls silent and the next begins, again and again. It needs no shared address, so it is also how such pairs
 * are proposed.
 *
 * A spell is a run of requests with gaps below max(20 s, 8 * median gap), at least five of them. A hit: a spell of B begins within [-5 s, 30 s] of
 * the end of a spell of A; ends count whether or not a 429 is seen, because who slices time is never throttled. Two nulls, the weaker counts:
 * Poisson against the mean of shifted hits, and the rank among shifts of up to 6 h that are no multiples of the limit window (a
 * window-locked pair has one degree of freedom, its phase).
 */
import { median, poissonUpperTail } from '../../statistics.ts'
import type { Tuning } from '../../tuning.ts'
import { seededRandom } from './random.ts'

/** Spells of one app, milliseconds, ascending. */
export interface Spells {
  readonly app: number
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

export function spellsOf(app: number, times: readonly number[], { spells }: Tuning): Spells {
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
  const limit = Math.max(spells.gapMs, spells.gapMedians * (gaps.length === 0 ? 0 : median(gaps)))
  const starts: number[] = []
  const ends: number[] = []
  let from = 0
  for (let i = 1; i <= times.length; i += 1) {
    if (i < times.length && (times[i] ?? 0) - (times[i - 1] ?? 0) <= limit) continue
    if (i - from >= spells.requestsMin) {
      starts.push(times[from] ?? 0)
      ends.push(times[i - 1] ?? 0)
    }
    from = i
  }
  return { app, starts, ends }
}

/** Ends of A that are followed by a start of B, B shifted by `shiftMs` around the window. Both ascending. */
export function hitsOf(
  ends: readonly number[],
  starts: readonly number[],
  shiftMs: number,
  windowMs: number,
  { spells }: Tuning,
): number {
  if (starts.length === 0) return 0
  let hits = 0
  for (const end of ends) {
    const wanted = (((end - spells.beforeMs - shiftMs) % windowMs) + windowMs) % windowMs
    let low = 0
    let high = starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    const next = starts[low]
    if (next !== undefined && next - wanted <= spells.beforeMs + spells.afterMs) hits += 1
  }
  return hits
}

export interface HandOver {
  readonly a: number
  readonly b: number
  /** Hand-overs seen from A to B and from B to A. */
  readonly hits: number
  /** From A to B. */
  readonly there: number
  readonly expected: number
  /** -log2 p, the weaker of both nulls. */
  readonly bits: number
  /** Share of the hits in the rarer direction, 0..0.5: a follower makes B after A, never A after B. */
  readonly back: number
}

/** Shifts of up to six hours, none within a tenth of a multiple of the limit window. */
export function offWindowShifts(count: number, limitWindowMs: number, seed: number): number[] {
  const random = seededRandom(seed)
  const shifts: number[] = []
  while (shifts.length < count) {
    const shift = (random() * 2 - 1) * 6 * 3_600_000
    const phase = ((shift % limitWindowMs) + limitWindowMs) % limitWindowMs
    if (phase > limitWindowMs * 0.1 && phase < limitWindowMs * 0.9) shifts.push(shift)
  }
  return shifts
}

export function handOver(
  one: Spells,
  other: Spells,
  shifts: readonly number[],
  windowMs: number,
  tuning: Tuning,
): HandOver | undefined {
  const there = hitsOf(one.ends, other.starts, 0, windowMs, tuning)
  const back = hitsOf(other.ends, one.starts, 0, windowMs, tuning)
  const hits = there + back
  if (hits < tuning.spells.hitsMin) return undefined
  // Chance at an even rate is the least that the nulls can give: below the bits of a link there is no need of shifts.
  const rate = (tuning.spells.beforeMs + tuning.spells.afterMs) / windowMs
  const even = (one.ends.length * other.starts.length + other.ends.length * one.starts.length) * rate
  if (-Math.log2(Math.max(1e-300, poissonUpperTail(hits, even))) < tuning.spells.linkBits) return undefined
  const shifted = shifts.map(
    (shift) =>
      hitsOf(one.ends, other.starts, shift, windowMs, tuning) +
      hitsOf(other.ends, one.starts, -shift, windowMs, tuning),
  )
  const expected = shifted.reduce((sum, value) => sum + value, 0) / Math.max(1, shifted.length)
  const poissonBits = -Math.log2(Math.max(1e-300, poissonUpperTail(hits, Math.max(expected, 0.1))))
  const rankBits = -Math.log2((shifted.filter((value) => value >= hits).length + 1) / (shifted.length + 1))
  return {
    a: one.app,
    b: other.app,
    hits,
    there,
    expected,
    bits: Math.min(poissonBits, rankBits),
    back: Math.min(there, back) / hits,
  }
}

/** Time that two apps spend in spells together, milliseconds, the second shifted around the window. */
function overlapOf(one: Spells, other: Spells, shiftMs: number, windowMs: number): number {
  let sum = 0
  let j = 0
  const moved = other.starts
    .map((start, i) => {
      const from = (((start + shiftMs) % windowMs) + windowMs) % windowMs
      return { from, to: from + (other.ends[i] ?? start) - start }
    })
    .toSorted((x, y) => x.from - y.from)
  for (const [i, start] of one.starts.entries()) {
    const end = one.ends[i] ?? start
    while (j < moved.length && (moved[j]?.to ?? 0) < start) j += 1
    for (let k = j; k < moved.length; k += 1) {
      const spell = moved[k]
      if (spell === undefined || spell.from > end) break
      sum += Math.max(0, Math.min(end, spell.to) - Math.max(start, spell.from))
    }
  }
  return sum
}

export interface Ring {
  readonly apps: readonly number[]
  readonly hits: number
  readonly expectedHits: number
  readonly hitsZ: number
  readonly overlapMs: number
  readonly expectedOverlapMs: number
  readonly overlapZ: number
}

function moments(values: readonly number[]): { readonly mean: number; readonly sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  return {
    mean,
    sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length)),
  }
}

/** Hand-overs and overlaps of a whole component, each member shifted independently: pairs pool, so that no pair alone decides. */
export function ringOf(spells: readonly Spells[], limitWindowMs: number, windowMs: number, tuning: Tuning): Ring {
  const measure = (shifts: readonly number[]): { hits: number; overlap: number } => {
    let hits = 0
    let overlap = 0
    for (const [i, one] of spells.entries()) {
      for (const [j, other] of spells.entries()) {
        if (i === j) continue
        const shift = (shifts[j] ?? 0) - (shifts[i] ?? 0)
        hits += hitsOf(one.ends, other.starts, shift, windowMs, tuning)
        if (i < j) overlap += overlapOf(one, other, shift, windowMs)
      }
    }
    return { hits, overlap }
  }
  const observed = measure(spells.map(() => 0))
  const draws = Array.from({ length: tuning.spells.ringShifts }, (_, draw) =>
    measure(offWindowShifts(spells.length, limitWindowMs, 31 + draw * 101)),
  )
  const hits = moments(draws.map((draw) => draw.hits))
  const overlap = moments(draws.map((draw) => draw.overlap))
  return {
    apps: spells.map((one) => one.app),
    hits: observed.hits,
    expectedHits: hits.mean,
    hitsZ: (observed.hits - hits.mean) / Math.max(1, hits.sd),
    overlapMs: observed.overlap,
    expectedOverlapMs: overlap.mean,
    overlapZ: (observed.overlap - overlap.mean) / Math.max(1, overlap.sd),
  }
}

/** Either suffices: several workers overlap hardly below chance, and hand over all the same. */
export function isRing(ring: Ring, { spells }: Tuning): boolean {
  // A class hands over too, and meets more than chance does: who takes turns does not.
  const takesTurns = ring.overlapZ <= spells.turnsZMax
  const handsOver =
    takesTurns && ring.hitsZ >= spells.ringZMin && ring.hits >= spells.ringRatioMin * Math.max(1, ring.expectedHits)
  const excludes =
    ring.overlapZ <= spells.overlapZMax && ring.overlapMs <= spells.overlapRatioMax * ring.expectedOverlapMs
  return handsOver || (excludes && ring.hits >= spells.hitsMin)
}
