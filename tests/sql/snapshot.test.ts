/** What the snapshot reads, against plain arithmetic over the same bursts. Any string is an id. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readRequestTimes } from '../../services/analyzer/run/request-times.ts'
import { readSnapshot, type Counts, type Snapshot } from '../../services/analyzer/run/snapshot.ts'
import { successionKey, successions } from '../../services/analyzer/clusters/succession.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { openEngine, type Engine } from '../support/analyzer-engine.ts'
import {
  HOUR_MS,
  store,
  timesOf,
  unrelated,
  WINDOW,
  START_MS,
  type Burst,
  type Traffic,
} from '../support/analyzer-traffic.ts'

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

const read = async (window = WINDOW): Promise<Snapshot> => await readSnapshot(engine.clickhouse, window, TUNING)

/** Sums of requests by a key of each burst. */
function sums(bursts: readonly Burst[], keyOf: (burst: Burst) => string): ReadonlyMap<string, number> {
  const result = new Map<string, number>()
  for (const burst of bursts) result.set(keyOf(burst), (result.get(keyOf(burst)) ?? 0) + burst.requests)
  return result
}
const sorted = (map: ReadonlyMap<string, number>): (readonly [string, number])[] =>
  [...map].toSorted(([x], [y]) => (x < y ? -1 : 1))
const named = (counts: Counts, names: readonly string[]): (readonly [string, number])[] =>
  sorted(new Map([...counts.keys].map((key, i) => [names[key] ?? '?', counts.counts[i] ?? 0])))
const routeOf = ({ route }: Burst): string => route ?? '/v1/items'
const agentOf = ({ agent }: Burst): string => agent ?? 'curl/8.4.0'
const addressOf = ({ network }: Burst): string => (network.includes(':') ? network : `::ffff:${network}`)

function expectBursts(snapshot: Snapshot, bursts: readonly Burst[]): void {
  const ids = [...new Set(bursts.map(({ app }) => app))]
  expect(snapshot.apps.map(({ app_id }) => app_id).toSorted()).toEqual(ids.toSorted())
  for (const app of snapshot.apps) {
    const own = bursts.filter((burst) => burst.app === app.app_id)
    const users = sums(
      own.filter(({ user }) => (user ?? '') !== ''),
      ({ user }) => user ?? '',
    )
    const all = own.reduce((sum, { requests }) => sum + requests, 0)
    expect(app).toMatchObject({
      requests: all,
      throttled: own.reduce((sum, { requests, status }) => sum + (status === 429 ? requests : 0), 0),
      networks: new Set(own.map(addressOf)).size,
      users: users.size,
      user_requests: [...users.values()].reduce((sum, n) => sum + n, 0),
      top_user_requests: Math.max(0, ...users.values()),
    })
    expect(users.get(app.top_user) ?? 0).toBe(app.top_user_requests)
    expect(named(app.mix, snapshot.routes)).toEqual(sorted(sums(own, routeOf)))
    expect(named(app.agents, snapshot.agents)).toEqual(sorted(sums(own, agentOf)))
  }
}

function expectStreams(snapshot: Snapshot, bursts: readonly Burst[]): void {
  const shared = [...Map.groupBy(bursts, addressOf)].filter(([, some]) => new Set(some.map(({ app }) => app)).size >= 2)
  expect(snapshot.networks.toSorted()).toEqual(shared.map(([network]) => network).toSorted())
  for (const [network, some] of shared) {
    const streams = snapshot.streamsOf[snapshot.networks.indexOf(network)] ?? []
    expect(streams.map(({ app }) => app)).toEqual(streams.map(({ app }) => app).toSorted((x, y) => x - y))
    expect(streams).toHaveLength(new Set(some.map(({ app }) => app)).size)
    for (const stream of streams) {
      const app = snapshot.apps[stream.app]
      const own = some.filter((burst) => burst.app === app?.app_id)
      expect(named(stream.mix, snapshot.routes)).toEqual(sorted(sums(own, routeOf)))
      expect(named(stream.agents, snapshot.agents)).toEqual(sorted(sums(own, agentOf)))
      expect(stream.share).toBeCloseTo(stream.mix.total / (app?.requests ?? Number.NaN), 9)
      const users = new Set(own.flatMap(({ user }) => user ?? []))
      // Linear counting over 64 bits: a hash may be met twice.
      expect(Math.abs(stream.users - users.size)).toBeLessThanOrEqual(Math.ceil(users.size / 10))
    }
  }
}

