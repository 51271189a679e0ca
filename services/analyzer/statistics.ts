/** Small, pure statistics: tails of the Poisson distribution, ranks, and log-odds. */

/** ln Gamma(x) for x > 0 by Stirling's series after a shift to x >= 8; relative error below 1e-12 (Abramowitz & Stegun 6.1.41). */
export function logGamma(x: number): number {
  let shift = 0
  let y = x
  while (y < 8) {
    shift += Math.log(y)
    y += 1
  }
  const r = 1 / (y * y)
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680)))) / y
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series - shift
}

/** P(X >= observed) for X ~ Poisson(mean); observed a whole number >= 0, mean >= 0. */
export function poissonUpperTail(observed: number, mean: number): number {
  if (observed <= 0) return 1
  if (mean <= 0) return 0
  if (observed <= mean) return Math.max(0, 1 - poissonLowerSum(observed - 1, mean))
  let term = Math.exp(observed * Math.log(mean) - mean - logGamma(observed + 1))
  let sum = 0
  for (let k = observed; term > sum * 1e-16; k++) {
    sum += term
    term *= mean / (k + 1)
  }
  return Math.min(1, sum)
}

/** P(X <= observed) for X ~ Poisson(mean). */
export function poissonLowerTail(observed: number, mean: number): number {
  if (observed < 0) return 0
  if (mean <= 0) return 1
  return observed > mean ? 1 - poissonUpperTail(observed + 1, mean) : Math.min(1, poissonLowerSum(observed, mean))
}

/** Sum of the Poisson terms 0..last, from the largest (last <= mean) downwards. */
function poissonLowerSum(last: number, mean: number): number {
  if (last < 0) return 0
  let term = Math.exp(last * Math.log(mean) - mean - logGamma(last + 1))
  let sum = 0
  for (let k = last; k >= 0 && term > sum * 1e-16; k--) {
    sum += term
    term *= k / mean
  }
  return sum
}

/** Share of `sorted` (ascending) that is >= value, with one pseudo-count so that it is never 0: an empirical p-value. */
export function upperRank(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return (sorted.length - low + 1) / (sorted.length + 1)
}

/** Probability from log2 odds. */
export function probabilityOfBits(bits: number): number {
  return 1 / (1 + 2 ** -bits)
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** -log2 P(X >= successes) for X ~ Binomial(trials, p); exact sum of the tail in logarithms. 0 for successes <= 0. */
export function binomialUpperTailBits(successes: number, trials: number, p: number): number {
  if (successes <= 0) return 0
  if (successes > trials || p <= 0) return Number.POSITIVE_INFINITY
  if (p >= 1) return 0
  const logTerm = (k: number): number =>
    logGamma(trials + 1) - logGamma(k + 1) - logGamma(trials - k + 1) + k * Math.log(p) + (trials - k) * Math.log1p(-p)
  const first = logTerm(successes)
  let sum = 0
  for (let k = successes; k <= trials; k += 1) {
    const term = Math.exp(logTerm(k) - first)
    sum += term
    if (k > trials * p && term < sum * 1e-15) break
  }
  return Math.max(0, -(first + Math.log(sum)) / Math.LN2)
}
