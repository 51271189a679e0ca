/** User signals: common end users against chance, and the share of traffic that is for them. Not measured for apps of a person or two. */
import {
  pairUsersQuery,
  userDegreesQuery,
  appUserDegreesQuery,
  byPair,
  degreeModel,
  sharedKeys,
  trafficOverlap,
  type OverlapThresholds,
} from './overlap.ts'
import type { PairSignal, SignalContext } from './signal.ts'

/** Customers in common reach a third of a market; copies of one service share most users. Two people are no population. */
const THRESHOLDS: OverlapThresholds = {
  keysMin: 3,
  visible: 0.3,
  rotationKeysMin: Number.POSITIVE_INFINITY,
  some: 0.3,
  much: 0.5,
  most: 0.7,
}

const params = (context: SignalContext) => ({
  run_id: context.runId,
  user_degree_max: context.tuning.blocking.userDegreeMax,
})

const overlaps = async (context: SignalContext) =>
  byPair(await context.clickhouse.query(pairUsersQuery, params(context)))

/** Pairs of apps that each have a population of users; an app of one or two people says nothing here. */
const withUsers = (context: SignalContext) => {
  const hasUsers = (appId: string) => (context.apps.get(appId)?.users ?? 0) >= THRESHOLDS.keysMin
  return context.pairs.filter((pair) => hasUsers(pair.a) && hasUsers(pair.b))
}

/** How many end users two apps have in common; null: degree-corrected Poisson (signals/overlap.ts). */
export const sharedUsers: PairSignal = {
  name: 'shared_users',
  family: 'users',
  unit: 'users in common',
  query: 'signals/pair-users',
  async measure(context) {
    const common = await overlaps(context)
    const model = degreeModel(
      await context.clickhouse.query(userDegreesQuery, params(context)),
      await context.clickhouse.query(appUserDegreesQuery, params(context)),
    )
    return new Map(
      withUsers(context).flatMap((pair) => {
        const measurement = sharedKeys(model, THRESHOLDS, pair, common.get(pair.key))
        return measurement === undefined ? [] : [[pair.key, measurement] as const]
      }),
    )
  },
  describe: ({ observed, expected }) =>
    `acted for ${observed} of the same users, where chance gives ${(expected ?? 0).toPrecision(2)}`,
}

/** How much of the traffic of two apps is for common users, 0..1; null: control pairs. */
export const userOverlap: PairSignal = {
  name: 'user_overlap',
  family: 'users',
  unit: 'share of traffic for common users',
  query: 'signals/pair-users',
  async measure(context) {
    const common = await overlaps(context)
    return new Map(withUsers(context).map((pair) => [pair.key, trafficOverlap(THRESHOLDS, common.get(pair.key))]))
  },
  describe: ({ observed }) => `${Math.round(observed * 100)} % of their traffic was for the same users`,
}
