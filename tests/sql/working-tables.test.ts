/** Known answers: what the SQL computes, against plain oracles and by hand. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readClusters } from '../../services/analyzer/judgement/facts.ts'
import { measureGains } from '../../services/analyzer/judgement/materiality.ts'
import { networkOverlap, sharedNetworks } from '../../services/analyzer/signals/networks.ts'
import { routeMix } from '../../services/analyzer/signals/route-mix.ts'
import { pairSuccessionQuery, successions } from '../../services/analyzer/clusters/succession.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { dateTimeParam } from '../../services/analyzer/run/window.ts'
import { pair } from '../support/analyzer-cases.ts'
import { openEngine, prepareRun, RUN, type Engine } from '../support/analyzer-engine.ts'
import * as oracle from '../support/analyzer-oracles.ts'
import { store, unrelated, WINDOW, type Burst } from '../support/analyzer-traffic.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
beforeEach(async () => {
  await engine.empty()
})
afterAll(async () => {
  await engine.close()
})

const storeBursts = async (bursts: readonly Burst[]): Promise<void> =>
  await store(engine.clickhouse, { bursts, apps: [] })
const PERIOD = { from: dateTimeParam(WINDOW.fromMs), to: dateTimeParam(WINDOW.toMs) }

describe('against plain oracles on random traffic', () => {
  // Without users there are no personal lines, and cafés of at most ten apps are no hubs: the model sees every network.
  const cafes = Array.from({ length: 60 }, (_, i) => `100.64.0.${i}`)
  const bursts = unrelated(50, 51).bursts.map(({ app, requests, network, route = '', hours = [0, 24] }, i): Burst => {
    return { app, requests, route, hours, network: i % 5 === 0 ? (cafes[(i * 7) % 60] ?? '') : network }
  })
  const crowded = new Set(
    [...oracle.appsByNetwork(bursts)].filter(([, apps]) => apps.size > 10).map(([network]) => network),
  )
  const traffic = bursts.filter(({ network }) => !crowded.has(network))

  it('the expected number of common networks is that of the degree-corrected model', async () => {
    await storeBursts(traffic)
    const context = await prepareRun(engine.clickhouse)
    const measured = await sharedNetworks.measure(context)
    const sample = context.pairs.filter(({ key }, i) => i % 15 === 0 && measured.has(key))
    expect(sample.length).toBeGreaterThan(30)
    for (const { key, a, b } of sample) {
      expect(measured.get(key)?.expected).toBeCloseTo(oracle.expectedCommonNetworks(traffic, a, b), 9)
    }
  })

  it('the overlap of traffic and the likeness of route mixes are those of the definitions', async () => {
    await storeBursts(traffic)
    const context = await prepareRun(engine.clickhouse)
    const overlap = await networkOverlap.measure(context)
    const routes = await routeMix.measure(context)
    const sample = context.pairs.filter(({ key }, i) => i % 15 === 0 && routes.has(key))
    expect(sample.length).toBeGreaterThan(30)
    for (const { key, a, b } of sample) {
      // Shares are stored with 24 bits.
      expect(overlap.get(key)?.observed).toBeCloseTo(oracle.networkOverlap(traffic, a, b), 6)
      expect(routes.get(key)?.observed).toBeCloseTo(oracle.routeSimilarity(traffic, a, b), 9)
    }
  })

  it('who comes first, and over how many hours, are those of a comparison request by request', async () => {
    await storeBursts(traffic)
    const apps = ['bg-000', 'bg-001', 'bg-002', 'bg-003']
    const rows = await engine.clickhouse.query(pairSuccessionQuery, {
      apps_a: apps.slice(0, 3),
      apps_b: apps.slice(1),
      ...PERIOD,
    })
    expect(rows).toHaveLength(3)
    for (const row of rows) expect(row.precedence).toBeCloseTo(oracle.precedence(traffic, row.app_a, row.app_b), 9)
    await prepareRun(engine.clickhouse)
    const [reads] = await readClusters(engine.clickhouse, RUN, [apps], WINDOW, TUNING)
    expect(reads?.effectiveHours).toHaveLength(apps.length)
    for (const [i, hours] of (reads?.effectiveHours ?? []).entries())
      expect(hours).toBeCloseTo(oracle.effectiveHours(traffic, apps[i] ?? ''), 9)
  })
})

/** So many users of one app on one line. */
const usersOnLine = (users: number): Burst[] =>
  Array.from({ length: users }, (_, i) => {
    return { app: `of-${users}`, network: '192.0.2.1', user: `user-${users}-${i}`, requests: 1 }
  })

