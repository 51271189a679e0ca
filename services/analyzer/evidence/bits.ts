/**
 * Evidence in bits (Fellegi & Sunter 1969): a level of a signal moves the odds by log2(m / u). m, the share of true pairs at that
 * level, is in the tuning; u, the share of unrelated pairs, is measured on this run's control pairs.
 *
 * Two questions must both be answered yes before a pair is linked:
 *   one operator?  network, users, timing or registry evidence;   one use case?  behaviour, users or timing evidence.
 * At least two families must speak, one of them network, users or timing: registry and behaviour alone only ask for review.
 * Different products of one company on its own servers answer only the first, competitors and tutorials only the second.
 */
import type { EvidenceFamily } from '#schemas/finding.ts'
import { isControl, type Pair, type PairKey } from '../run/pairs.ts'
import { probabilityOfBits } from '../statistics.ts'
import type { Measurement, PairSignal } from '../signals/signal.ts'
import type { Tuning } from '../tuning.ts'

export interface SignalResult {
  readonly signal: PairSignal
  readonly measurements: ReadonlyMap<PairKey, Measurement>
}

export interface SignalEvidence {
  readonly signal: PairSignal
  readonly measurement: Measurement
  readonly bits: number
}

export interface PairScore {
  readonly pair: Pair
  readonly evidence: readonly SignalEvidence[]
  readonly familyBits: ReadonlyMap<EvidenceFamily, number>
  /** log2 of the posterior odds. */
  readonly bits: number
  readonly probability: number
  /** Whether the families that spoke suffice, whatever the probability. */
  readonly admissible: boolean
}

/**
 * Bits of each level of one signal: log2(m / u), u with one pseudo-count a level so that a level never seen is no certainty. The levels
 * of the tuning stand strongest first, and a weaker one never says more than a stronger: where the control pairs, which are few and
 * hold a true pair now and then, have it otherwise, neighbours are pooled (isotonic regression, Barlow et al. 1972).
 */
export function levelBits(result: SignalResult, pairs: readonly Pair[], tuning: Tuning): ReadonlyMap<string, number> {
  const m: readonly (readonly [string, number])[] = Object.entries(tuning.levels[result.signal.name])
  const counts = new Map<string, number>()
  let measured = 0
  for (const pair of pairs) {
    const measurement = isControl(pair) ? result.measurements.get(pair.key) : undefined
    if (measurement === undefined) continue
    measured += 1
    counts.set(measurement.level, (counts.get(measurement.level) ?? 0) + 1)
  }
  const pools: LevelPool[] = []
  for (const [level, share] of m) {
    let pool: LevelPool = { levels: [level], m: share, u: ((counts.get(level) ?? 0) + 1) / (measured + m.length) }
    for (let last = pools.at(-1); last !== undefined && pool.m / pool.u > last.m / last.u; last = pools.at(-1)) {
      pools.pop()
      pool = { levels: [...last.levels, ...pool.levels], m: last.m + pool.m, u: last.u + pool.u }
    }
    pools.push(pool)
  }
  return new Map(pools.flatMap(({ levels, m: share, u }) => levels.map((level) => [level, Math.log2(share / u)])))
}

interface LevelPool {
  readonly levels: readonly string[]
  readonly m: number
  readonly u: number
}

/** Bits of one family: the strongest signal whole and the next half, because they are correlated; capped. */
export function familyBits(bits: readonly number[], cap: number): number {
  const [strongest = 0, next = 0] = bits.toSorted((a, b) => Math.abs(b) - Math.abs(a))
  return Math.max(-cap, Math.min(cap, strongest + next / 2))
}

const FAMILIES = ['network', 'users', 'behaviour', 'timing', 'registry'] as const

/** Whether the families that speak answer both questions; `speaks` tells of each family. */
export function isAdmissible(speaks: (family: EvidenceFamily) => boolean): boolean {
  const speaking = FAMILIES.filter(speaks).length
  const hard = speaks('network') || speaks('users') || speaks('timing')
  const oneUseCase = speaks('behaviour') || speaks('users') || speaks('timing')
  return speaking >= 2 && hard && oneUseCase
}

export function scorePair(pair: Pair, evidence: readonly SignalEvidence[], tuning: Tuning): PairScore {
  const { familyCapBits, priorBits, familySpeaksBits, probabilityMax } = tuning.evidence
  const families = new Map(
    FAMILIES.map((family) => [
      family,
      familyBits(
        evidence.filter((item) => item.signal.family === family).map((item) => item.bits),
        familyCapBits[family],
      ),
    ]),
  )
  const bits = priorBits + [...families.values()].reduce((sum, value) => sum + value, 0)
  return {
    pair,
    evidence,
    familyBits: families,
    bits,
    probability: Math.min(probabilityMax, probabilityOfBits(bits)),
    admissible: isAdmissible((family) => (families.get(family) ?? 0) >= familySpeaksBits),
  }
}

/** Scores of all pairs under the given signals. */
export function scorePairs(pairs: readonly Pair[], results: readonly SignalResult[], tuning: Tuning): PairScore[] {
  const weighed = results.map((result) => ({ ...result, bits: levelBits(result, pairs, tuning) }))
  return pairs.map((pair) => {
    const evidence = weighed.flatMap(({ signal, measurements, bits }) => {
      const measurement = measurements.get(pair.key)
      return measurement === undefined ? [] : [{ signal, measurement, bits: bits.get(measurement.level) ?? 0 }]
    })
    return scorePair(pair, evidence, tuning)
  })
}

export const isLinked = (score: PairScore, tuning: Tuning): boolean =>
  score.admissible && score.probability >= tuning.evidence.linkProbability
