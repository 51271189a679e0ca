/**
 * Seeded randomness. The same key gives the same numbers on every platform: sfc32 uses 32-bit integers only, and the
 * transcendental functions are V8's own (fdlibm), not the system's.
 *
 * Every part of the simulation takes a stream of its own from `fork(label)`, which depends on the label alone and not on how
 * many numbers were drawn before: adding a scenario leaves the behaviour of all others as it was. Only addresses and ids, which
 * one book each hands out, and the pace of the background follow from everything that is there.
 */

/** FNV-1a with a murmur3 finaliser; 32 bits. */
function hash32(text: string, salt: number): number {
  let hash = (2_166_136_261 ^ salt) >>> 0
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 2_246_822_507)
  hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_909)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Element at `index`; throws when there is none, which is always a mistake of the caller. */
export function at<T>(items: ArrayLike<T>, index: number): T {
  const item = items[index]
  if (item === undefined) throw new RangeError(`no element ${index} among ${items.length}`)
  return item
}

export class Rng {
  readonly key: string
  private a: number
  private b: number
  private c: number
  private d = 1

  constructor(key: string) {
    this.key = key
    this.a = hash32(key, 0x9e37_79b9) | 0
    this.b = hash32(key, 0x243f_6a88) | 0
    this.c = hash32(key, 0xb7e1_5162) | 0
    for (let round = 0; round < 12; round += 1) this.next()
  }

  /** A stream that depends on this one's key and the label only. */
  fork(label: string): Rng {
    return new Rng(`${this.key}/${label}`)
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (((this.a + this.b) | 0) + this.d) | 0
    this.d = (this.d + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (this.c << 21) | (this.c >>> 11)
    this.c = (this.c + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }

  /** Uniform integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** Uniform integer in [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** Uniform in [low, high). */
  range(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }

  /** Lognormal by its median; `sigma` is the standard deviation of the logarithm. */
  lognormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal())
  }

  /** Lognormal, rounded and clipped to [low, high]: sizes of things. */
  size(median: number, sigma: number, low: number, high: number): number {
    return Math.min(high, Math.max(low, Math.round(this.lognormal(median, sigma))))
  }

  /** Geometric number of trials >= 1 with the given mean. */
  geometric(mean: number): number {
    return mean <= 1 ? 1 : 1 + Math.floor(Math.log(1 - this.next()) / Math.log(1 - 1 / mean))
  }

  pick<T>(items: readonly T[]): T {
    return at(items, this.below(items.length))
  }

  shuffle<T>(items: readonly T[]): T[] {
    const copy = [...items]
    for (let index = copy.length - 1; index > 0; index -= 1) {
      const other = this.below(index + 1)
      const held = at(copy, index)
      copy[index] = at(copy, other)
      copy[other] = held
    }
    return copy
  }

  /** `count` different items, or all of them in random order when there are fewer. */
  sample<T>(items: readonly T[], count: number): T[] {
    if (count * 3 > items.length) return this.shuffle(items).slice(0, count)
    const chosen = new Set<number>()
    while (chosen.size < count) chosen.add(this.below(items.length))
    return [...chosen].map((index) => at(items, index))
  }

  /** Lower-case hexadecimal text of `digits` digits. */
  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += this.below(0x1_0000).toString(16).padStart(4, '0')
    return text.slice(0, digits)
  }
}

/** Zipf weights 1/rank^exponent for `count` ranks. */
export function zipfWeights(count: number, exponent: number): number[] {
  return Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent)
}

/** Draws items in proportion to fixed weights in constant time (Walker's alias method, built after Vose). */
export class Weighted<T> {
  readonly items: readonly T[]
  private readonly keep: Float64Array
  private readonly alias: Int32Array

  constructor(items: readonly T[], weights: readonly number[]) {
    const count = items.length
    if (count === 0 || weights.length !== count) throw new RangeError('one weight for each item, and at least one item')
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const scaled = weights.map((weight) => (weight * count) / total)
    this.items = items
    this.keep = new Float64Array(count).fill(1)
    this.alias = new Int32Array(count)
    const small: number[] = []
    const large: number[] = []
    for (const [index, weight] of scaled.entries()) (weight < 1 ? small : large).push(index)
    while (small.length > 0 && large.length > 0) {
      const low = small.pop() ?? 0
      const high = at(large, large.length - 1)
      this.keep[low] = at(scaled, low)
      this.alias[low] = high
      const rest = at(scaled, high) + at(scaled, low) - 1
      scaled[high] = rest
      if (rest < 1) small.push(large.pop() ?? 0)
    }
  }

  pick(rng: Rng): T {
    const index = rng.below(this.items.length)
    return at(this.items, rng.next() < (this.keep[index] ?? 1) ? index : (this.alias[index] ?? index))
  }
}
