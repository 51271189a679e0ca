/**
 * Shared keys (networks or users): how many two apps have in common against what chance gives, and how much traffic runs on them.
 *
 * Null: the degree-corrected (configuration) model. An app with d_a keys and a key with d_k apps meet with probability
 * 1 - exp(-d_a d_k / E), E = all app-key edges. The second app meets the same key with the d_k - 1 places left, so the expected
 * number of common keys is lambda = sum over keys of (1 - exp(-d_a d_k / E)) (1 - exp(-d_b (d_k - 1) / E)), and the number seen is
 * Poisson. A hypergeometric null ignores how popular keys are and flags most unrelated pairs of busy apps.
 */
import { z } from 'zod'
import { pairKey, type PairKey } from '../run/pairs.ts'
import { poissonUpperTail } from '../statistics.ts'
import { RunParams } from '../run/window.ts'
import type { Measurement } from './signal.ts'

export const DegreeRow = z.object({ degree: z.number(), keys: z.number() })
export const AppDegreeRow = z.object({ app_id: z.string(), keys: z.number() })
export const OverlapRow = z.object({
  app_a: z.string(),
  app_b: z.string(),
  shared: z.number(),
  overlap: z.number(),
  weight: z.number(),
})

export const NetworkParams = RunParams.extend({ low_degree_max: z.int() })
export const UserParams = RunParams.extend({ user_degree_max: z.int() })

export const pairNetworksQuery = { name: 'signals/pair-networks', params: NetworkParams, row: OverlapRow } as const
export const networkDegreesQuery = { name: 'signals/network-degrees', params: NetworkParams, row: DegreeRow } as const
export const appNetworkDegreesQuery = {
  name: 'signals/app-network-degrees',
  params: NetworkParams,
  row: AppDegreeRow,
} as const
export const pairUsersQuery = { name: 'signals/pair-users', params: UserParams, row: OverlapRow } as const
export const userDegreesQuery = { name: 'signals/user-degrees', params: UserParams, row: DegreeRow } as const
export const appUserDegreesQuery = { name: 'signals/app-user-degrees', params: UserParams, row: AppDegreeRow } as const

export type OverlapLookup = ReadonlyMap<PairKey, z.infer<typeof OverlapRow>>

export const byPair = (rows: readonly z.infer<typeof OverlapRow>[]): OverlapLookup =>
  new Map(rows.map((row) => [pairKey(row.app_a, row.app_b), row]))

export interface DegreeModel {
  /** Expected number of common keys of two apps with these degrees. */
  readonly expected: (degreeA: number, degreeB: number) => number
  /** Keys of an app. */
  readonly degree: (appId: string) => number
}

export function degreeModel(
  keys: readonly z.infer<typeof DegreeRow>[],
  apps: readonly z.infer<typeof AppDegreeRow>[],
): DegreeModel {
  const edges = Math.max(
    1,
    keys.reduce((sum, row) => sum + row.degree * row.keys, 0),
  )
  const degrees = new Map(apps.map((row) => [row.app_id, row.keys]))
  return {
    expected: (degreeA, degreeB) =>
      keys.reduce((sum, { degree, keys: count }) => {
        const first = 1 - Math.exp((-degreeA * degree) / edges)
        const second = 1 - Math.exp((-degreeB * (degree - 1)) / edges)
        return sum + count * first * second
      }, 0),
    degree: (appId) => degrees.get(appId) ?? 0,
  }
}

/**
 * Thresholds of one kind of key. They are about effect, because with enough traffic every correlation of interest or region is
 * significant: neighbours in a market have users in common, copies of one service have most of them.
 */
export interface OverlapThresholds {
  /** Fewer common keys than this are incidental. */
  readonly keysMin: number
  /** Number of common keys: it counts from this traffic overlap on. */
  readonly visible: number
  /**
   * Who rotates over a pool meets in many of its addresses with little traffic in each: from this many common keys on, the share of the
   * lesser app's keys counts as well. Infinite where a large app holds the keys of every small one: an aggregator and its users.
   */
  readonly rotationKeysMin: number
  /** Traffic overlap: lower bounds of its levels. */
  readonly some: number
  readonly much: number
  readonly most: number
}

/**
 * Level of a count of common keys: surprising beyond chance (p) and carrying a visible part of the lesser app's traffic (effect).
 * Where the traffic is visible and the number is not surprising (one common server), the number has no say: undefined.
 */
export function sharedKeys(
  model: DegreeModel,
  thresholds: OverlapThresholds,
  pair: { readonly a: string; readonly b: string },
  common: z.infer<typeof OverlapRow> | undefined,
): Measurement<'extreme' | 'strong' | 'none'> | undefined {
  const observed = common?.shared ?? 0
  const expected = model.expected(model.degree(pair.a), model.degree(pair.b))
  const p = poissonUpperTail(observed, expected)
  const keys = Math.min(model.degree(pair.a), model.degree(pair.b))
  const rotates = observed >= thresholds.rotationKeysMin && observed >= thresholds.visible * keys
  const visible = observed >= thresholds.keysMin && ((common?.overlap ?? 0) >= thresholds.visible || rotates)
  if (visible && p > 1e-3) return undefined
  return { observed, expected, p, level: !visible ? 'none' : p > 1e-6 ? 'strong' : 'extreme' }
}

/** Level of a traffic overlap, 0..1: the sum over common keys of the lesser share. */
export function trafficOverlap(
  thresholds: OverlapThresholds,
  common: z.infer<typeof OverlapRow> | undefined,
): Measurement<'most' | 'much' | 'some' | 'none'> {
  const observed = common !== undefined && common.shared >= thresholds.keysMin ? common.overlap : 0
  const { some, much, most } = thresholds
  const level = observed >= most ? 'most' : observed >= much ? 'much' : observed >= some ? 'some' : 'none'
  return { observed, expected: null, p: null, level }
}
