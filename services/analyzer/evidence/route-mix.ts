/**
 * One use case? The route mix of one stream, given the mix of another, against the alternatives (Bayes factor).
 *
 *   P(y | x)     Dirichlet-multinomial with parameters alpha + x, both tempered
 *   P(y | not x) 0.9 * mean over other apps z of P(y | alpha + z) + 0.1 * P(y | alpha)
 *
 * The last term is for a use case never seen: without it two unlike mixes of two rare use cases would score for each other, because all others
 * explain them even worse. It knows sampling noise: few requests give little either way. Tempering scales counts down to an effective
 * number, because members of one service differ a little and requests of one app are not independent. Sequence probabilities
 * throughout: the multinomial coefficient is the same in all of them and cancels.
 */
import type { Counts } from '../run/snapshot.ts'

/** Whole counts of a mix, scaled down to at most the temper. */
export interface TemperedMix {
  readonly keys: Int32Array
  readonly counts: Int32Array
  readonly total: number
}

/** For whom requests are made. A program that acts for one person is no service for many, whatever both ask for. */
export type Audience = 'nobody' | 'one' | 'many'

export function audienceOf(users: number): Audience {
  return users < 0.5 ? 'nobody' : users < 1.5 ? 'one' : 'many'
}

const AUDIENCES: readonly Audience[] = ['nobody', 'one', 'many']

/** Adds what is known of the audience to a mix, as requests to a route of its own: so few that it moves the odds by about four bits. */
export function withAudience(mix: Counts, audience: Audience, routes: number, requests: number): Counts {
  const share = Math.min(1, mix.total / 20)
  const weight = requests * share
  return {
    keys: Int32Array.from([...mix.keys, routes + AUDIENCES.indexOf(audience)]),
    counts: Float64Array.from([...mix.counts, weight * Math.max(1, mix.total / 60)]),
    total: mix.total + weight * Math.max(1, mix.total / 60),
  }
}

/** Scales counts down to `size` in all, by largest remainders, so that they stay whole. Smaller mixes stay as they are. */
export function temper(mix: Counts, size: number): TemperedMix {
  const factor = mix.total > size ? size / mix.total : 1
  const wanted = Math.min(size, Math.round(mix.total))
  const scaled = Array.from(mix.keys, (key, i) => {
    const exact = (mix.counts[i] ?? 0) * factor
    return { key, n: Math.floor(exact + 1e-9), rest: exact - Math.floor(exact + 1e-9) }
  })
  let missing = wanted - scaled.reduce((sum, cell) => sum + cell.n, 0)
  for (const cell of scaled.toSorted((x, y) => y.rest - x.rest || x.key - y.key)) {
    if (missing <= 0) break
    cell.n += 1
    missing -= 1
  }
  const kept = scaled.filter((cell) => cell.n > 0)
  return {
    keys: Int32Array.from(kept, (cell) => cell.key),
    counts: Int32Array.from(kept, (cell) => cell.n),
    total: kept.reduce((sum, cell) => sum + cell.n, 0),
  }
}

/** The sum of several mixes. */
export function pool(mixes: readonly Counts[]): Counts {
  const sums = new Map<number, number>()
  for (const mix of mixes) {
    for (const [i, key] of mix.keys.entries()) sums.set(key, (sums.get(key) ?? 0) + (mix.counts[i] ?? 0))
  }
  const cells = [...sums].toSorted(([x], [y]) => x - y)
  return {
    keys: Int32Array.from(cells, ([key]) => key),
    counts: Float64Array.from(cells, ([, n]) => n),
    total: cells.reduce((sum, [, n]) => sum + n, 0),
  }
}

/** What is left of a mix without some parts of it; no count below 0. */
export function remainder(whole: Counts, parts: readonly Counts[]): Counts {
  const taken = new Map<number, number>()
  for (const part of parts)
    for (const [i, key] of part.keys.entries()) taken.set(key, (taken.get(key) ?? 0) + (part.counts[i] ?? 0))
  const counts = Float64Array.from(whole.keys, (key, i) => Math.max(0, (whole.counts[i] ?? 0) - (taken.get(key) ?? 0)))
  return { keys: whole.keys, counts, total: counts.reduce((sum, n) => sum + n, 0) }
}

export interface MixModelOptions {
  /** Mixes of apps that stand for the platform, tempered. */
  readonly world: readonly TemperedMix[]
  readonly routes: number
  /** Weight of the prior in requests, spread over the routes as the platform uses them. */
  readonly priorRequests: number
  /** Weight of the alternative "a use case never seen". */
  readonly unseenWeight: number
}

export class MixModel {
  readonly world: readonly TemperedMix[]
  private readonly alpha: Float64Array
  private readonly alphaTotal: number
  private readonly parameters: Float64Array
  private readonly unseenWeight: number

  constructor({ world, routes, priorRequests, unseenWeight }: MixModelOptions) {
    this.world = world
    this.unseenWeight = unseenWeight
    // Half of the prior as the platform's apps use the routes on average, half flat, so that no route is impossible.
    const usage = new Float64Array(Math.max(1, routes + AUDIENCES.length))
    for (const mix of world) {
      for (const [i, key] of mix.keys.entries()) {
        usage[key] = (usage[key] ?? 0) + (mix.counts[i] ?? 0) / Math.max(1, mix.total) / Math.max(1, world.length)
      }
    }
    this.alpha = usage.map((share) => priorRequests * (share / 2 + 1 / usage.length / 2))
    this.alphaTotal = this.alpha.reduce((sum, value) => sum + value, 0)
    this.parameters = Float64Array.from(this.alpha)
  }

  /** log2 P(y | x): x undefined for the prior alone. */
  logProbability(y: TemperedMix, x?: TemperedMix): number {
    const { parameters } = this
    let total = this.alphaTotal
    if (x !== undefined) {
      for (const [i, key] of x.keys.entries()) parameters[key] = (parameters[key] ?? 0) + (x.counts[i] ?? 0)
      total += x.total
    }
    // At most the temper's count of factors, none below 1e-5: far from what a double can hold.
    let probability = 1
    let drawn = 0
    for (let i = 0; i < y.keys.length; i += 1) {
      const parameter = parameters[y.keys[i] ?? 0] ?? 0
      const count = y.counts[i] ?? 0
      for (let k = 0; k < count; k += 1) {
        probability *= (parameter + k) / (total + drawn)
        drawn += 1
      }
    }
    if (x !== undefined) for (const key of x.keys) parameters[key] = this.alpha[key] ?? 0
    return Math.log2(probability)
  }

  /** log2 P(y | not x): the world's apps but for those left out, and a use case never seen. */
  logAlternative(y: TemperedMix, leftOut: (worldIndex: number) => boolean): number {
    const unseen = this.logProbability(y)
    let sum = 0
    let compared = 0
    for (const [i, z] of this.world.entries()) {
      if (leftOut(i)) continue
      sum += 2 ** (this.logProbability(y, z) - unseen)
      compared += 1
    }
    const seen = compared === 0 ? 1 : sum / compared
    return unseen + Math.log2((1 - this.unseenWeight) * seen + this.unseenWeight)
  }
}
