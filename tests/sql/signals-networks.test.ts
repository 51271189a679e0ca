import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
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

const BACKGROUND = unrelated(120, 11)
const servers = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}.${i + 1}`)
const apps = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
const register = (ids: readonly string[]): Traffic => ({
  bursts: [],
  apps: ids.map((app) => ({ app, owner: `owner-${app}` })),
})

/** Each app sends the same from each of the networks. */
function rotating(ids: readonly string[], networks: readonly string[], each: Partial<Burst> = {}): Traffic {
  const bursts = ids.flatMap((app) => networks.map((network) => ({ app, network, requests: 15, ...each })))
  return together({ bursts, apps: [] }, register(ids))
}

/** Invariant 11. */
describe('common networks', () => {
  it('speak for apps that rotate over the same servers', async () => {
    await store(engine.clickhouse, together(BACKGROUND, rotating(apps('ring', 3), servers('192.0.2', 4))))
    const { bits, of } = await measure(engine.clickhouse)
    expect(bits('ring-0', 'ring-1', 'shared_networks')).toBeGreaterThan(4)
    expect(bits('ring-0', 'ring-1', 'network_overlap')).toBeGreaterThan(4)
    expect(of('ring-0', 'ring-2', 'shared_networks')?.measurement.observed).toBe(4)
    expect(of('ring-0', 'ring-2', 'network_overlap')?.measurement.observed).toBeCloseTo(1, 6)
  })

  it('speak for apps that rotate over a pool of addresses with little traffic in each', async () => {
    await store(
      engine.clickhouse,
      together(BACKGROUND, rotating(apps('pool', 2), servers('192.0.2', 40), { requests: 2 })),
    )
    expect((await measure(engine.clickhouse)).bits('pool-0', 'pool-1', 'shared_networks')).toBeGreaterThan(4)
  })

  it('are silent where strangers meet behind carrier NAT, a VPN or a cloud egress', async () => {
    const strangers = unrelated(40, 12, { network: '198.51.100.9' }, 'nat')
    await store(engine.clickhouse, together(BACKGROUND, strangers))
    const { score, bits } = await measure(engine.clickhouse, [['nat-000', 'nat-001']])
    expect(bits('nat-000', 'nat-001', 'shared_networks')).toBeLessThanOrEqual(0)
    expect(bits('nat-000', 'nat-001', 'network_overlap')).toBeLessThanOrEqual(0)
    expect(score('nat-000', 'nat-001').admissible).toBe(false)
  })

  it('are silent on a shared host where a few unrelated apps live', async () => {
    const tenants = unrelated(6, 13, { network: '198.51.100.7' }, 'tenant')
    await store(engine.clickhouse, together(BACKGROUND, tenants))
    const { bits, of } = await measure(engine.clickhouse, [['tenant-000', 'tenant-001']])
    expect(of('tenant-000', 'tenant-001', 'shared_networks')?.measurement.observed).toBe(0)
    expect(bits('tenant-000', 'tenant-001', 'network_overlap')).toBeLessThanOrEqual(0)
  })

  it('speak on a busy network when nearly all that lives there is alike: a machine room', async () => {
    // Of unlike volume: apps of one volume would all be each other's control pairs.
    const traffic = apps('room', 12).map((app, i) => {
      const each = { agent: 'harvester/2', network: '203.0.113.5' }
      const bursts = [
        { ...each, app, requests: 36 + 4 * i, route: '/v1/route-3' },
        { ...each, app, requests: 12 + i, route: '/v1/route-9' },
      ]
      return together({ bursts, apps: [] }, register([app]))
    })
    await store(engine.clickhouse, together(BACKGROUND, ...traffic))
    expect((await measure(engine.clickhouse)).bits('room-0', 'room-9', 'network_overlap')).toBeGreaterThan(4)
  })

  it("are silent on the users' own lines: that a person uses two apps says nothing of who runs them", async () => {
    const people = Array.from({ length: 30 }, (_, i) => ({ user: `person-${i}`, network: `203.0.113.${i}` }))
    const bursts = ['mail', 'maps'].flatMap((app) =>
      people.map(({ user, network }) => ({ app, requests: 3, user, network })),
    )
    await store(engine.clickhouse, together(BACKGROUND, { bursts, apps: [] }, register(['mail', 'maps'])))
    const { of, bits } = await measure(engine.clickhouse, [['mail', 'maps']])
    expect(of('mail', 'maps', 'shared_networks')?.measurement.observed).toBe(0)
    expect(bits('mail', 'maps', 'network_overlap')).toBeLessThanOrEqual(0)
  })

  it('are silent when two developers were once in the same café', async () => {
    const guests = ['left', 'right'].map((app, i): Traffic => {
      const own = { app, network: `192.0.2.${i + 1}`, requests: 95 }
      return { bursts: [own, { app, network: '192.0.2.99', requests: 5 }], apps: [] }
    })
    await store(engine.clickhouse, together(BACKGROUND, ...guests, register(['left', 'right'])))
    const { bits } = await measure(engine.clickhouse, [['left', 'right']])
    expect(bits('left', 'right', 'shared_networks')).toBeLessThanOrEqual(0)
    expect(bits('left', 'right', 'network_overlap')).toBeLessThanOrEqual(0)
  })

  it('never say less for more overlap', async () => {
    const steps = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    const ladder = steps.flatMap((percent, i): Traffic[] => {
      const bursts = ['x', 'y'].flatMap((side, k): Burst[] => [
        { app: `${side}-${percent}`, network: `192.0.2.${i}`, requests: percent },
        { app: `${side}-${percent}`, network: `198.51.${100 + k}.${i}`, requests: 100 - percent },
      ])
      return [{ bursts: bursts.filter(({ requests }) => requests > 0), apps: [] }]
    })
    await store(engine.clickhouse, together(BACKGROUND, ...ladder))
    const { bits } = await measure(
      engine.clickhouse,
      steps.map((percent) => [`x-${percent}`, `y-${percent}`]),
    )
    for (const signal of ['shared_networks', 'network_overlap']) {
      const said = steps.map((percent) => bits(`x-${percent}`, `y-${percent}`, signal))
      expect([signal, ...said]).toEqual([signal, ...said.toSorted((a, b) => a - b)])
      expect(said[0]).toBeLessThanOrEqual(0)
    }
    expect(bits('x-100', 'y-100', 'network_overlap')).toBeGreaterThan(4)
  })

  it('of an IPv6 subscriber are one line, whatever address of its /64 is used', async () => {
    const bursts = ['one', 'two'].flatMap((app, k) =>
      Array.from({ length: 20 }, (_, i) => ({ app, requests: 3, network: `2001:db8:1:2::${k + 1}:${i + 1}` })),
    )
    await store(engine.clickhouse, together(BACKGROUND, { bursts, apps: [] }, register(['one', 'two'])))
    const { of } = await measure(engine.clickhouse)
    expect(of('one', 'two', 'network_overlap')?.measurement.observed).toBeCloseTo(1, 6)
    expect(of('one', 'two', 'shared_networks')?.measurement.observed).toBe(1)
  })
})
