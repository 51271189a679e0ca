/** From options to a plan: the world, its background, the groups, and the truth about them. */
import { Truth, type TruthGroup } from '#schemas/truth.ts'
import type { Actor } from '#simulate/actor.ts'
import { type App, limitOf, type Tier } from '#simulate/apps.ts'
import { createBackground } from '#simulate/background.ts'
import { type EnginePlan, Pace } from '#simulate/engine.ts'
import { at, type Rng } from '#simulate/random.ts'
import { SCENARIOS } from '#simulate/scenarios/registry.ts'
import { type Scenario, type Strength, STRENGTHS } from '#simulate/scenarios/scenario.ts'
import { createWorld, type World } from '#simulate/world.ts'

export interface PlanOptions {
  readonly seed: number
  readonly apps?: number
  readonly requests?: number
  readonly hours?: number
  /** RFC 3339 start of the traffic; fixed by default, so that a seed reproduces the same bytes on any day. */
  readonly start?: string
  /** Names of the scenarios to stage; all by default. */
  readonly scenarios?: readonly string[]
  readonly strengths?: readonly Strength[]
}

export interface Plan extends EnginePlan {
  readonly world: World
  readonly pace: Pace
  readonly groups: readonly TruthGroup[]
  readonly seed: number
}

export const DEFAULTS = { seed: 1, apps: 1_500, requests: 1_000_000, hours: 24, start: '2026-11-01T00:00:00Z' } as const

/** Share of the apps that violations, and look-alikes with exempt groups, take; each cycle over all scenarios may take more. */
const SHARES = {
  violation: { usual: 0.13, firstCycle: 0.2 },
  lookalike: { usual: 0.17, firstCycle: 0.24 },
} as const
/** Share of apps whose developer chose too small a tier and lives with refusals. */
const SHARE_UNDERSIZED = 0.07
const TIERS: readonly Tier[] = ['free', 'basic', 'pro', 'enterprise']

/** A request for something the simulator does not have. */
export class PlanError extends Error {
  override readonly name = 'PlanError'
}

function selected(names: readonly string[] | undefined): readonly Scenario[] {
  if (names === undefined) return SCENARIOS
  const known = new Map(SCENARIOS.map((scenario) => [scenario.name, scenario]))
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length > 0)
    throw new PlanError(`unknown scenario: ${unknown.join(', ')} (--list-scenarios names them all)`)
  return SCENARIOS.filter((scenario) => names.includes(scenario.name))
}

interface Casting {
  readonly scenario: Scenario
  readonly strength: Strength
}

/** Every scenario once before any strength is repeated; the strengths rotate so that few groups still show all of them. */
function castings(rng: Rng, scenarios: readonly Scenario[], strengths: readonly Strength[]): Casting[] {
  const order = rng.shuffle(scenarios.flatMap((scenario) => Array.from({ length: scenario.copies }, () => scenario)))
  return strengths.flatMap((_, pass) =>
    order.map((scenario, index) => ({ scenario, strength: at(strengths, (pass + index) % strengths.length) })),
  )
}

interface Stage {
  readonly groups: TruthGroup[]
  readonly actors: Actor[]
}

function stageGroup(world: World, rng: Rng, casting: Casting, stage: Stage): number {
  const { scenario, strength } = casting
  const staged = scenario.stage(world, rng, strength)
  const id = `${scenario.name}-${stage.groups.filter((group) => group.scenario === scenario.name).length + 1}`
  stage.actors.push(...staged.actors)
  stage.groups.push({
    id,
    scenario: scenario.name,
    kind: scenario.kind,
    ...(scenario.kind === 'violation' ? { strength } : {}),
    policy: [...staged.policy],
    apps: staged.apps.map((app) => app.id),
    ...(scenario.heldOut ? { held_out: true } : {}),
  })
  return staged.apps.length
}

/** Stages groups in cycles until they hold their share of the apps. */
function stageAll(
  world: World,
  castingsOfCycle: readonly Casting[],
  apps: number,
  share: { usual: number; firstCycle: number },
  stage: Stage,
): void {
  if (castingsOfCycle.length === 0) return
  let used = 0
  for (let cycle = 0; ; cycle += 1) {
    const most = apps * (cycle === 0 ? share.firstCycle : share.usual)
    for (const [index, casting] of castingsOfCycle.entries()) {
      if (used >= most) return
      const key = `${casting.scenario.name}/${casting.strength}/${cycle}/${index}`
      used += stageGroup(world, world.rng.fork(key), casting, stage)
    }
  }
}

/** Gives each app the tier its developer would have bought for the load it expects. */
function assignTiers(rng: Rng, apps: readonly App[], pace: Pace, load: number): void {
  for (const app of apps) {
    const undersized = rng.chance(SHARE_UNDERSIZED)
    const fits = TIERS.find((tier) => {
      app.tier = tier
      return app.demands.every(({ walk, perWindow, context, elastic }) => {
        const window = perWindow * (elastic ? pace.elastic : pace.fixed) * walk.hotShare
        return window * 1.6 + 2 * load <= limitOf(app, walk.hot, context)
      })
    })
    const index = TIERS.indexOf(fits ?? 'enterprise')
    app.tier = at(TIERS, undersized ? Math.max(0, index - 1) : index)
  }
}

/** Everything decided before the first request: the same options give the same plan. */
export function createPlan(options: PlanOptions): Plan {
  const { seed } = options
  const apps = options.apps ?? DEFAULTS.apps
  const requests = options.requests ?? DEFAULTS.requests
  const hours = options.hours ?? DEFAULTS.hours
  const startMs = Date.parse(options.start ?? DEFAULTS.start)
  const scenarios = selected(options.scenarios)
  const world = createWorld({ seed, apps, requests, hours, startMs })
  const stage: Stage = { groups: [], actors: [] }
  const order = world.rng.fork('order')
  const violations = scenarios.filter((scenario) => scenario.kind === 'violation')
  const others = scenarios.filter((scenario) => scenario.kind !== 'violation')
  stageAll(world, castings(order, violations, options.strengths ?? STRENGTHS), apps, SHARES.violation, stage)
  stageAll(world, castings(order, others, ['strong']), apps, SHARES.lookalike, stage)
  const background = createBackground(
    world,
    world.rng.fork('background'),
    Math.max(0, apps - world.registry.apps.length),
  )
  const plan = {
    rng: world.rng,
    span: world.span,
    requests,
    apps: world.registry.apps,
    routes: world.routes,
    actors: [...stage.actors, ...background.actors],
  }
  const pace = new Pace(plan)
  assignTiers(world.rng.fork('tiers'), plan.apps, pace, world.load)
  return { ...plan, world, pace, groups: stage.groups, seed }
}

/** The answer that belongs to a plan, once `requests` were really sent. */
export function truthOf(plan: Plan, requests: number): Truth {
  return Truth.parse({
    seed: plan.seed,
    from: new Date(plan.span.startMs).toISOString(),
    to: new Date(plan.span.endMs).toISOString(),
    apps: plan.apps.length,
    requests,
    groups: plan.groups,
  })
}
