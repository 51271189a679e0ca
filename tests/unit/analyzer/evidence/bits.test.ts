import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EvidenceFamily } from '#schemas/finding.ts'
import {
  familyBits,
  isAdmissible,
  isLinked,
  levelBits,
  scorePair,
  scorePairs,
  type SignalResult,
} from '../../../../services/analyzer/evidence/bits.ts'
import type { Pair } from '../../../../services/analyzer/run/pairs.ts'
import { networkOverlap, sharedNetworks } from '../../../../services/analyzer/signals/networks.ts'
import { routeMix } from '../../../../services/analyzer/signals/route-mix.ts'
import {
  BEHAVIOUR_SIGNALS,
  NETWORK_SIGNALS,
  REGISTRY_SIGNALS,
  USER_SIGNALS,
} from '../../../../services/analyzer/signals/index.ts'
import type { PairSignal } from '../../../../services/analyzer/signals/signal.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { evidence, pair, score } from '../../../support/analyzer-cases.ts'

function result(signal: PairSignal, levels: readonly (readonly [Pair, string])[]): SignalResult {
  return {
    signal,
    measurements: new Map(levels.map(([{ key }, level]) => [key, { observed: 0, expected: null, p: null, level }])),
  }
}

/** Control pairs at the given levels. */
function controls(levels: readonly string[]): { pairs: Pair[]; measured: [Pair, string][] } {
  const measured = levels.map((level, i): [Pair, string] => [pair(`x${i}`, `y${i}`, ['control']), level])
  return { pairs: measured.map(([control]) => control), measured }
}

describe('the bits of a level', () => {
  it('are log2(m / u), u from the control pairs with one pseudo-count a level', () => {
    const { pairs, measured } = controls([...Array.from({ length: 96 }, () => 'none'), 'strong'])
    const bits = levelBits(result(sharedNetworks, measured), pairs, TUNING)
    const { extreme, strong, none } = TUNING.levels.shared_networks
    expect(bits.get('none')).toBeCloseTo(Math.log2(none / (97 / 100)), 12)
    expect(bits.get('strong')).toBeCloseTo(Math.log2(strong / (2 / 100)), 12)
    expect(bits.get('extreme')).toBeCloseTo(Math.log2(extreme / (1 / 100)), 12)
  })

  it('are finite even when no control pair was measured or none ever reached a level', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('most', 'much', 'some', 'none')), (levels) => {
        const { pairs, measured } = controls(levels)
        for (const bits of levelBits(result(networkOverlap, measured), pairs, TUNING).values()) {
          expect(Number.isFinite(bits)).toBe(true)
        }
      }),
      { seed: 1 },
    )
  })

  it('never say more for a weaker level, whatever the control pairs show', () => {
    const signals: readonly PairSignal[] = [
      ...NETWORK_SIGNALS,
      ...USER_SIGNALS,
      ...BEHAVIOUR_SIGNALS,
      ...REGISTRY_SIGNALS,
    ]
    const samples = fc.constantFrom(...signals).chain((signal) => {
      const levels = Object.keys(TUNING.levels[signal.name])
      return fc.record({ signal: fc.constant(signal), seen: fc.array(fc.constantFrom(...levels), { maxLength: 200 }) })
    })
    fc.assert(
      fc.property(samples, ({ signal, seen }) => {
        const { pairs, measured } = controls(seen)
        const bits = [...levelBits(result(signal, measured), pairs, TUNING).values()]
        expect(bits).toEqual(bits.toSorted((a, b) => b - a))
      }),
      { seed: 6, numRuns: 500 },
    )
  })

  it('are the pooled odds of neighbours that the control pairs have in the wrong order', () => {
    // u: extreme 11/33, strong 1/33, none 21/33; m: .55, .15, .3. Extreme and strong together: .7 / (12/33).
    const { pairs, measured } = controls([
      ...Array.from({ length: 10 }, () => 'extreme'),
      ...Array.from({ length: 20 }, () => 'none'),
    ])
    const bits = levelBits(result(sharedNetworks, measured), pairs, TUNING)
    expect(bits.get('extreme')).toBeCloseTo(Math.log2(0.7 / (12 / 33)), 12)
    expect(bits.get('strong')).toBe(bits.get('extreme'))
    expect(bits.get('none')).toBeCloseTo(Math.log2(0.3 / (21 / 33)), 12)
  })

  /** Invariant 10. */
  it('come from control pairs alone: what candidates show does not move them', () => {
    const { pairs, measured } = controls(['none', 'none', 'strong'])
    const candidates = Array.from({ length: 50 }, (_, i) => pair(`p${i}`, `q${i}`))
    const alone = levelBits(result(sharedNetworks, measured), pairs, TUNING)
    const all = levelBits(
      result(sharedNetworks, [...measured, ...candidates.map((item): [Pair, string] => [item, 'extreme'])]),
      [...pairs, ...candidates],
      TUNING,
    )
    expect(all).toEqual(alone)
  })

  it('count a pair that is candidate and control among the controls', () => {
    const both = pair('a', 'b', ['control', 'shared_networks'])
    const bits = levelBits(result(sharedNetworks, [[both, 'extreme']]), [both], TUNING)
    expect(bits.get('extreme')).toBeCloseTo(Math.log2(TUNING.levels.shared_networks.extreme / (2 / 4)), 12)
  })
})

