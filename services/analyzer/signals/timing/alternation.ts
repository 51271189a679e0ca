/**
 * Alternation: requests of several keys in one order of time, key after key. Independent programs repeat themselves: a burst of one is a run of
 * its label, so they repeat more often than a shuffle does. One process that goes round its keys hardly repeats.
 *
 * Runs (Wald & Wolfowitz 1940) within short stretches, so that programs of different hours are no evidence: the number of neighbours with the
 * same label, against its mean and variance when the labels of each stretch are shuffled.
 */
import { median } from '../../statistics.ts'
import { offWindowShifts } from './hand-over.ts'
import type { Tuning } from '../../tuning.ts'

export interface Alternation {
  /** Neighbouring requests (at most a minute apart) compared, and those of them with the same key. */
  readonly neighbours: number
  readonly repeats: number
  readonly expectedRepeats: number
  /** Standard deviations below the expected repeats; positive for alternation. */
  readonly z: number
  /** Of the switches, the share that goes to one and the same next key: 1 for a round. */
  readonly roundShare: number
  /**
   * Reciprocity: the longest of the keys' median gaps to the request before, over the shortest. About 1 for one process that goes round; large
   * for a follower, who comes seconds after the one that he copies and never the other way about.
   */
  readonly gapRatio: number
}

interface Labelled {
  readonly time: number
  readonly label: number
}

/** Adds one stretch of labels to the sums. */
function addStretch(
  labels: readonly number[],
  sums: { neighbours: number; repeats: number; mean: number; variance: number },
): void {
  const n = labels.length
  const counts = new Map<number, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  if (counts.size < 2) return
  // Repeats = n - runs. Mean and variance of runs of several kinds under permutation (Barton & David 1957).
  let squares = 0
  let cubes = 0
  for (const count of counts.values()) {
    squares += count ** 2
    cubes += count ** 3
  }
  const variance = n < 3 ? 0 : (squares * (squares + n * (n + 1)) - 2 * n * cubes - n ** 3) / (n * n * (n - 1))
  sums.neighbours += n - 1
  sums.mean += (squares - n) / n
  sums.variance += Math.max(0, variance)
  for (let i = 1; i < n; i += 1) if (labels[i] === labels[i - 1]) sums.repeats += 1
}

function gapRatioOf(gaps: readonly (readonly number[])[]): number {
  const medians = gaps.filter((some) => some.length > 0).map((some) => Math.max(100, median(some)))
  return medians.length < 2 ? 1 : Math.max(...medians) / Math.min(...medians)
}

/** Exact, and reciprocal: no follower. */
export function isInTurn(found: Alternation, { alternation: tuning }: Tuning): boolean {
  return found.z >= tuning.zMin && found.gapRatio <= tuning.gapRatioMax
}

const HOUR_MS = 3_600_000

/**
 * In turn because of one another. Two steady programs of one pace alternate too, whoever they are: then they do so at any shift. So it must be lost
 * when the keys are shifted against each other, by whole hours and by times off the limit window.
 */
export function alternates(
  timesByKey: readonly (readonly number[])[],
  found: Alternation,
  limitWindowMs: number,
  windowMs: number,
  tuning: Tuning,
): boolean {
  if (!isInTurn(found, tuning)) return false
  const { shifts, zMin } = tuning.alternation
  const hours = Array.from({ length: shifts }, (_, i) => (i + 1) * HOUR_MS)
  for (const shift of [...hours, ...offWindowShifts(shifts, limitWindowMs, 271)]) {
    const moved = timesByKey.map((times, key) =>
      times.map((time) => (((time + key * shift) % windowMs) + windowMs) % windowMs).toSorted((x, y) => x - y),
    )
    if (alternation(moved, tuning).z > found.z - zMin) return false
  }
  return true
}

/** `timesByKey`: of each key its times, milliseconds ascending. */
export function alternation(timesByKey: readonly (readonly number[])[], { alternation: tuning }: Tuning): Alternation {
  const merged: Labelled[] = timesByKey
    .flatMap((times, label) => times.map((time): Labelled => ({ time, label })))
    .toSorted((x, y) => x.time - y.time || x.label - y.label)
  const sums = { neighbours: 0, repeats: 0, mean: 0, variance: 0 }
  let stretch: number[] = []
  const next = timesByKey.map(() => new Map<number, number>())
  const gaps = timesByKey.map((): number[] => [])
  for (const [i, { time, label }] of merged.entries()) {
    const before = merged[i - 1]
    if (before !== undefined && (time - before.time > tuning.gapMs || stretch.length >= tuning.stretch)) {
      addStretch(stretch, sums)
      stretch = []
    }
    if (before !== undefined && before.label !== label) gaps[label]?.push(time - before.time)
    if (before !== undefined && before.label !== label && time - before.time <= tuning.gapMs) {
      const to = next[before.label]
      to?.set(label, (to.get(label) ?? 0) + 1)
    }
    stretch.push(label)
  }
  addStretch(stretch, sums)
  const switches = next.reduce((sum, to) => sum + to.values().reduce((total, n) => total + n, 0), 0)
  const rounds = next.reduce((sum, to) => sum + Math.max(0, ...to.values()), 0)
  return {
    neighbours: sums.neighbours,
    repeats: sums.repeats,
    expectedRepeats: sums.mean,
    z: (sums.mean - sums.repeats) / Math.max(1, Math.sqrt(sums.variance)),
    roundShare: switches === 0 ? 0 : rounds / switches,
    gapRatio: gapRatioOf(gaps),
  }
}
