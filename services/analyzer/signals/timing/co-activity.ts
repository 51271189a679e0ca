/**
 * Co-activity: one job that deals its requests out at random gives its keys one rhythm. Counted: neighbours in the merged order of time, at most a
 * minute apart, that are of different keys. Two nulls, the weaker counts: each key shifted by itself by whole hours (keeps what crons do on the
 * clock) and by times that are no multiples of the limit window (keeps nothing of the clock).
 */
import type { Tuning } from '../../tuning.ts'
import { offWindowShifts } from './hand-over.ts'
import { seededRandom } from './random.ts'

export interface CoActivity {
  readonly switches: number
  /** What the weaker null gives. */
  readonly expected: number
  /** Standard deviations above it. */
  readonly z: number
}

function switchesOf(
  timesByKey: readonly (readonly number[])[],
  shifts: readonly number[],
  windowMs: number,
  gapMs: number,
): number {
  const merged: { readonly time: number; readonly label: number }[] = []
  for (const [label, times] of timesByKey.entries()) {
    const shift = shifts[label] ?? 0
    for (const time of times) merged.push({ time: (((time + shift) % windowMs) + windowMs) % windowMs, label })
  }
  merged.sort((x, y) => x.time - y.time || x.label - y.label)
  let switches = 0
  for (let i = 1; i < merged.length; i += 1) {
    const before = merged[i - 1]
    const here = merged[i]
    if (before === undefined || here === undefined) continue
    if (before.label !== here.label && here.time - before.time <= gapMs) switches += 1
  }
  return switches
}

const HOUR_MS = 3_600_000

/** Whole hours of up to `most` either way, no two keys the same while there are enough: two that move together are not shifted at all. */
function hourShifts(keys: number, most: number, random: () => number): number[] {
  const hours = Array.from({ length: 2 * most + 1 }, (_, i) => ({ shift: (i - most) * HOUR_MS, rank: random() }))
  hours.sort((x, y) => x.rank - y.rank)
  return Array.from({ length: keys }, (_, key) => hours[key % hours.length]?.shift ?? 0)
}

/** `timesByKey`: of each key its times, milliseconds ascending. */
export function coActivity(
  timesByKey: readonly (readonly number[])[],
  limitWindowMs: number,
  windowMs: number,
  tuning: Tuning,
): CoActivity {
  const { gapMs, draws } = tuning.alternation
  const switches = switchesOf(timesByKey, [], windowMs, gapMs)
  const hours = Math.max(1, Math.min(6, Math.floor(windowMs / HOUR_MS / 4)))
  const random = seededRandom(timesByKey.length * 6007)
  const nulls = [
    () => hourShifts(timesByKey.length, hours, random),
    (draw: number) => offWindowShifts(timesByKey.length, limitWindowMs, 61 + draw * 97).map((shift) => shift / 2),
  ]
  let weakest: CoActivity | undefined
  for (const shiftsOf of nulls) {
    const values = Array.from({ length: draws }, (_, draw) => switchesOf(timesByKey, shiftsOf(draw), windowMs, gapMs))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    const z = (switches - mean) / Math.max(1, sd, Math.sqrt(mean))
    if (weakest === undefined || z < weakest.z) weakest = { switches, expected: mean, z }
  }
  return weakest ?? { switches, expected: 0, z: 0 }
}
