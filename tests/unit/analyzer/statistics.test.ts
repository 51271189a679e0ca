import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  binomialUpperTailBits,
  logGamma,
  median,
  poissonLowerTail,
  poissonUpperTail,
  probabilityOfBits,
  upperRank,
} from '../../../services/analyzer/statistics.ts'

/** 10^60: enough digits that a plain rational sum is exact next to a double. */
const ONE = 10n ** 60n

/** exp(-n/d) in units of 1/ONE, by its series with halved argument and repeated squaring; whole numbers only. */
function expMinus(numerator: bigint, denominator: bigint): bigint {
  const halvings = 40n
  const x = (numerator * ONE) / (denominator << halvings)
  let term = ONE
  let sum = ONE
  for (let k = 1n; k < 40n; k++) {
    term = (-term * x) / (ONE * k)
    sum += term
  }
  for (let i = 0n; i < halvings; i++) sum = (sum * sum) / ONE
  return sum
}

/** P(X >= observed) and P(X <= observed) for X ~ Poisson(numerator/denominator): terms added one by one in whole numbers. */
function poissonOracle(observed: number, numerator: bigint, denominator: bigint): { upper: number; lower: number } {
  let term = expMinus(numerator, denominator)
  let below = 0n
  for (let k = 0n; k < BigInt(observed); k++) {
    below += term
    term = (term * numerator) / (denominator * (k + 1n))
  }
  const lower = below + term
  let upper = 0n
  for (let k = BigInt(observed); k < BigInt(observed) + 400n; k++) {
    upper += term
    term = (term * numerator) / (denominator * (k + 1n))
  }
  return { upper: Number(upper) / Number(ONE), lower: Number(lower) / Number(ONE) }
}

const relative = (value: number, truth: number): number => Math.abs(value - truth) / Math.max(truth, 1e-300)

describe('logGamma', () => {
  it.each([
    [0.5, 0.5 * Math.log(Math.PI)],
    [1, 0],
    [2, 0],
    [3.5, Math.log((15 / 8) * Math.sqrt(Math.PI))],
    [10, Math.log(362_880)],
    // Abramowitz & Stegun, table 6.4: ln Gamma(101) = ln 100!.
    [101, 363.739_375_555_563_5],
  ])('is the table value at %d', (x, value) => {
    expect(logGamma(x)).toBeCloseTo(value, 10)
  })

  it('is the logarithm of the factorial', () => {
    let sum = 0
    for (let n = 1; n <= 300; n++) {
      sum += Math.log(n)
      expect(Math.abs(logGamma(n + 1) - sum)).toBeLessThan(1e-11 * Math.max(1, sum))
    }
  })

  it('grows by ln x from x to x + 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e6, noNaN: true }), (x) => {
        const step = logGamma(x + 1) - logGamma(x)
        expect(Math.abs(step - Math.log(x))).toBeLessThan(1e-11 * Math.max(1, Math.abs(logGamma(x))))
      }),
      { seed: 1 },
    )
  })
})

describe('the tails of the Poisson distribution', () => {
  const cases = fc.record({ observed: fc.nat(120), numerator: fc.bigInt(1n, 60_000n) })

  it('are those of a sum in whole numbers', () => {
    fc.assert(
      fc.property(cases, ({ observed, numerator }) => {
        const mean = Number(numerator) / 1000
        const truth = poissonOracle(observed, numerator, 1000n)
        // The oracle has 60 decimal places: below 1e-40 its own digits run out.
        const error = truth.upper > 1e-40 ? relative(poissonUpperTail(observed, mean), truth.upper) : 0
        expect(error).toBeLessThan(1e-9)
        // Where the lower tail is the complement of the upper one, its error is absolute: that of ln Gamma, 1e-11.
        expect(Math.abs(poissonLowerTail(observed, mean) - truth.lower)).toBeLessThan(1e-11)
      }),
      { seed: 2, numRuns: 300 },
    )
  })

  it.each([
    // 1 - e^-1, 1 - 2/e, 1 - 2.5/e.
    [1, 1, 0.632_120_558_828_557_7],
    [2, 1, 0.264_241_117_657_115_4],
    [3, 1, 0.080_301_397_071_394_2],
  ])('give P(X >= %d) at mean %d as the tables do', (observed, mean, value) => {
    expect(poissonUpperTail(observed, mean)).toBeCloseTo(value, 11)
  })

  it('fall as more is observed and rise with the mean', () => {
    const any = fc.record({ observed: fc.nat(5000), mean: fc.double({ min: 1e-6, max: 3000, noNaN: true }) })
    fc.assert(
      fc.property(any, ({ observed, mean }) => {
        const p = poissonUpperTail(observed, mean)
        expect(p).toBeGreaterThanOrEqual(0)
        expect(p).toBeLessThanOrEqual(1)
        expect(poissonUpperTail(observed + 1, mean)).toBeLessThanOrEqual(p + 1e-12)
        expect(poissonUpperTail(observed, mean * 1.01)).toBeGreaterThanOrEqual(p - 1e-9)
      }),
      { seed: 3, numRuns: 300 },
    )
  })

  it('complete each other', () => {
    const any = fc.record({ observed: fc.integer({ min: 1, max: 400 }), mean: fc.double({ min: 0.01, max: 400 }) })
    fc.assert(
      fc.property(any, ({ observed, mean }) => {
        expect(poissonUpperTail(observed, mean) + poissonLowerTail(observed - 1, mean)).toBeCloseTo(1, 10)
      }),
      { seed: 4 },
    )
  })

  it('are certain or impossible at the extremes, never NaN', () => {
    expect(poissonUpperTail(0, 5)).toBe(1)
    expect(poissonUpperTail(3, 0)).toBe(0)
    expect(poissonUpperTail(0, 0)).toBe(1)
    expect(poissonLowerTail(-1, 3)).toBe(0)
    expect(poissonLowerTail(0, 0)).toBe(1)
    expect(poissonUpperTail(1_000_000, 1)).toBe(0)
    expect(poissonUpperTail(1, 1e-12)).toBeCloseTo(1e-12, 20)
    expect(poissonUpperTail(1, 1e6)).toBe(1)
    expect(poissonUpperTail(1_000_000, 1_000_000)).toBeCloseTo(0.5, 2)
  })
})