const serving = (app: string, network: string, users: readonly string[], requests = 2): Burst[] =>
  users.map((user) => ({ app, network, user, requests }))

describe('the users on a line', () => {
  it('are estimated by linear counting within four standard errors', async () => {
    const sizes = [1, 2, 3, 8, 20, 40, 80]
    await storeBursts(sizes.flatMap(usersOnLine))
    const rows = await engine.clickhouse.select(
      `SELECT app_id, -64 * log(1 - bitCount(groupBitOr(user_bits)) / 64) AS users FROM app_network_route_hourly FINAL GROUP BY app_id ORDER BY app_id`,
      z.object({ app_id: z.string(), users: z.number() }),
    )
    expect(rows).toHaveLength(sizes.length)
    for (const { app_id, users } of rows) {
      const size = Number(app_id.slice('of-'.length))
      // Whang et al. 1990: variance m (e^t - t - 1) with t = n / m, m = 64.
      const load = size / 64
      const error = Math.sqrt(64 * (Math.exp(load) - load - 1))
      expect(Math.abs(users - size)).toBeLessThanOrEqual(4 * error + 0.5)
    }
  })

  it('make it personal: a few of the many users of an app; a server, or an app of few or of one, is not', async () => {
    const crowd = Array.from({ length: 30 }, (_, i) => `user-${i}`)
    await storeBursts([
      ...crowd.flatMap((user, i) => serving('crowded', `203.0.113.${i}`, [user])),
      ...serving('crowded', '192.0.2.1', crowd),
      ...serving('few', '192.0.2.2', crowd.slice(0, 2)),
      ...serving('few', '192.0.2.3', crowd.slice(0, 1)),
      ...serving('dominated', '192.0.2.4', crowd.slice(0, 1), 500),
      ...serving('dominated', '192.0.2.5', crowd),
      { app: 'app-only', network: '192.0.2.6', requests: 30 },
    ])
    await prepareRun(engine.clickhouse)
    const rows = await engine.clickhouse.select(
      `SELECT app_id, toString(network) AS network FROM analysis_app_network WHERE personal ORDER BY app_id, network`,
      z.object({ app_id: z.string(), network: z.string() }),
    )
    expect(rows.map(({ app_id }) => app_id)).toEqual(crowd.map(() => 'crowded'))
    expect(rows.every(({ network }) => network.startsWith('::ffff:203.0.113.'))).toBe(true)
  })
})

