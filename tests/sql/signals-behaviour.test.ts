import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { measure, openEngine, type Engine } from '../support/analyzer-engine.ts'
import { store, together, unrelated, type Burst, type Traffic } from '../support/analyzer-traffic.ts'

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

const BACKGROUND = unrelated(160, 31)

/** An app on a server of its own; requests by route. */
function calling(app: string, server: string, routes: Readonly<Record<string, number>>, agent = 'curl/8'): Traffic {
  const bursts = Object.entries(routes).flatMap(([route, requests]): Burst[] =>
    requests === 0 ? [] : [{ app, network: server, route, requests, agent }],
  )
  return { bursts, apps: [{ app, owner: `owner-${app}` }] }
}

const named = (app: string, agent: string): Traffic =>
  calling(app, `192.0.2.${app.charCodeAt(0)}`, { '/v1/items': 60 }, agent)

const PROGRAM = { '/v1/route-2': 30, '/v1/route-11': 20, '/v1/route-17': 10 } as const

describe('the route mix', () => {
  it('speaks for two copies of one program', async () => {
    const copies = [calling('a', '192.0.2.1', PROGRAM), calling('b', '192.0.2.2', PROGRAM)]
    await store(engine.clickhouse, together(BACKGROUND, ...copies))
    const { bits, of } = await measure(engine.clickhouse, [['a', 'b']])
    expect(of('a', 'b', 'route_mix')?.measurement.observed).toBeCloseTo(1, 6)
    expect(bits('a', 'b', 'route_mix')).toBeGreaterThan(3)
  })

  it('speaks for copies that differ in volume as long as the mix is one', async () => {
    const twice = Object.fromEntries(Object.entries(PROGRAM).map(([route, requests]) => [route, requests * 2]))
    await store(
      engine.clickhouse,
      together(BACKGROUND, calling('a', '192.0.2.1', PROGRAM), calling('b', '192.0.2.2', twice)),
    )
    expect((await measure(engine.clickhouse, [['a', 'b']])).bits('a', 'b', 'route_mix')).toBeGreaterThan(3)
  })

  it('is against two programs that have no route in common', async () => {
    const others = [calling('a', '192.0.2.1', { '/v1/route-1': 60 }), calling('b', '192.0.2.2', { '/v1/route-2': 60 })]
    await store(engine.clickhouse, together(BACKGROUND, ...others))
    expect((await measure(engine.clickhouse, [['a', 'b']])).bits('a', 'b', 'route_mix')).toBeLessThan(0)
  })

  it('is silent when all that two apps have in common is the route that everyone calls', async () => {
    const everyone = unrelated(160, 31).apps.map(({ app }): Burst => ({
      app,
      network: '10.1.1.1',
      route: '/v1/me',
      requests: 30,
    }))
    const others = [
      calling('a', '192.0.2.1', { '/v1/me': 30, '/v1/route-1': 30 }),
      calling('b', '192.0.2.2', { '/v1/me': 30, '/v1/route-2': 30 }),
    ]
    await store(engine.clickhouse, together(BACKGROUND, { bursts: everyone, apps: [] }, ...others))
    expect((await measure(engine.clickhouse, [['a', 'b']])).bits('a', 'b', 'route_mix')).toBeLessThanOrEqual(0)
  })

  it('is not measured for apps that hardly did anything', async () => {
    const few = { '/v1/route-2': 15, '/v1/route-11': 14 }
    await store(
      engine.clickhouse,
      together(BACKGROUND, calling('a', '192.0.2.1', few), calling('b', '192.0.2.2', PROGRAM)),
    )
    expect((await measure(engine.clickhouse, [['a', 'b']])).of('a', 'b', 'route_mix')).toBeUndefined()
  })

  it('never says less for more likeness', async () => {
    const steps = [0, 6, 12, 18, 24, 30, 36, 42, 48, 54, 60]
    const ladder = steps.flatMap((same) => [
      calling(`x-${same}`, '192.0.2.1', { '/v1/route-5': 60 }),
      calling(`y-${same}`, '192.0.2.2', { '/v1/route-5': same, '/v1/route-6': 60 - same }),
    ])
    await store(engine.clickhouse, together(BACKGROUND, ...ladder))
    const { bits } = await measure(
      engine.clickhouse,
      steps.map((same) => [`x-${same}`, `y-${same}`]),
    )
    const said = steps.map((same) => bits(`x-${same}`, `y-${same}`, 'route_mix'))
    expect(said).toEqual(said.toSorted((a, b) => a - b))
    expect(said[0]).toBeLessThan(0)
  })
})

