import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isOne,
  measureBackground,
  openLedgers,
  placeKey,
  usersKey,
  type Background,
  type PairLedgers,
} from '../../../../services/analyzer/evidence/ledgers.ts'
import type { PairFacts } from '../../../../services/analyzer/evidence/pair-facts.ts'
import type { Part } from '../../../../services/analyzer/tuning.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { facts, placeOf } from '../../../support/pair-cases.ts'

const { ledgers } = TUNING
const APPS = 1000
const ALL_PAIRS = (APPS * (APPS - 1)) / 2
const NOBODY: Background = measureBackground([], ALL_PAIRS, TUNING)
const NOTHING_LEFT_OUT: ReadonlySet<Part> = new Set()

function opened(
  more: Partial<PairFacts>,
  options: { crowded?: boolean; handOverBits?: number; without?: Part } = {},
): PairLedgers {
  const { crowded = false, handOverBits = 0, without } = options
  const timing = { handOverBits, alternationBits: 0 }
  return openLedgers(
    facts(more),
    timing,
    NOBODY,
    APPS,
    crowded,
    new Set(without === undefined ? [] : [without]),
    TUNING,
  )
}
const linked = (pair: PairLedgers): boolean => isOne(pair, NOTHING_LEFT_OUT, TUNING)
const bitsOf = (pair: PairLedgers, signal: string): number =>
  pair.operator.find((entry) => entry.signal === signal)?.bits ?? 0

const SERVER = { places: [{ place: placeOf(2), shareA: 0.9, shareB: 0.9 }] }
const USERS = { users: { users: 20, expected: 0.1, p: 1e-30, share: 0.8 } }
const ALIKE = { mixBits: 6 }
const COPIED = { agentBits: 9, stemBits: 9, domainBits: 9 }

/** Invariant 12. */
describe('one use case of one operator', () => {
  it('is two apps on servers of their own that do the same', () => {
    expect(linked(opened({ ...SERVER, ...USERS, ...ALIKE }))).toBe(true)
    expect(linked(opened({ ...USERS, ...ALIKE }))).toBe(true)
    expect(linked(opened({ isSameOwner: true, areOwnersKnown: true, ...ALIKE }))).toBe(true)
  })

  it('is not two products of one company: the mix contradicts, and nothing outvotes it', () => {
    const everything = { ...SERVER, ...USERS, ...COPIED, isSameOwner: true, areOwnersKnown: true }
    expect(linked(opened({ ...everything, mixBits: ledgers.vetoBits }, { handOverBits: 20 }))).toBe(false)
    expect(linked(opened({ ...everything, ...ALIKE }))).toBe(true)
  })

  it('is not two competitors who do the same for some of the same people', () => {
    expect(linked(opened({ ...ALIKE, users: { users: 8, expected: 1, p: 1e-5, share: 0.15 } }))).toBe(false)
  })

  it('is not told from what anyone can copy: program, name, domain and mix together', () => {
    const copied = opened({ ...COPIED, mixBits: 9 })
    expect(copied.isAnchored).toBe(false)
    expect(linked(copied)).toBe(false)
    const free = bitsOf(copied, 'agent') + bitsOf(copied, 'name') + bitsOf(copied, 'domain')
    expect(free).toBeLessThanOrEqual(ledgers.freeCapBits)
  })

  it('is not told from a place where others are unlike', () => {
    const crowded = opened({ ...SERVER, ...ALIKE }, { crowded: true })
    expect(bitsOf(crowded, 'place')).toBe(0)
    expect(linked(crowded)).toBe(false)
  })

  it('is the same for owners that are unknown and owners that differ: neither is evidence', () => {
    const unknown = opened({ ...SERVER, ...ALIKE, areOwnersKnown: false })
    const different = opened({ ...SERVER, ...ALIKE, areOwnersKnown: true })
    expect(unknown.operatorBits).toBe(different.operatorBits)
    expect(unknown.useCaseBits).toBe(different.useCaseBits)
  })

  it('is told from nothing by nobody', () => {
    const nothing = opened({})
    expect(nothing).toMatchObject({ operator: [], useCase: [], isAnchored: false })
    expect(nothing.operatorBits).toBeCloseTo(-Math.log2(APPS) - ledgers.operatorPriorBits, 9)
    expect(linked(nothing)).toBe(false)
  })
})

