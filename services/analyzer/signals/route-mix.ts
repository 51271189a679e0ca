/**
 * Route mix: are two apps used for the same things? Effect: 1 - Jensen-Shannon divergence of their rarity-weighted route mixes.
 *
 * Null: the rank of the pair among control pairs of like volume. Small samples look unlike each other whatever they do, so a pair
 * is only ranked among control pairs whose lesser app has about as many requests.
 */
import { z } from 'zod'
import { isControl, pairKey, type Pair } from '../run/pairs.ts'
import { upperRank } from '../statistics.ts'
import { RunParams } from '../run/window.ts'
import type { PairSignal, SignalContext } from './signal.ts'

export const pairRoutesQuery = {
  name: 'signals/pair-routes',
  params: RunParams,
  row: z.object({ app_a: z.string(), app_b: z.string(), similarity: z.number() }),
} as const

/** An app with fewer requests has no route mix to speak of. */
const REQUESTS_MIN = 30
const BANDS = 4

function levelOf(p: number): 'top_permille' | 'top_percent' | 'top_twentieth' | 'ordinary' | 'unlike' {
  if (p <= 0.001) return 'top_permille'
  if (p <= 0.01) return 'top_percent'
  if (p <= 0.05) return 'top_twentieth'
  return p <= 0.25 ? 'ordinary' : 'unlike'
}

export const routeMix: PairSignal = {
  name: 'route_mix',
  family: 'behaviour',
  unit: '1 - Jensen-Shannon divergence of route mixes',
  query: 'signals/pair-routes',
  async measure(context) {
    const rows = await context.clickhouse.query(pairRoutesQuery, { run_id: context.runId })
    const similarity = new Map(rows.map((row) => [pairKey(row.app_a, row.app_b), row.similarity]))
    const lesser = (pair: Pair) => lesserRequests(context, pair)
    const measurable = context.pairs.filter((pair) => lesser(pair) >= REQUESTS_MIN)
    const controls = measurable.filter(isControl).toSorted((x, y) => lesser(x) - lesser(y))
    const perBand = Math.max(1, Math.ceil(controls.length / BANDS))
    const bands = Array.from({ length: BANDS }, (_, band) => {
      const members = controls.slice(band * perBand, (band + 1) * perBand)
      const last = members.at(-1)
      return {
        upTo: band === BANDS - 1 || last === undefined ? Number.POSITIVE_INFINITY : lesser(last),
        sorted: members.map((pair) => similarity.get(pair.key) ?? 0).toSorted((x, y) => x - y),
      }
    })
    return new Map(
      measurable.map((pair) => {
        const observed = similarity.get(pair.key) ?? 0
        const band = bands.find(({ upTo }) => lesser(pair) <= upTo)
        const p = upperRank(band?.sorted ?? [], observed)
        return [pair.key, { observed, expected: null, p, level: levelOf(p) }]
      }),
    )
  },
  describe: ({ observed, p }) =>
    `the mix of routes they call is ${Math.round(observed * 100)} % alike; ${((p ?? 1) * 100).toPrecision(2)} % of random pairs are as alike`,
}

function lesserRequests(context: SignalContext, pair: Pair): number {
  return Math.min(context.apps.get(pair.a)?.requests ?? 0, context.apps.get(pair.b)?.requests ?? 0)
}