describe('the user agent', () => {
  it('speaks for apps that name the same rare program', async () => {
    await store(engine.clickhouse, together(BACKGROUND, named('a', 'harvester/2.1'), named('b', 'harvester/2.1')))
    const { bits, of } = await measure(engine.clickhouse)
    expect(bits('a', 'b', 'user_agent')).toBeGreaterThan(4)
    expect(of('a', 'b', 'user_agent')?.measurement.observed).toBeCloseTo(-Math.log2(2 / 162), 9)
    expect(of('a', 'b', 'user_agent')?.measurement.note).toBe('harvester/2.1')
  })

  it('says nothing, for or against, of defaults of SDKs, tools and browsers', async () => {
    const defaults = [
      'python-requests/2.31.0',
      'okhttp/4.12.0',
      'Mozilla/5.0 (X11; Linux x86_64)',
      'axios/1.6.2',
      'curl/8.4.0',
      '',
    ]
    const pairs = defaults.flatMap((agent, i) =>
      ['x', 'y'].map((side) => calling(`${side}-${i}`, '192.0.2.1', PROGRAM, agent)),
    )
    await store(engine.clickhouse, together(BACKGROUND, ...pairs))
    const { of } = await measure(
      engine.clickhouse,
      defaults.map((_, i) => [`x-${i}`, `y-${i}`]),
    )
    expect(defaults.filter((_, i) => of(`x-${i}`, `y-${i}`, 'user_agent') !== undefined)).toEqual([])
  })

  it('says nothing of a public program that many apps name', async () => {
    const count = TUNING.userAgents.appsMax + 1
    const users = Array.from({ length: count }, (_, i) =>
      calling(`u-${i}`, '192.0.2.1', PROGRAM, 'HomeAssistant/2026.2'),
    )
    await store(engine.clickhouse, together(BACKGROUND, ...users))
    expect((await measure(engine.clickhouse, [['u-0', 'u-1']])).of('u-0', 'u-1', 'user_agent')).toBeUndefined()
  })

  it('is against apps that name different programs', async () => {
    await store(engine.clickhouse, together(BACKGROUND, named('a', 'harvester/2.1'), named('b', 'gardener/1.0')))
    expect((await measure(engine.clickhouse, [['a', 'b']])).bits('a', 'b', 'user_agent')).toBeLessThan(0)
  })

  it('never says less the more of the traffic names the common program', async () => {
    const steps = [0, 10, 20, 30, 40, 50, 60]
    const ladder = steps.flatMap((common) =>
      ['x', 'y'].flatMap((side) => {
        const app = `${side}-${common}`
        return [
          calling(app, '192.0.2.1', { '/v1/items': common }, `shared-${common}/1`),
          calling(app, '192.0.2.1', { '/v1/items': 60 - common }, `own-${app}/1`),
        ]
      }),
    )
    await store(engine.clickhouse, together(BACKGROUND, ...ladder))
    const { bits } = await measure(
      engine.clickhouse,
      steps.map((common) => [`x-${common}`, `y-${common}`]),
    )
    const said = steps.map((common) => bits(`x-${common}`, `y-${common}`, 'user_agent'))
    expect(said).toEqual(said.toSorted((a, b) => a - b))
    expect(said.at(-1)).toBeGreaterThan(4)
  })
})
