/** Network signals: common networks against chance, and the share of traffic that runs on them. */
import {
  pairNetworksQuery,
  networkDegreesQuery,
  appNetworkDegreesQuery,
  byPair,
  degreeModel,
  sharedKeys,
  trafficOverlap,
  type OverlapThresholds,
} from './overlap.ts'
import type { PairSignal, SignalContext } from './signal.ts'

/** One server is enough to share; a quarter of the traffic is more than common offices of customers or a common cloud
 * egress pool, through which strangers meet address after address, give. */
const THRESHOLDS: OverlapThresholds = {
  keysMin: 1,
  visible: 0.25,
  rotationKeysMin: 10,
  some: 0.2,
  much: 0.5,
  most: 0.75,
}

const params = (context: SignalContext) => ({
  run_id: context.runId,
  low_degree_max: context.tuning.blocking.lowDegreeMax,
})

const overlaps = async (context: SignalContext) =>
  byPair(await context.clickhouse.query(pairNetworksQuery, params(context)))

/** How many networks two apps have in common; null: degree-corrected Poisson (signals/overlap.ts). */
export const sharedNetworks: PairSignal = {
  name: 'shared_networks',
  family: 'network',
  unit: 'networks in common',
  query: 'signals/pair-networks',
  async measure(context) {
    const common = await overlaps(context)
    const model = degreeModel(
      await context.clickhouse.query(networkDegreesQuery, params(context)),
      await context.clickhouse.query(appNetworkDegreesQuery, params(context)),
    )
    return new Map(
      context.pairs.flatMap((pair) => {
        const measurement = sharedKeys(model, THRESHOLDS, pair, common.get(pair.key))
        return measurement === undefined ? [] : [[pair.key, measurement] as const]
      }),
    )
  },
  describe: ({ observed, expected }) =>
    `used ${observed} of the same networks, where chance gives ${(expected ?? 0).toPrecision(2)}`,
}

/** How much of the traffic of two apps runs on common networks, 0..1; null: control pairs. */
export const networkOverlap: PairSignal = {
  name: 'network_overlap',
  family: 'network',
  unit: 'share of traffic on common networks',
  query: 'signals/pair-networks',
  async measure(context) {
    const common = await overlaps(context)
    return new Map(context.pairs.map((pair) => [pair.key, trafficOverlap(THRESHOLDS, common.get(pair.key))]))
  },
  describe: ({ observed }) => `${Math.round(observed * 100)} % of their traffic came from the same networks`,
}