describe('the bits of a family', () => {
  it('are the strongest signal and half of the next, the others for nothing', () => {
    expect(familyBits([], 8)).toBe(0)
    expect(familyBits([3], 8)).toBe(3)
    expect(familyBits([2, 4, 1], 8)).toBe(5)
    expect(familyBits([2, -3], 8)).toBe(-2)
  })

  it('never exceed the cap, in either direction', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -40, max: 40, noNaN: true })), (bits) => {
        expect(Math.abs(familyBits(bits, 6))).toBeLessThanOrEqual(6)
      }),
      { seed: 2 },
    )
  })

  it('never fall when one signal says more', () => {
    const bits = fc.array(fc.double({ min: -12, max: 12, noNaN: true }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(bits, fc.nat(4), fc.double({ min: 0, max: 10, noNaN: true }), (before, index, more) => {
        const after = before.map((value, i) => (i === index % before.length ? value + more : value))
        expect(familyBits(after, 8)).toBeGreaterThanOrEqual(familyBits(before, 8))
      }),
      { seed: 3, numRuns: 1000 },
    )
  })
})

const FAMILIES: readonly EvidenceFamily[] = ['network', 'users', 'behaviour', 'timing', 'registry']
const admissible = (...families: EvidenceFamily[]): boolean => isAdmissible((family) => families.includes(family))

/** Invariant 12. */
describe('what may link two apps', () => {
  it.each([
    [[], false],
    [['network'], false],
    [['users'], false],
    [['behaviour'], false],
    [['timing'], false],
    [['registry'], false],
    [['network', 'users'], true],
    [['network', 'behaviour'], true],
    [['network', 'timing'], true],
    [['network', 'registry'], false],
    [['users', 'behaviour'], true],
    [['users', 'timing'], true],
    [['users', 'registry'], true],
    [['behaviour', 'timing'], true],
    [['behaviour', 'registry'], false],
    [['timing', 'registry'], true],
    [['network', 'behaviour', 'registry'], true],
  ] satisfies [EvidenceFamily[], boolean][])('%j: %s', (families, expected) => {
    expect(admissible(...families)).toBe(expected)
  })

  it('is never one family alone, and never less for more families', () => {
    fc.assert(
      fc.property(fc.subarray([...FAMILIES]), fc.constantFrom(...FAMILIES), (families, more) => {
        const before = admissible(...families)
        expect(before && families.length < 2).toBe(false)
        expect(before && !admissible(...families, more)).toBe(false)
      }),
      { seed: 4 },
    )
  })

  it('different products of one company on its own servers are not linked, however strong network and registry are', () => {
    expect(isLinked(score('a', 'b', { network: 8, registry: 6 }), TUNING)).toBe(false)
  })

  it('one program under two keys is not linked by behaviour and registry alone', () => {
    expect(isLinked(score('a', 'b', { behaviour: 6, registry: 6 }), TUNING)).toBe(false)
  })

  it('a family speaks from 2 bits on', () => {
    expect(score('a', 'b', { network: 8, behaviour: 1.99 }).admissible).toBe(false)
    expect(score('a', 'b', { network: 8, behaviour: 2 }).admissible).toBe(true)
  })

  it('an admissible pair is linked at a probability of 90 % and not below', () => {
    const needed = Math.log2(9) - TUNING.evidence.priorBits
    expect(isLinked(score('a', 'b', { network: 6, behaviour: needed - 6.01 }), TUNING)).toBe(false)
    expect(isLinked(score('a', 'b', { network: 6, behaviour: needed - 5.99 }), TUNING)).toBe(true)
  })
})

describe('the score of a pair', () => {
  const worth = fc.double({ min: -10, max: 10, noNaN: true })
  const anyBits = fc.record({ network: worth, users: worth, behaviour: worth, registry: worth })

  it('is the prior plus the capped bits of each family, turned into odds', () => {
    const { bits, probability } = score('a', 'b', { network: 20, behaviour: 3 })
    expect(bits).toBeCloseTo(TUNING.evidence.priorBits + 8 + 3, 12)
    expect(probability).toBeCloseTo(8 / 9, 12)
  })

  it('never falls when a family says more', () => {
    const family = fc.constantFrom('network' as const, 'users' as const, 'behaviour' as const, 'registry' as const)
    fc.assert(
      fc.property(anyBits, family, fc.double({ min: 0, max: 10, noNaN: true }), (bits, which, more) => {
        const before = score('a', 'b', bits)
        const after = score('a', 'b', { ...bits, [which]: bits[which] + more })
        expect(after.bits).toBeGreaterThanOrEqual(before.bits)
        expect(after.probability).toBeGreaterThanOrEqual(before.probability)
      }),
      { seed: 5 },
    )
  })

  it('is never surer than the finite control sample allows', () => {
    expect(score('a', 'b', { network: 99, users: 99, behaviour: 99, registry: 99 }).probability).toBe(
      TUNING.evidence.probabilityMax,
    )
  })

  it('takes a signal that could not be measured as silence, not as difference', () => {
    const known = scorePair(pair('a', 'b'), evidence({ network: 5 }), TUNING)
    const { measured, pairs } = controls(['none'])
    const silent = scorePairs([...pairs, pair('a', 'b')], [result(routeMix, measured)], TUNING).at(-1)
    expect(known.familyBits.get('users')).toBe(0)
    expect(silent?.bits).toBe(TUNING.evidence.priorBits)
    expect(silent?.evidence).toEqual([])
  })
})
