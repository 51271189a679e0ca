import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Rng } from '#simulate/random.ts'
import {
  audienceOf,
  MixModel,
  pool,
  temper,
  withAudience,
  type TemperedMix,
} from '../../../../services/analyzer/evidence/route-mix.ts'
import { logGamma } from '../../../../services/analyzer/statistics.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { countsOf, drawn, strangers, taste } from '../../../support/snapshot-cases.ts'

const { temper: SIZE, priorRequests, unseenWeight } = TUNING.routeMix
const ROUTES = 12
/** Routes, and one each for "nobody", "one" and "many". */
const KEYS = ROUTES + 3

const anyCounts = fc
  .uniqueArray(fc.record({ key: fc.nat(KEYS - 1), n: fc.integer({ min: 1, max: 5000 }) }), {
    selector: ({ key }) => key,
    maxLength: KEYS,
  })
  .map((cells) => countsOf(Object.fromEntries(cells.map(({ key, n }) => [key, n]))))

function world(seed: string, apps = 60): TemperedMix[] {
  return strangers(apps, ROUTES, new Rng(seed)).map(({ on }) => temper(pool(Object.values(on)), SIZE))
}
const WORLD = world('world')
const model = new MixModel({ world: WORLD, routes: ROUTES, priorRequests, unseenWeight })

/** Prior by the plain definition: half as the world uses the routes, half flat. */
function prior(mixes: readonly TemperedMix[]): number[] {
  return Array.from({ length: KEYS }, (_, key) => {
    const shares = mixes.map((mix) => (mix.counts[mix.keys.indexOf(key)] ?? 0) / mix.total)
    const usage = shares.reduce((sum, share) => sum + share, 0) / mixes.length
    return priorRequests * (usage / 2 + 1 / KEYS / 2)
  })
}

/** log2 of the Dirichlet-multinomial of a sequence, by Gamma functions. */
function oracle(alpha: readonly number[], y: TemperedMix, x?: TemperedMix): number {
  const parameters = alpha.map((value, key) => value + (x?.counts[x.keys.indexOf(key)] ?? 0))
  const total = parameters.reduce((sum, value) => sum + value, 0)
  let log = logGamma(total) - logGamma(total + y.total)
  for (const [i, key] of y.keys.entries()) {
    const value = parameters[key] ?? Number.NaN
    log += logGamma(value + (y.counts[i] ?? 0)) - logGamma(value)
  }
  return log / Math.LN2
}

const factor = (y: TemperedMix, x: TemperedMix): number =>
  model.logProbability(y, x) - model.logAlternative(y, () => false)

describe('tempering', () => {
  it('scales down to the size, keeps smaller mixes as they are, and every count whole', () => {
    fc.assert(
      fc.property(anyCounts, fc.integer({ min: 1, max: 200 }), (mix, size) => {
        const made = temper(mix, size)
        expect(made.total).toBe(Math.min(size, mix.total))
        expect(made.counts.reduce((sum, n) => sum + n, 0)).toBe(made.total)
        for (const [i, key] of made.keys.entries()) {
          const exact = ((mix.counts[mix.keys.indexOf(key)] ?? 0) * made.total) / mix.total
          expect(Math.abs((made.counts[i] ?? 0) - exact)).toBeLessThan(1 + 1e-6)
        }
        expect(mix.total > size || made.counts.every((n, i) => n === mix.counts[i])).toBe(true)
      }),
      { seed: 1 },
    )
  })

  it('never exceeds the size with fractions either, and keeps the total', () => {
    fc.assert(
      fc.property(anyCounts, fc.integer({ min: 1, max: 200 }), (mix, size) => {
        const whole = withAudience(mix, 'one', ROUTES, TUNING.routeMix.audienceRequests)
        expect(temper(whole, size).total).toBe(Math.min(size, Math.round(whole.total)))
      }),
      { seed: 2 },
    )
  })

  it('of nothing is nothing', () => {
    expect(temper(countsOf({}), SIZE).total).toBe(0)
  })
})

describe('a pool', () => {
  it('is the sum, in whatever order its parts come', () => {
    fc.assert(
      fc.property(fc.array(anyCounts, { maxLength: 6 }), (mixes) => {
        const sum = pool(mixes)
        expect(sum.total).toBe(mixes.reduce((total, mix) => total + mix.total, 0))
        expect(pool(mixes.toReversed())).toEqual(sum)
        for (const [i, key] of sum.keys.entries()) {
          expect(sum.counts[i]).toBe(mixes.reduce((n, mix) => n + (mix.counts[mix.keys.indexOf(key)] ?? 0), 0))
        }
      }),
      { seed: 3 },
    )
  })
})

describe('the audience', () => {
  it('is nobody, one, or many', () => {
    expect([0, 0.4, 1, 1.4, 2, 300].map(audienceOf)).toEqual(['nobody', 'nobody', 'one', 'one', 'many', 'many'])
  })

  it('speaks against likeness when it differs, and routes are the same', () => {
    const mix = countsOf({ 1: 40, 4: 30 })
    const [one, many] = (['one', 'many'] as const).map((audience) =>
      temper(withAudience(mix, audience, ROUTES, TUNING.routeMix.audienceRequests), SIZE),
    )
    if (one === undefined || many === undefined) throw new Error('two mixes were made')
    expect(factor(many, one)).toBeLessThan(factor(one, one) - 2)
  })
})