function expectUsers(snapshot: Snapshot, bursts: readonly Burst[]): void {
  const people = Map.groupBy(
    bursts.filter(({ user }) => (user ?? '') !== ''),
    ({ user }) => user ?? '',
  )
  const shared = [...people].filter(([, some]) => new Set(some.map(({ app }) => app)).size >= 2)
  expect(snapshot.users.map(({ userId }) => userId).toSorted()).toEqual(shared.map(([user]) => user).toSorted())
  for (const { userId, apps, requests } of snapshot.users) {
    const found = new Map(apps.map((app, i) => [snapshot.apps[app]?.app_id ?? '?', requests[i] ?? 0]))
    expect(sorted(found)).toEqual(sorted(sums(people.get(userId) ?? [], ({ app }) => app)))
  }
}

/** Ids that break what joins them with blanks, or keeps them in plain objects. */
const ODD = [
  'constructor',
  '__proto__',
  'toString',
  'a',
  'a b',
  'b',
  'b c',
  'c',
  'a\tb',
  ' ',
  "o'neill\\",
  'ä€😀',
] as const
const odd: readonly Burst[] = ODD.flatMap((app, i) =>
  ['192.0.2.1', '2001:db8:1:2::', i % 2 === 0 ? '198.51.100.7' : `203.0.113.${i}`].map((network, k): Burst => ({
    app,
    network,
    requests: 3 + i + k,
    user: ODD[(i + k) % ODD.length] ?? '',
    agent: ODD[(i * 5 + k) % ODD.length] ?? '',
    route: `/v1/${ODD[(i * 7 + k) % ODD.length] ?? ''}`,
  })),
)

describe('a snapshot', () => {
  it.each([
    ['unrelated apps', unrelated(40, 5)],
    [
      'ids that are any string',
      { bursts: odd, apps: ODD.map((app, i) => ({ app, owner: ODD.at(-1 - i) ?? '', name: app })) },
    ],
    [
      'answers of 429',
      {
        bursts: [
          { app: 'a', network: '192.0.2.1', requests: 7, status: 429 },
          { app: 'a', network: '192.0.2.1', requests: 4 },
        ],
        apps: [],
      },
    ],
  ] satisfies (readonly [string, Traffic])[])('of %s holds what plain sums hold', async (_, traffic) => {
    await store(engine.clickhouse, traffic)
    const snapshot = await read()
    expectBursts(snapshot, traffic.bursts)
    expectStreams(snapshot, traffic.bursts)
    expectUsers(snapshot, traffic.bursts)
    for (const { app, owner, name = app } of traffic.apps) {
      expect(snapshot.apps.find(({ app_id }) => app_id === app)).toMatchObject({ owner_id: owner, name })
    }
  })

  it('of an app that is in no registry has no owner, and no name', async () => {
    await store(engine.clickhouse, { bursts: [{ app: 'a', network: '192.0.2.1', requests: 3 }], apps: [] })
    expect((await read()).apps[0]).toMatchObject({ owner_id: '', name: '', stem: '', domains: [], limits: new Map() })
  })

  it('is the same for rows in another order', async () => {
    const { bursts, apps } = unrelated(30, 8)
    await store(engine.clickhouse, { bursts, apps })
    const once = await read()
    await engine.empty()
    await store(engine.clickhouse, { bursts: bursts.slice(700).toReversed(), apps: apps.toReversed() }, 'second')
    await store(engine.clickhouse, { bursts: bursts.slice(0, 700).toReversed(), apps: [] }, 'first')
    expect(await read()).toEqual(once)
  })

  it('ends before the end of its window', async () => {
    const at = (hour: number): Burst => ({
      app: `at-${hour}`,
      network: '192.0.2.1',
      requests: 2,
      hours: [hour, hour + 1],
    })
    await store(engine.clickhouse, { bursts: [at(0), at(5), at(6), at(7)], apps: [] })
    const window = { fromMs: START_MS + 5 * HOUR_MS, toMs: START_MS + 7 * HOUR_MS }
    expect((await read(window)).apps.map(({ app_id }) => app_id)).toEqual(['at-5', 'at-6'])
  })

  it('of nothing is empty', async () => {
    expect(await read()).toEqual({
      window: WINDOW,
      apps: [],
      routes: [],
      agents: [],
      networks: [],
      streamsOf: [],
      users: [],
    })
  })
})

