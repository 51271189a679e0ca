/** Plain oracles of what the SQL computes: straight loops over the bursts, sharing no code and no formula's form with it. */
import { HOUR_MS, START_MS, timesOf, type Burst } from './analyzer-traffic.ts'

function sums<Key>(bursts: readonly Burst[], keyOf: (burst: Burst) => Key): Map<Key, number> {
  const result = new Map<Key, number>()
  for (const burst of bursts) result.set(keyOf(burst), (result.get(keyOf(burst)) ?? 0) + burst.requests)
  return result
}

/** Apps of each network. */
export function appsByNetwork(bursts: readonly Burst[]): Map<string, Set<string>> {
  const result = new Map<string, Set<string>>()
  for (const { app, network } of bursts) result.set(network, (result.get(network) ?? new Set()).add(app))
  return result
}

/**
 * Common networks that the configuration model expects of two apps, network by network: the chance that the first app is on it, times
 * the chance that the second is on one of the places left.
 */
export function expectedCommonNetworks(bursts: readonly Burst[], a: string, b: string): number {
  const networks = [...appsByNetwork(bursts).values()]
  const places = networks.reduce((sum, apps) => sum + apps.size, 0)
  const degree = (app: string): number => networks.filter((apps) => apps.has(app)).length
  let expected = 0
  for (const apps of networks) {
    const hasFirst = 1 - Math.E ** -((degree(a) * apps.size) / places)
    const hasSecond = 1 - Math.E ** -((degree(b) * (apps.size - 1)) / places)
    expected += hasFirst * hasSecond
  }
  return expected
}

/** Route mix of an app: requests weighted by ln(1 + apps / apps on the route), shares of the whole. */
function routeMix(bursts: readonly Burst[], app: string): Map<string, number> {
  const apps = new Set(bursts.map((burst) => burst.app))
  const weighted = new Map<string, number>()
  for (const [route, requests] of sums(
    bursts.filter((burst) => burst.app === app),
    (burst) => burst.route ?? '',
  )) {
    const callers = new Set(bursts.filter((burst) => burst.route === route).map((burst) => burst.app))
    weighted.set(route, requests * Math.log(1 + apps.size / callers.size))
  }
  const whole = [...weighted.values()].reduce((sum, value) => sum + value, 0)
  return new Map([...weighted].map(([route, value]) => [route, value / whole]))
}

const entropyBits = (shares: Iterable<number>): number =>
  [...shares].reduce((sum, share) => (share > 0 ? sum - share * Math.log2(share) : sum), 0)

/** 1 - Jensen-Shannon divergence in bits, by entropies: H(mean) - mean H. */
export function routeSimilarity(bursts: readonly Burst[], a: string, b: string): number {
  const [p, q] = [routeMix(bursts, a), routeMix(bursts, b)]
  const mean = [...new Set([...p.keys(), ...q.keys()])].map((route) => ((p.get(route) ?? 0) + (q.get(route) ?? 0)) / 2)
  return 1 - (entropyBits(mean) - (entropyBits(p.values()) + entropyBits(q.values())) / 2)
}

/** Sum over common networks of the lesser share of traffic. */
export function networkOverlap(bursts: readonly Burst[], a: string, b: string): number {
  const shares = (app: string): Map<string, number> => {
    const mine = bursts.filter((burst) => burst.app === app)
    const whole = mine.reduce((sum, { requests }) => sum + requests, 0)
    return new Map([...sums(mine, ({ network }) => network)].map(([network, requests]) => [network, requests / whole]))
  }
  const [one, other] = [shares(a), shares(b)]
  return [...one].reduce((sum, [network, share]) => sum + Math.min(share, other.get(network) ?? 0), 0)
}

const hoursOf = (bursts: readonly Burst[], app: string): number[] =>
  bursts
    .filter((burst) => burst.app === app)
    .flatMap((burst) => timesOf(burst).map((timeMs) => Math.floor((timeMs - START_MS) / HOUR_MS)))

/** P(a request of a is in an earlier hour than one of b), ties half: every request against every request. */
export function precedence(bursts: readonly Burst[], a: string, b: string): number {
  const [first, second] = [hoursOf(bursts, a), hoursOf(bursts, b)]
  let earlier = 0
  for (const x of first) for (const y of second) earlier += x < y ? 1 : x === y ? 0.5 : 0
  return earlier / (first.length * second.length)
}

/** exp of the entropy over hours of the day. */
export function effectiveHours(bursts: readonly Burst[], app: string): number {
  const hours = hoursOf(bursts, app)
  const counts = Map.groupBy(hours, (hour) => hour)
  return 2 ** entropyBits([...counts.values()].map((list) => list.length / hours.length))
}
