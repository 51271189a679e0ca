import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { calibration, estimate, mergeCalibrations } from '../../../evaluate/statistics.ts'

describe('means over worlds', () => {
  test('the interval is the textbook one of Student', () => {
    // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, s = 2.13809, t(7) = 2.365, half width 1.78778.
    const { mean, low, high, worlds } = estimate([2, 4, 4, 4, 5, 5, 7, 9])
    expect([worlds, mean]).toEqual([8, 5])
    expect(low).toBeCloseTo(5 - 1.78778, 3)
    expect(high).toBeCloseTo(5 + 1.78778, 3)
  })

  test('a world without the value is left out, and one world has no interval', () => {
    expect(estimate([null, 0.5])).toEqual({ worlds: 1, mean: 0.5, low: null, high: null })
    expect(estimate([null])).toEqual({ worlds: 0, mean: null, low: null, high: null })
  })

  test('the interval of a share stays in 0..1, that of a count above 0', () => {
    expect(estimate([1, 1, 0.9], 1).high).toBe(1)
    expect(estimate([0, 0, 1]).low).toBe(0)
  })

  test('many worlds use the normal quantile', () => {
    const values = Array.from({ length: 100 }, (_, index) => index % 2)
    expect(estimate(values).high).toBeCloseTo(0.5 + (1.959964 * Math.sqrt(25 / 99)) / 10, 6)
  })
})

test('merged calibrations are the calibration of all forecasts together', () => {
  const forecasts = fc.array(
    fc.record({ probability: fc.double({ min: 0, max: 1, noNaN: true }), outcome: fc.boolean() }),
  )
  fc.assert(
    fc.property(fc.array(forecasts, { maxLength: 4 }), (parts) => {
      const merged = mergeCalibrations(parts.map((part) => calibration(part)))
      const whole = calibration(parts.flat())
      expect(merged.forecasts).toBe(whole.forecasts)
      expect(merged.expected_calibration_error ?? -1).toBeCloseTo(whole.expected_calibration_error ?? -1, 9)
      expect(merged.brier ?? -1).toBeCloseTo(whole.brier ?? -1, 9)
      expect(merged.bins.map((bin) => bin.forecasts)).toEqual(whole.bins.map((bin) => bin.forecasts))
    }),
    { numRuns: 300, seed: 5 },
  )
})
