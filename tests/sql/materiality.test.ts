/** How much more than one app's limit a cluster used, against plain arithmetic; and which limit is believed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { measureGains, type Gain, type UseOf } from '../../services/analyzer/judgement/materiality.ts'
import { readClusterUsers, sharedUserShare } from '../../services/analyzer/judgement/users.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { openEngine, type Engine } from '../support/analyzer-engine.ts'
import { HOUR_MS, START_MS, store, WINDOW, type Burst } from '../support/analyzer-traffic.ts'

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

/** Within one limit window of a quarter of an hour. */
const QUARTER = [10, 10.25] as const
const LIMIT = new Map([['/items', 100]])
const sent = (app: string, requests: number, more: Partial<Burst> = {}): Burst => ({
  app,
  network: '192.0.2.1',
  route: '/items',
  requests,
  hours: QUARTER,
  ...more,
})

async function gainOf(bursts: readonly Burst[], use: Partial<UseOf> = {}): Promise<Gain> {
  await store(engine.clickhouse, { bursts, apps: [] })
  const apps = [...new Set(bursts.map(({ app }) => app))]
  const cluster = { apps, notProduction: new Set<string>(), limits: new Map<string, number>(), ...use }
  const [gain] = await measureGains(engine.clickhouse, [cluster], WINDOW, TUNING)
  if (gain === undefined) throw new Error('a cluster has a gain')
  return gain
}

describe('the gain of a cluster', () => {
  it('is its busiest window on a route over what one app may use', async () => {
    const bursts = [
      sent('a', 60),
      sent('b', 90),
      sent('a', 40, { hours: [12, 12.25] }),
      sent('b', 100, { hours: [12.25, 12.5] }),
      sent('b', 30, { route: '/other' }),
    ]
    const gain = await gainOf(bursts, {
      limits: new Map([
        ['/items', 100],
        ['/other', 50],
      ]),
    })
    expect(gain.value).toBeCloseTo(150 / 100, 9)
    expect(gain.basis).toContain('150 requests to /items in 15 minutes')
    expect(gain.basis).toContain('the registry')
  })

  it('counts what was served: an answer of 429 used nothing', async () => {
    const gain = await gainOf([sent('a', 80), sent('a', 500, { status: 429 }), sent('b', 40)], {
      limits: new Map([['/items', 100]]),
    })
    expect(gain.value).toBeCloseTo(1.2, 9)
  })

  it('of those that are not production is counted by itself', async () => {
    const use = { limits: new Map([['/items', 100]]), notProduction: new Set(['b']) }
    expect((await gainOf([sent('a', 80), sent('b', 40)], use)).ofOthers).toBeCloseTo(0.4, 9)
  })

  /** When a limit window ends, seconds since 1970. */
  const ends = (hour: number): number => (START_MS + hour * HOUR_MS) / 1000

  it('of a window as long as the logs show: an hour', async () => {
    const bursts = [10, 10.25, 10.5, 10.75].map((from) =>
      sent('a', 30, { hours: [from, from + 0.25], reset: ends(11) }),
    )
    const gain = await gainOf([...bursts, sent('b', 60, { reset: ends(11) })], { limits: LIMIT })
    expect(gain.value).toBeCloseTo(1.8, 9)
    expect(gain.basis).toContain('60 minutes')
  })

  it("is counted by the app's own windows: the end of one and the start of the next are not one", async () => {
    const bursts = [
      sent('a', 80, { hours: [10, 10.125], reset: ends(10.125) }),
      sent('a', 80, { hours: [10.125, 10.25], reset: ends(10.375) }),
    ]
    expect((await gainOf(bursts, { limits: LIMIT })).value).toBeCloseTo(0.8, 9)
  })
})

describe('what one app may use', () => {
  const refused = (limit: number): Burst => sent('a', 5, { status: 429, limit })

  it('is what the registry says, before what refusals and answers say', async () => {
    const bursts = [sent('a', 60, { limit: 900 }), sent('b', 60, { limit: 900 }), refused(400)]
    expect((await gainOf(bursts, { limits: new Map([['/items', 100]]) })).value).toBeCloseTo(1.2, 9)
  })

  it('is else the largest limit at a refusal', async () => {
    const gain = await gainOf([sent('a', 60, { limit: 900 }), sent('b', 60, { limit: 900 }), refused(80)])
    expect(gain.value).toBeCloseTo(1.5, 9)
    expect(gain.basis).toContain('refusals')
  })

  it('is else the limit in any answer', async () => {
    const gain = await gainOf([sent('a', 60, { limit: 80 }), sent('b', 60, { limit: 80 })])
    expect(gain.value).toBeCloseTo(1.5, 9)
    expect(gain.basis).toContain('answers')
  })

  const forUser = (app: string, user: string, requests: number, more: Partial<Burst> = {}): Burst =>
    sent(app, requests, { user, limit: 80, ...more })

  it("is a user's share when answers to users name a limit: it may be for each user", async () => {
    const gain = await gainOf([forUser('a', 'u', 50), forUser('a', 'v', 40), forUser('b', 'u', 45)])
    expect(gain.value).toBeCloseTo(95 / 80, 9)
    expect(gain.basis).toContain('one user')
  })

  it("is the app's when refusals to users name more than any app was served alone", async () => {
    const more = { limit: 100 }
    const bursts = [forUser('a', 'u', 50, more), forUser('a', 'v', 40, more), forUser('b', 'u', 60, more)]
    const gain = await gainOf([...bursts, forUser('a', 'u', 5, { status: 429, limit: 100 })])
    expect(gain.value).toBeCloseTo(1.5, 9)
    expect(gain.basis).toContain('refusals')
  })

  it('is unknown without a registry, a refusal and a limit in an answer', async () => {
    expect(await gainOf([sent('a', 900), sent('b', 900)])).toMatchObject({ value: null, ofOthers: null })
  })
})

describe('clusters', () => {
  it('have gains and users of their own, in their order, whatever their ids', async () => {
    const bursts = [
      sent('constructor', 30, { user: 'u' }),
      sent('__proto__', 30, { user: 'u' }),
      sent('a b', 50, { user: 'v' }),
      sent('c', 20, { user: 'w' }),
    ]
    await store(engine.clickhouse, { bursts, apps: [] })
    const clusters = [
      ['constructor', '__proto__'],
      ['a b', 'c'],
    ]
    const limits = new Map([['/items', 10]])
    const uses = clusters.map((apps) => ({ apps, notProduction: new Set<string>(), limits }))
    expect((await measureGains(engine.clickhouse, uses, WINDOW, TUNING)).map(({ value }) => value)).toEqual([6, 7])
    const users = await readClusterUsers(engine.clickhouse, clusters, WINDOW)
    expect(users.map(sharedUserShare)).toEqual([1, 0])
  })

  it('of none have none', async () => {
    expect(await measureGains(engine.clickhouse, [], WINDOW, TUNING)).toEqual([])
    expect(await readClusterUsers(engine.clickhouse, [], WINDOW)).toEqual([])
  })
})