/** -log2 P(X >= k), X ~ Binomial(n, a/b): the terms added up in whole numbers, a ratio at the end. */
function binomialOracle(k: number, n: number, a: bigint, b: bigint): number {
  let ways = 1n
  let sum = 0n
  for (let i = 0; i <= n; i += 1) {
    if (i >= k) sum += ways * a ** BigInt(i) * (b - a) ** BigInt(n - i)
    ways = (ways * BigInt(n - i)) / BigInt(i + 1)
  }
  return -Math.log2(Number((sum * ONE) / b ** BigInt(n)) / Number(ONE))
}

describe('the tail of the binomial distribution', () => {
  it('is that of a sum in whole numbers', () => {
    const cases = fc.record({ trials: fc.integer({ min: 1, max: 80 }), k: fc.nat(80), a: fc.bigInt(1n, 999n) })
    fc.assert(
      fc.property(cases, ({ trials, k, a }) => {
        const truth = binomialOracle(Math.min(k, trials), trials, a, 1000n)
        // The oracle has 60 decimal places, 199 bits.
        fc.pre(truth < 160)
        const error = Math.abs(binomialUpperTailBits(Math.min(k, trials), trials, Number(a) / 1000) - truth)
        expect(error).toBeLessThan(1e-8)
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('is certain or impossible at the extremes, never NaN', () => {
    expect(binomialUpperTailBits(0, 9, 0.1)).toBe(0)
    expect(binomialUpperTailBits(0, 0, 0.1)).toBe(0)
    expect(binomialUpperTailBits(3, 2, 0.1)).toBe(Number.POSITIVE_INFINITY)
    expect(binomialUpperTailBits(1, 2, 0)).toBe(Number.POSITIVE_INFINITY)
    expect(binomialUpperTailBits(2, 2, 1)).toBe(0)
    expect(binomialUpperTailBits(500, 500, 0.001)).toBeCloseTo(500 * Math.log2(1000), 6)
  })
})

describe('upperRank', () => {
  it('is the share of the sample that is at least the value, one pseudo-count added', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 20 })), fc.integer({ min: -25, max: 25 }), (sample, value) => {
        const sorted = sample.toSorted((a, b) => a - b)
        const atLeast = sample.filter((item) => item >= value).length
        expect(upperRank(sorted, value)).toBe((atLeast + 1) / (sample.length + 1))
      }),
      { seed: 5 },
    )
  })

  it('is never 0, however small the sample', () => {
    expect(upperRank([], 7)).toBe(1)
    expect(upperRank([1, 2, 3], 100)).toBe(0.25)
  })
})

describe('median', () => {
  it('halves the values, and two in the middle meet half-way', () => {
    expect(median([3])).toBe(3)
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(median([])).toBeNaN()
  })

  it('does not depend on the order and leaves its input alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const copy = [...values]
        expect(median(values)).toBe(median(values.toReversed()))
        expect(values).toEqual(copy)
      }),
      { seed: 6 },
    )
  })
})

describe('probabilityOfBits', () => {
  it('is the logistic function to base 2', () => {
    expect(probabilityOfBits(0)).toBe(0.5)
    expect(probabilityOfBits(1)).toBeCloseTo(2 / 3, 15)
    expect(probabilityOfBits(-3)).toBeCloseTo(1 / 9, 15)
    expect(probabilityOfBits(4000)).toBe(1)
    expect(probabilityOfBits(-4000)).toBe(0)
  })
})
