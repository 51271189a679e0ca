/**
 * Shares with their uncertainty, and how far stated probabilities can be believed. Pure; every number is a share in 0..1.
 *
 * A share of nothing is null, never 0 or 1: both of those would be a claim about things that were not there.
 */

/** `share` = count / total, null when total is 0. */
export interface Ratio {
  count: number
  total: number
  share: number | null
}

/** A ratio of independent cases, with its 95 % interval. */
export interface Proportion extends Ratio {
  low: number | null
  high: number | null
}

/** A stated probability and what turned out to be true. */
export interface Forecast {
  readonly probability: number
  readonly outcome: boolean
}

/** Forecasts in [from, to); the last bin includes 1. */
interface CalibrationBin {
  from: number
  to: number
  forecasts: number
  mean_probability: number | null
  observed: number | null
}

export interface Calibration {
  forecasts: number
  /** Mean over forecasts of |observed share - mean probability| of their bin. */
  expected_calibration_error: number | null
  /** Mean squared distance between probability and outcome (Brier 1950); always answering 0.5 scores 0.25. */
  brier: number | null
  bins: CalibrationBin[]
}

/** The 0.975 quantile of the standard normal distribution: two sides of 2.5 % each. */
const normalQuantile = 1.959963984540054

/** Ten, as in Naeini et al. (2015); equal width, so that bins are comparable between runs. */
const binCount = 10

/** `count` of `total`, without an interval: for cases that are not independent of each other, such as pairs. */
export function ratio(count: number, total: number): Ratio {
  return { count, total, share: total === 0 ? null : count / total }
}

/**
 * `count` of `total` independent cases with the Wilson (1927) score interval, 95 %:
 * (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n).
 * It stays inside 0..1 and keeps its width at 0 and n of n, where the textbook interval shrinks to nothing.
 */
export function proportion(count: number, total: number): Proportion {
  if (total === 0) return { ...ratio(count, total), low: null, high: null }
  const share = count / total
  const squared = normalQuantile ** 2
  const scale = 1 + squared / total
  const middle = (share + squared / (2 * total)) / scale
  const reach = (normalQuantile / scale) * Math.sqrt((share * (1 - share)) / total + squared / (4 * total ** 2))
  return {
    ...ratio(count, total),
    low: count === 0 ? 0 : Math.max(0, middle - reach),
    high: count === total ? 1 : Math.min(1, middle + reach),
  }
}

/**
 * F1 = 2PR / (P + R). Null when neither side is defined (nothing to find and nothing found); 0 when one side alone is
 * undefined, which is what 2TP / (2TP + FP + FN) gives.
 */
export function harmonicMean(precision: number | null, recall: number | null): number | null {
  if (precision === null && recall === null) return null
  if (precision === null || recall === null || precision + recall === 0) return 0
  return (2 * precision * recall) / (precision + recall)
}

/** Expected calibration error (Naeini, Cooper, Hauskrecht 2015) over ten bins of equal width, and the Brier score. */
export function calibration(forecasts: readonly Forecast[]): Calibration {
  const binned = Map.groupBy(forecasts, ({ probability }) => Math.min(binCount - 1, Math.floor(probability * binCount)))
  const bins = Array.from({ length: binCount }, (_, index) => summarizeBin(index, binned.get(index) ?? []))
  const distances = bins.map((bin) => bin.forecasts * Math.abs((bin.observed ?? 0) - (bin.mean_probability ?? 0)))
  const squares = forecasts.map(({ probability, outcome }) => (probability - (outcome ? 1 : 0)) ** 2)
  return { forecasts: forecasts.length, expected_calibration_error: share(distances), brier: share(squares), bins }

  function share(terms: readonly number[]): number | null {
    return forecasts.length === 0 ? null : sum(terms) / forecasts.length
  }
}

/** The calibration of all the forecasts behind `parts` together. */
export function mergeCalibrations(parts: readonly Calibration[]): Calibration {
  const forecasts = sum(parts.map((part) => part.forecasts))
  const bins = Array.from({ length: binCount }, (_, index) =>
    mergeBins(
      index,
      parts.flatMap((part) => part.bins[index] ?? []),
    ),
  )
  const distances = bins.map((bin) => bin.forecasts * Math.abs((bin.observed ?? 0) - (bin.mean_probability ?? 0)))
  const squares = parts.map((part) => part.forecasts * (part.brier ?? 0))
  return {
    forecasts,
    expected_calibration_error: forecasts === 0 ? null : sum(distances) / forecasts,
    brier: forecasts === 0 ? null : sum(squares) / forecasts,
    bins,
  }
}

function mergeBins(index: number, bins: readonly CalibrationBin[]): CalibrationBin {
  const count = sum(bins.map((bin) => bin.forecasts))
  const weighted = (values: readonly (number | null)[]): number | null =>
    count === 0 ? null : sum(values.map((value, at) => (value ?? 0) * (bins[at]?.forecasts ?? 0))) / count
  return {
    from: index / binCount,
    to: (index + 1) / binCount,
    forecasts: count,
    mean_probability: weighted(bins.map((bin) => bin.mean_probability)),
    observed: weighted(bins.map((bin) => bin.observed)),
  }
}

/** A mean over independent worlds with its 95 % interval; the interval is null for fewer than two worlds. */
export interface Estimate {
  worlds: number
  mean: number | null
  low: number | null
  high: number | null
}

/** 0.975 quantiles of Student's t with 1, 2, … degrees of freedom (Fisher & Yates 1938, table III). */
const studentQuantiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
] as const

/**
 * Mean of `values`, one for each world, with Student's interval: mean ± t(n - 1) s / √n, kept within 0..`max`. Worlds in which the value is
 * undefined (null) are left out. Worlds that all gave the same value have an interval of no width, which says that they agree and
 * not that the value is certain.
 */
export function estimate(values: readonly (number | null)[], max = Infinity): Estimate {
  const known = values.filter((value) => value !== null)
  const n = known.length
  if (n === 0) return { worlds: 0, mean: null, low: null, high: null }
  const mean = sum(known) / n
  if (n === 1) return { worlds: 1, mean, low: null, high: null }
  const deviation = Math.sqrt(sum(known.map((value) => (value - mean) ** 2)) / (n - 1))
  const reach = ((studentQuantiles[n - 2] ?? normalQuantile) * deviation) / Math.sqrt(n)
  return { worlds: n, mean, low: Math.max(0, mean - reach), high: Math.min(max, mean + reach) }
}

function summarizeBin(index: number, forecasts: readonly Forecast[]): CalibrationBin {
  const count = forecasts.length
  return {
    from: index / binCount,
    to: (index + 1) / binCount,
    forecasts: count,
    mean_probability: count === 0 ? null : sum(forecasts.map(({ probability }) => probability)) / count,
    observed: count === 0 ? null : forecasts.filter(({ outcome }) => outcome).length / count,
  }
}

export function sum(terms: readonly number[]): number {
  return terms.reduce((total, term) => total + term, 0)
}

/** Undefined when there are none. A loop, because a spread into Math.max overflows the stack on long inputs. */
export function largest(numbers: Iterable<number>): number | undefined {
  let best: number | undefined
  for (const number of numbers) best = best === undefined ? number : Math.max(best, number)
  return best
}