describe('a cluster', () => {
  it('has the share of its traffic elsewhere, of its users in common, and its networks that were stored', async () => {
    await storeBursts([
      { app: 'a', network: '192.0.2.1', requests: 60, user: 'u1' },
      { app: 'a', network: '198.51.100.1', requests: 40, user: 'u2' },
      { app: 'b', network: '192.0.2.1', requests: 25, user: 'u1' },
      { app: 'b', network: '198.51.100.2', requests: 75, user: 'u3' },
      { app: 'stranger', network: '198.51.100.2', requests: 10, user: 'u3' },
    ])
    await prepareRun(engine.clickhouse)
    const [reads] = await readClusters(engine.clickhouse, RUN, [['a', 'b']], WINDOW, TUNING)
    expect(reads?.elsewhereShares.map((share) => Math.round(share * 1e6) / 1e6)).toEqual([0.4, 0.75])
    expect(reads?.sharedUserShare).toBeCloseTo(1 / 3, 12)
    expect(reads?.networks).toEqual([
      { network: '::ffff:192.0.2.1', degree: 2, cluster_apps: 2, class: 'dedicated', requests: 85 },
    ])
    for (const hours of reads?.effectiveHours ?? []) expect(hours).toBeGreaterThan(20)
  })

  it('gains what it was served in the busiest limit window over what one app may use; refusals use nothing', async () => {
    const burst = { network: '192.0.2.1', route: '/v1/search', limit: 100, reset: 899 }
    await storeBursts([
      { ...burst, app: 'a', requests: 90, hours: [3, 3.25] },
      { ...burst, app: 'b', requests: 80, hours: [3, 3.25] },
      { ...burst, app: 'b', requests: 50, status: 429, hours: [3, 3.25] },
      { ...burst, app: 'a', requests: 100, hours: [5, 5.25] },
      { ...burst, app: 'stranger', requests: 900, hours: [3, 3.25] },
    ])
    const [gain] = await measureGains(engine.clickhouse, [['a', 'b']], WINDOW, TUNING)
    expect(gain?.value).toBeCloseTo(1.7, 12)
    expect(gain?.basis).toBe('170 requests to /v1/search in 15 minutes, where one app may send 100')
  })

  it('is read the same by itself and beside others', async () => {
    const limited = { route: '/v1/search', limit: 10, reset: 899 }
    await storeBursts([
      ...serving('a', '192.0.2.1', ['u1', 'u2'], 30),
      ...serving('b', '192.0.2.1', ['u1', 'u3'], 20),
      ...serving('c', '192.0.2.1', ['u1', 'u4'], 10),
      ...serving('d', '192.0.2.2', ['u5'], 40),
      { ...limited, app: 'd', network: '192.0.2.1', requests: 50, hours: [1, 1.25] },
      { ...limited, app: 'e', network: '192.0.2.2', requests: 40, hours: [2, 2.5], reset: 3599 },
    ])
    await prepareRun(engine.clickhouse)
    const clusters = [['a', 'b'], ['c', 'd'], ['e']]
    const reads = await readClusters(engine.clickhouse, RUN, clusters, WINDOW, TUNING)
    const gains = await measureGains(engine.clickhouse, clusters, WINDOW, TUNING)
    for (const [i, apps] of clusters.entries()) {
      expect(await readClusters(engine.clickhouse, RUN, [apps], WINDOW, TUNING)).toEqual([reads[i]])
      expect(await measureGains(engine.clickhouse, [apps], WINDOW, TUNING)).toEqual([gains[i]])
    }
    expect(gains.map(({ value }) => value)).toEqual([null, 5, 4])
  })

  it('has no gain where the logs carry no limits', async () => {
    await storeBursts([{ app: 'a', network: '192.0.2.1', requests: 5 }])
    expect((await measureGains(engine.clickhouse, [['a']], WINDOW, TUNING))[0]?.value).toBeNull()
  })
})

describe('a move to a successor', () => {
  const users = Array.from({ length: 20 }, (_, i) => `user-${i}`)

  it('is seen when the new app starts where the old one ends, when traffic goes over by and by, and user by user', async () => {
    await storeBursts([
      { app: 'old', network: '192.0.2.1', requests: 120, hours: [0, 12] },
      { app: 'new', network: '192.0.2.1', requests: 120, hours: [12, 24] },
      ...Array.from({ length: 24 }, (_, i): Burst[] => {
        const hours = [i, i + 1] as const
        const load = { network: '192.0.2.3', hours }
        return [
          { ...load, app: 'fading', requests: 30 - i },
          { ...load, app: 'rising', requests: 7 + i },
        ]
      }).flat(),
      ...users.flatMap((user, i): Burst[] => [
        { app: 'old-users', network: '192.0.2.2', user, requests: 20, hours: [0, 2 + i] },
        { app: 'new-users', network: '192.0.2.2', user, requests: 20, hours: [3 + i, 24] },
      ]),
    ])
    const pairs = [pair('old', 'new'), pair('fading', 'rising'), pair('old-users', 'new-users')]
    const moves = await successions(engine.clickhouse, pairs, WINDOW, TUNING)
    expect([...moves].toSorted()).toEqual(pairs.map(({ key }) => key).toSorted())
  })

  it('is not seen where apps take turns, by the hour or by the user', async () => {
    const turns = Array.from({ length: 24 }, (_, hour): Burst => {
      return { app: hour % 2 === 0 ? 'even' : 'odd', network: '192.0.2.1', requests: 10, hours: [hour, hour + 1] }
    })
    const both = users.flatMap((user) =>
      ['left', 'right'].map((app): Burst => ({ app, network: '192.0.2.2', user, requests: 12 })),
    )
    await storeBursts([...turns, ...both])
    const moves = await successions(engine.clickhouse, [pair('even', 'odd'), pair('left', 'right')], WINDOW, TUNING)
    expect([...moves]).toEqual([])
  })
})