describe('the probability of a mix', () => {
  it('is the Dirichlet-multinomial of Gamma functions, with and without another mix', () => {
    const alpha = prior(WORLD)
    fc.assert(
      fc.property(anyCounts, anyCounts, (one, other) => {
        const [y, x] = [temper(one, SIZE), temper(other, SIZE)]
        expect(model.logProbability(y)).toBeCloseTo(oracle(alpha, y), 6)
        expect(model.logProbability(y, x)).toBeCloseTo(oracle(alpha, y, x), 6)
      }),
      { seed: 4 },
    )
  })

  it('sums to one over everything that two requests can be', () => {
    const x = temper(countsOf({ 0: 30, 5: 12 }), SIZE)
    let sum = 0
    for (let i = 0; i < KEYS; i += 1) {
      for (let j = i; j < KEYS; j += 1) {
        const y = temper(i === j ? countsOf({ [i]: 2 }) : countsOf({ [i]: 1, [j]: 1 }), SIZE)
        sum += (i === j ? 1 : 2) * 2 ** model.logProbability(y, x)
      }
    }
    expect(sum).toBeCloseTo(1, 9)
  })

  it('does not depend on what was asked before', () => {
    const x = temper(countsOf({ 0: 30, 5: 12 }), SIZE)
    const y = temper(countsOf({ 0: 9, 7: 3 }), SIZE)
    const [alone, given] = [model.logProbability(y), model.logProbability(y, x)]
    for (const z of WORLD) model.logProbability(z, y)
    expect([model.logProbability(y), model.logProbability(y, x)]).toEqual([alone, given])
  })

  it('under the alternative is the mean over the others, and a share for a use case never seen', () => {
    const alpha = prior(WORLD)
    const y = temper(countsOf({ 2: 20, 3: 8 }), SIZE)
    const others = WORLD.filter((_, i) => i % 3 !== 0)
    const seen = others.reduce((sum, z) => sum + 2 ** oracle(alpha, y, z), 0) / others.length
    const plain = Math.log2((1 - unseenWeight) * seen + unseenWeight * 2 ** oracle(alpha, y))
    expect(model.logAlternative(y, (i) => i % 3 === 0)).toBeCloseTo(plain, 6)
  })

  it('of nothing is one, whatever is asked', () => {
    const nothing = temper(countsOf({}), SIZE)
    expect(model.logProbability(nothing)).toBe(0)
    expect(model.logAlternative(nothing, () => false)).toBeCloseTo(0, 9)
    const empty = new MixModel({ world: [], routes: 0, priorRequests, unseenWeight })
    expect(empty.logAlternative(nothing, () => false)).toBe(0)
  })
})

describe('one use case', () => {
  const shares = taste(ROUTES, new Rng('use case'))
  const sample = (n: number, seed: string): TemperedMix => temper(drawn(shares, n, new Rng(seed)), SIZE)

  it('is what two samples of one mix say, the surer the more requests there are', () => {
    const bits = [8, 20, 60].map((n) => factor(sample(n, `a${n}`), sample(n, `b${n}`)))
    expect(bits[0]).toBeGreaterThan(-2)
    expect(bits.toSorted((x, y) => x - y)).toEqual(bits)
    expect(bits.at(-1)).toBeGreaterThan(3)
  })

  it('is not what two mixes of strangers say', () => {
    const rng = new Rng('strangers')
    const bits = Array.from({ length: 200 }, () => {
      const [one, other] = [0, 1].map(() => temper(drawn(taste(ROUTES, rng), 60, rng), SIZE))
      return one === undefined || other === undefined ? 0 : Math.min(factor(one, other), factor(other, one))
    })
    expect(bits.filter((value) => value > TUNING.groups.letInBits).length).toBeLessThanOrEqual(4)
    expect(bits.filter((value) => value < 0).length).toBeGreaterThan(160)
  })

  it('is not what two unlike rare mixes say, though all others explain both even worse', () => {
    const common = Array.from({ length: 40 }, () => temper(countsOf({ 0: 50, 1: 10 }), SIZE))
    const rare = new MixModel({ world: common, routes: ROUTES, priorRequests, unseenWeight })
    const one = temper(countsOf({ 8: 50, 9: 10 }), SIZE)
    const other = temper(countsOf({ 8: 6, 10: 54 }), SIZE)
    expect(rare.logProbability(other, one) - rare.logAlternative(other, () => false)).toBeLessThan(0)
  })

  it('is hardly doubted for a deviation that members of one service have', () => {
    const rng = new Rng('jitter')
    const deviating = Array.from({ length: 50 }, () => {
      const jittered = shares.map((share) => share * rng.lognormal(1, 0.3))
      const whole = jittered.reduce((sum, share) => sum + share, 0)
      return temper(
        drawn(
          jittered.map((share) => share / whole),
          2000,
          rng,
        ),
        SIZE,
      )
    })
    const vetoed = deviating.filter((mix) => factor(mix, sample(2000, 'whole')) <= TUNING.ledgers.vetoBits)
    expect(vetoed.length).toBeLessThanOrEqual(1)
  })
})
