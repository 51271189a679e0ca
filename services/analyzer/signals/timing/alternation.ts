/**
 * Alternation: requests of several keys in one order of time, key after key. Independent programs repeat themselves: a burst of one is a run of
 * its label, so they repeat more often than a shuffle does. One process that goes round its keys hardly repeats.
 *
 * Runs (Wald & Wolfowitz 1940) within short stretches, so that programs of different hours are no evidence: the number of neighbours with the
 * same label, against its mean and variance when the labels of each stretch are shuffled.
 */
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

/** `timesByKey`: of each key its times, milliseconds ascending. */
export function alternation(timesByKey: readonly (readonly number[])[], { alternation: tuning }: Tuning): Alternation {
  const merged: Labelled[] = timesByKey
    .flatMap((times, label) => times.map((time): Labelled => ({ time, label })))
    .toSorted((x, y) => x.time - y.time || x.label - y.label)
  const sums = { neighbours: 0, repeats: 0, mean: 0, variance: 0 }
  let stretch: number[] = []
  const next = timesByKey.map(() => new Map<number, number>())
  for (const [i, { time, label }] of merged.entries()) {
    const before = merged[i - 1]
    if (before !== undefined && (time - before.time > tuning.gapMs || stretch.length >= tuning.stretch)) {
      addStretch(stretch, sums)
      stretch = []
    }
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
  }
}