describe('the ledgers', () => {
  const bits = fc.double({ min: 0, max: 15, noNaN: true })

  it('grow with every piece of evidence', () => {
    const some = fc.record({
      mixBits: fc.double({ min: -10, max: 10, noNaN: true }),
      agentBits: bits,
      stemBits: bits,
      domainBits: bits,
    })
    fc.assert(
      fc.property(some, bits, bits, (one, handOverBits, extra) => {
        const less = opened(one, { handOverBits })
        for (const more of [
          opened({ ...one, mixBits: one.mixBits + extra }, { handOverBits }),
          opened({ ...one, agentBits: one.agentBits + extra }, { handOverBits }),
          opened(one, { handOverBits: handOverBits + extra }),
          opened({ ...one, ...SERVER }, { handOverBits }),
          opened({ ...one, ...USERS }, { handOverBits }),
        ]) {
          expect(more.operatorBits).toBeGreaterThanOrEqual(less.operatorBits - 1e-9)
          expect(more.useCaseBits).toBeGreaterThanOrEqual(less.useCaseBits - 1e-9)
          expect(linked(more) || !linked(less)).toBe(true)
        }
      }),
      { seed: 1 },
    )
  })

  it('are the sum of their entries and the prior', () => {
    const pair = opened({ ...SERVER, ...USERS, ...ALIKE, ...COPIED }, { handOverBits: 4 })
    const sum = (entries: PairLedgers['operator']): number => entries.reduce((total, entry) => total + entry.bits, 0)
    expect(pair.operatorBits).toBeCloseTo(sum(pair.operator) - Math.log2(APPS) - ledgers.operatorPriorBits, 9)
    expect(pair.useCaseBits).toBeCloseTo(sum(pair.useCase) - ledgers.useCasePriorBits, 9)
  })

  it('lack what an ablation leaves out', () => {
    const all = { ...SERVER, ...USERS, ...ALIKE }
    expect(bitsOf(opened(all, { without: 'places' }), 'place')).toBe(0)
    expect(bitsOf(opened(all, { without: 'users' }), 'users')).toBe(0)
    const blind = opened({ ...all, mixBits: -9 }, { without: 'route_mix' })
    expect(blind.useCase.some(({ signal }) => signal === 'mix')).toBe(false)
    expect(isOne(opened({ ...all, mixBits: -9 }), NOTHING_LEFT_OUT, TUNING)).toBe(false)
  })
})

describe('a level', () => {
  it('is the strongest place: exclusive before crowded, then by the lesser share of traffic', () => {
    const at = (residents: number, shareA: number, shareB = 1): PairFacts['places'][number] => ({
      place: placeOf(residents),
      shareA,
      shareB,
    })
    expect(placeKey(facts({ places: [at(40, 1), at(2, 0.2)] }))).toBe('two/much')
    expect(placeKey(facts({ places: [at(3, 0.01, 0.9), at(3, 0.6, 0.7)] }))).toBe('few/most')
    expect(placeKey(facts({ places: [at(13, 0.04)] }))).toBe('many/some')
    expect(placeKey(facts({}))).toBeUndefined()
  })

  it('of users needs two people at least, and more than chance gives', () => {
    const at = (users: number, share: number, p = 1e-9): string | undefined =>
      usersKey(facts({ users: { users, expected: 0, p, share } }))
    expect(at(1, 1)).toBeUndefined()
    expect(at(9, 0.9, 0.01)).toBeUndefined()
    expect(at(2, 0.7)).toBe('most/few')
    expect(at(5, 0.3)).toBe('much/many')
    expect(at(9, 0.05)).toBe('trace/many')
    expect(usersKey(facts({}))).toBeUndefined()
  })
})

describe('the background', () => {
  const unlike = { mixBits: ledgers.strangersMixBits - 1 }

  it('is how many pairs of strangers reach a level, among all pairs, by a plain count', () => {
    const strangers = Array.from({ length: 700 }, () => facts({ ...SERVER, ...unlike }))
    const { placeBits } = measureBackground(strangers, ALL_PAIRS, TUNING)
    const u = (700 + 1) / ledgers.strangersSeenShare / ALL_PAIRS
    expect(placeBits.get('two/most')).toBeCloseTo(Math.log2(ledgers.placeM['two/most'] / u), 9)
  })

  it('lowers what a place says the more strangers share one', () => {
    const bits = [0, 100, 3000, 200_000].map(
      (count) =>
        measureBackground(
          Array.from({ length: count }, () => facts({ ...SERVER, ...unlike })),
          ALL_PAIRS,
          TUNING,
        ).placeBits.get('two/most') ?? Number.NaN,
    )
    expect(bits.toSorted((x, y) => y - x)).toEqual(bits)
    expect(bits[0]).toBe(ledgers.familyCapBits)
    expect(bits.at(-1)).toBe(0)
  })

  it('is not learned from pairs that are alike, of one account, or cannot be compared', () => {
    const others = [
      { ...SERVER, ...ALIKE },
      { ...SERVER, ...unlike, isSameOwner: true },
      { ...SERVER, mixBits: undefined },
    ]
    const seen = measureBackground(others.map(facts), ALL_PAIRS, TUNING)
    expect(seen).toEqual(NOBODY)
  })
})
