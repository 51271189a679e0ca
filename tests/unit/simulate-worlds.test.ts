import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Conditions, drawConditions, WORLD_KINDS } from '#simulate/conditions.ts'
import { generate } from '#simulate/engine.ts'
import { createPlan, loggedIn, type Plan, type PlanOptions, recordsOf, truthOf } from '#simulate/plan.ts'
import { Rng } from '#simulate/random.ts'
import { SCENARIOS } from '#simulate/scenarios/registry.ts'

const SMALL = { apps: 200, requests: 12_000 } as const

const Sent = z.object({
  app_id: z.string(),
  user_id: z.string().optional(),
  user_agent: z.string().optional(),
  status_code: z.number(),
  ratelimit_limit: z.number().optional(),
})
type Sent = z.infer<typeof Sent>

function sentOf(plan: Plan): Sent[] {
  return generate(plan, plan.pace)
    .flatMap(({ lines }) => lines)
    .map((line) => Sent.parse(JSON.parse(line)))
    .toArray()
}

function drawn(kind: PlanOptions['world'], count: number): Conditions[] {
  return Array.from({ length: count }, (_, seed) => drawConditions(new Rng(`${seed}`), kind ?? 'hard'))
}

describe('the conditions of a world', () => {
  it('are the same for the same seed, and cover wide ranges over many', () => {
    expect(drawn('hard', 1)).toEqual(drawn('hard', 1))
    const worlds = drawn('hard', 300)
    const routes = worlds.map((world) => world.routes)
    expect([Math.min(...routes), Math.max(...routes)]).toEqual([1, 60])
    for (const both of ['logsUsers', 'logsAgents', 'phasedWindows'] as const)
      expect(new Set(worlds.map((world) => world[both])).size).toBe(2)
    expect(new Set(worlds.map((world) => world.limitHeaders)).size).toBe(3)
    expect(new Set(worlds.map((world) => world.registryLimits)).size).toBe(3)
  })

  it('in tidy worlds hold no noise', () => {
    for (const world of drawn('tidy', 50))
      expect([world.mixJitter, world.mixDrift, world.sublet, world.pooled, world.outagesPerDay, world.stumble]).toEqual(
        [0, 0, 0, 0, 0, 0],
      )
  })

  it('always leave a limit to be seen somewhere, so that a gain can be shown', () => {
    for (const world of drawn('hard', 300))
      expect(world.limitHeaders === 'always' || world.registryLimits === 'all').toBe(true)
  })

  it('can be fixed one by one', () => {
    const plan = createPlan({ seed: 1, ...SMALL, conditions: { routes: 7 } })
    expect(plan.routes).toHaveLength(7)
  })
})

describe('what a gateway and a registry leave out', () => {
  it('is missing in the files, and scenarios that need it are not staged', () => {
    const conditions = { logsUsers: false, logsAgents: false, limitHeaders: 'on_429', unregistered: 0.3 } as const
    const plan = createPlan({ seed: 2, ...SMALL, conditions })
    const sent = sentOf(plan)
    expect(loggedIn(plan.world)).toEqual({ users: false, agents: false, limitHeaders: 'on_429' })
    expect(sent.filter(({ user_id: user, user_agent: agent }) => user !== undefined || agent !== undefined)).toEqual([])
    const wrong = sent.filter((record) => (record.ratelimit_limit !== undefined) !== (record.status_code === 429))
    expect(wrong).toEqual([])
    expect(recordsOf(plan).length / plan.apps.length).toBeCloseTo(0.7, 1)
    const needUsers = new Set(SCENARIOS.filter(({ needs }) => needs.users === true).map(({ name }) => name))
    expect(plan.groups.filter(({ scenario }) => needUsers.has(scenario))).toEqual([])
  })
})

describe.each(WORLD_KINDS)('a world of kind %s', (world) => {
  const plan = createPlan({
    seed: 3,
    world,
    apps: 1_200,
    requests: 20_000,
    conditions: { lookalikeShare: 0.5, routes: 40 },
  })
  const truth = truthOf(plan, 0)

  it('says so, and holds violations unless it is benign', () => {
    expect(truth.world).toBe(world)
    const violations = truth.groups.filter(({ kind }) => kind === 'violation')
    expect(violations.length > 0).toBe(world !== 'benign')
  })

  it('has look-alikes of both kinds, framed victims among them unless it is tidy', () => {
    expect(new Set(truth.groups.map(({ kind }) => kind))).toContain('exempt')
    const victims = truth.groups.filter((group) => group.kind === 'lookalike' && group.victims !== undefined)
    expect(victims.length > 0).toBe(world !== 'tidy')
    const listed = new Set(truth.groups.flatMap(({ apps }) => apps))
    // A victim of a look-alike is one of its apps; that of a ring is an app of nobody's group.
    for (const { kind, apps, victims: framed = [] } of truth.groups)
      expect(framed.every((app) => (kind === 'lookalike' ? apps.includes(app) : !listed.has(app)))).toBe(true)
  })

  it('tells when the evidence suffices within its span only', () => {
    const times = truth.groups.flatMap(({ evident_at: time }) => (time === undefined ? [] : [Date.parse(time)]))
    expect(times.every((time) => time >= plan.span.startMs && time < plan.span.endMs)).toBe(true)
  })
})

it('a strength that is asked for is the only one', () => {
  const { groups } = createPlan({ seed: 4, ...SMALL, strength: 'medium' })
  const strengths = groups.flatMap(({ strength }) => (strength === undefined ? [] : [strength]))
  expect(new Set(strengths)).toEqual(new Set(['medium']))
})

it('a fifth to a third of the scenarios of violations, and of look-alikes, is held out', () => {
  const share = (violation: boolean): number => {
    const all = SCENARIOS.filter(({ kind }) => (kind === 'violation') === violation)
    return all.filter(({ heldOut }) => heldOut).length / all.length
  }
  for (const violation of [true, false]) {
    expect(share(violation)).toBeGreaterThan(0.1)
    expect(share(violation)).toBeLessThan(0.34)
  }
})
