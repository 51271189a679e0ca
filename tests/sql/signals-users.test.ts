import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isLinked } from '../../services/analyzer/evidence/bits.ts'
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

const BACKGROUND = unrelated(120, 21)
const people = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)

/** An app that serves these users on a server of its own. */
function serving(app: string, server: string, users: readonly string[], requests = 4): Traffic {
  const bursts = users.map((user): Burst => ({ app, network: server, user, requests }))
  return { bursts, apps: [{ app, owner: `owner-${app}` }] }
}

describe('common users', () => {
  it('speak for apps that act for the same people from other networks', async () => {
    const users = people('customer', 20)
    const ring = ['a', 'b', 'c'].map((app, i) => serving(app, `192.0.2.${i + 1}`, users))
    await store(engine.clickhouse, together(BACKGROUND, ...ring))
    const { bits, of } = await measure(engine.clickhouse)
    expect(of('a', 'c', 'shared_users')?.measurement.observed).toBe(20)
    expect(bits('a', 'c', 'shared_users')).toBeGreaterThan(4)
    expect(bits('a', 'c', 'user_overlap')).toBeGreaterThan(4)
  })

  it('are silent for popular people who use many apps', async () => {
    const popular = people('popular', 12)
    const many = Array.from({ length: 34 }, (_, i) => serving(`app-${i}`, `192.0.2.${i + 1}`, popular))
    await store(engine.clickhouse, together(BACKGROUND, ...many))
    const { bits, of } = await measure(engine.clickhouse, [['app-0', 'app-1']])
    expect(of('app-0', 'app-1', 'shared_users')?.measurement.observed).toBe(0)
    expect(bits('app-0', 'app-1', 'user_overlap')).toBeLessThanOrEqual(0)
  })

  it('are no reason to link an aggregator that everyone connects with its sources', async () => {
    const everyone = people('member', 300)
    const { bursts, apps } = serving('aggregator', '192.0.2.1', everyone, 2)
    const reading = bursts.flatMap((burst, i): Burst[] => [{ ...burst, route: `/v1/route-${i % 20}` }])
    const source = serving('source', '192.0.2.2', everyone.slice(0, 20))
    await store(engine.clickhouse, together(BACKGROUND, { bursts: reading, apps }, source))
    const { bits, score } = await measure(engine.clickhouse, [['aggregator', 'source']])
    expect(bits('aggregator', 'source', 'user_overlap')).toBeLessThanOrEqual(0)
    expect(isLinked(score('aggregator', 'source'), TUNING)).toBe(false)
  })

  it('are silent between competitors who have a fifth of their customers in common', async () => {
    const traffic = [
      serving('left', '192.0.2.1', [...people('l', 40), ...people('both', 10)]),
      serving('right', '192.0.2.2', [...people('r', 40), ...people('both', 10)]),
    ]
    await store(engine.clickhouse, together(BACKGROUND, ...traffic))
    const { bits } = await measure(engine.clickhouse, [['left', 'right']])
    expect(bits('left', 'right', 'shared_users')).toBeLessThanOrEqual(0)
    expect(bits('left', 'right', 'user_overlap')).toBeLessThanOrEqual(0)
  })

  it("are not measured for one person's own apps: two people are no population", async () => {
    const traffic = ['first', 'second'].map((app, i) => serving(app, `192.0.2.${i + 1}`, ['me', 'my partner'], 40))
    await store(engine.clickhouse, together(BACKGROUND, ...traffic))
    const { of } = await measure(engine.clickhouse, [['first', 'second']])
    expect(of('first', 'second', 'shared_users')).toBeUndefined()
    expect(of('first', 'second', 'user_overlap')).toBeUndefined()
  })

  it('are not measured for app-only traffic', async () => {
    const bursts = ['x', 'y'].map((app): Burst => ({ app, network: '192.0.2.1', requests: 80 }))
    await store(engine.clickhouse, together(BACKGROUND, { bursts, apps: [] }))
    expect((await measure(engine.clickhouse)).of('x', 'y', 'shared_users')).toBeUndefined()
  })

  it('never say less for more overlap', async () => {
    const steps = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    const ladder = steps.flatMap((common, i) =>
      ['x', 'y'].map((side, k) =>
        serving(`${side}-${common}`, `192.0.${2 + k}.${i}`, [
          ...people(`common-${i}`, common),
          ...people(`${side}-${i}`, 20 - common),
        ]),
      ),
    )
    await store(engine.clickhouse, together(BACKGROUND, ...ladder))
    const { bits } = await measure(
      engine.clickhouse,
      steps.map((common) => [`x-${common}`, `y-${common}`]),
    )
    for (const signal of ['shared_users', 'user_overlap']) {
      const said = steps.map((common) => bits(`x-${common}`, `y-${common}`, signal))
      expect([signal, ...said]).toEqual([signal, ...said.toSorted((a, b) => a - b)])
      expect(said[0]).toBeLessThanOrEqual(0)
      expect(said.at(-1)).toBeGreaterThan(4)
    }
  })
})