describe('the line of a person', () => {
  const many = (user: number, network: string): Burst => ({ app: 'service', network, requests: 4, user: `u-${user}` })

  it('is a network where an app of many users is seen with a few of them, and no server', async () => {
    const homes = Array.from({ length: 20 }, (_, i) => many(i, '192.0.2.1'))
    const visitor: Burst = { app: 'other', network: '198.51.100.1', requests: 5, user: 'u-0' }
    const guest: Burst = { app: 'other', network: '192.0.2.1', requests: 5, user: 'u-0' }
    await store(engine.clickhouse, { bursts: [...homes, many(0, '198.51.100.1'), visitor, guest], apps: [] })
    const { networks, streamsOf, apps } = await read()
    const personal = streamsOf
      .flat()
      .filter(({ isPersonal }) => isPersonal)
      .map(({ app, network }) => [apps[app]?.app_id, networks[network]])
    expect(personal).toEqual([['service', '::ffff:198.51.100.1']])
  })
})

describe('times of requests', () => {
  it('are those of the apps asked for, in order, from the start of the window, with who was refused', async () => {
    const bursts: Burst[] = [
      { app: 'a b', network: '192.0.2.1', requests: 5, hours: [1, 2] },
      { app: 'a b', network: '192.0.2.2', requests: 3, hours: [0, 3], status: 429 },
      { app: 'c', network: '192.0.2.1', requests: 9 },
    ]
    await store(engine.clickhouse, { bursts, apps: [] })
    const own = bursts
      .slice(0, 2)
      .flatMap((burst) =>
        timesOf(burst).map((time) => ({ time: time - START_MS, refused: burst.status === 429 ? 1 : 0 })),
      )
      .toSorted((x, y) => x.time - y.time || x.refused - y.refused)
    const found = await readRequestTimes(engine.clickhouse, ['a b', 'nobody'], WINDOW)
    expect([...found.keys()]).toEqual(['a b'])
    expect(found.get('a b')).toEqual({
      times: own.map(({ time }) => time),
      refusals: own.map(({ refused }) => refused),
    })
    const there = await readRequestTimes(engine.clickhouse, ['a b'], WINDOW, ['::ffff:192.0.2.1'])
    expect(there.get('a b')?.times).toHaveLength(5)
    expect((await readRequestTimes(engine.clickhouse, [], WINDOW)).size).toBe(0)
  })
})

describe('a succession', () => {
  it('is told of the pair that it was seen in, though ids with blanks read alike', async () => {
    const life = (app: string, hours: readonly [number, number]): Burst => ({
      app,
      network: '192.0.2.1',
      requests: 48,
      hours,
    })
    // One after the other: "a b" and "c". Side by side: "a" and "b c".
    const bursts = [life('a b', [0, 12]), life('c', [12, 24]), life('a', [0, 24]), life('b c', [0, 24])]
    await store(engine.clickhouse, { bursts, apps: [] })
    const pairs = [
      { a: 'a b', b: 'c' },
      { a: 'a', b: 'b c' },
    ]
    const moves = await successions(engine.clickhouse, pairs, WINDOW, TUNING)
    expect(moves.size).toBe(1)
    expect(pairs.map(({ a, b }) => moves.has(successionKey(a, b)))).toEqual([true, false])
  })
})
