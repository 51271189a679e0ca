/** From options to a plan: the world, its background, the groups, and the truth about them. */
import { Truth, type TruthGroup } from '#schemas/truth.ts'
import type { Actor, Logged } from '#simulate/actor.ts'
import type { AppRecord } from '#schemas/app-record.ts'
import { type App, limitOf, recordOf, type Tier } from '#simulate/apps.ts'
import { createBackground } from '#simulate/background.ts'
import type { Conditions, WorldKind } from '#simulate/conditions.ts'
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
  /** One strength for all violations, or `mixed` for all of them; `strengths` comes first. */
  readonly strength?: Strength | 'mixed'
  /** Which kind of world to draw; `hard` by default. */
  readonly world?: WorldKind
  /** Overrides single conditions that the seed would draw: for tests, and for asking what one of them costs. */
  readonly conditions?: Partial<Conditions>
}

export interface Plan extends EnginePlan {
  readonly world: World
  readonly pace: Pace
  readonly groups: readonly TruthGroup[]
  readonly seed: number
}

export const DEFAULTS = {
  seed: 1,
  apps: 1_500,
  requests: 1_000_000,
  hours: 24,
  start: '2026-11-01T00:00:00Z',
  world: 'hard',
} as const

/** The first cycle over all scenarios may take this much more than the share of the apps that is drawn for them. */
const FIRST_CYCLE = 1.35
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

/** Whether what joins, or tells apart, the apps of the scenario can be seen in this world, and whether the world has such things. */
function possible({ conditions }: World, { needs }: Scenario): boolean {
  return (
    (needs.worlds === undefined || needs.worlds.includes(conditions.kind)) &&
    (needs.users !== true || conditions.logsUsers) &&
    conditions.routes >= (needs.routes ?? 1)
  )
}

function strengthsOf({ strength, strengths }: PlanOptions): readonly Strength[] {
  return strengths ?? (strength === undefined || strength === 'mixed' ? STRENGTHS : [strength])
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
    ...(staged.victims === undefined ? {} : { victims: staged.victims.map((app) => app.id) }),
    ...(staged.evidentAtMs === undefined || staged.evidentAtMs >= world.span.endMs
      ? {}
      : { evident_at: new Date(staged.evidentAtMs).toISOString() }),
    ...(scenario.heldOut ? { held_out: true } : {}),
  })
  return staged.apps.length
}

/** Stages groups in cycles until they hold `share` (0..1) of the apps. */
function stageAll(world: World, castingsOfCycle: readonly Casting[], apps: number, share: number, stage: Stage): void {
  if (castingsOfCycle.length === 0) return
  let used = 0
  for (let cycle = 0; ; cycle += 1) {
    const most = apps * share * (cycle === 0 ? FIRST_CYCLE : 1)
    for (const [index, casting] of castingsOfCycle.entries()) {
      if (used >= most) return
      const key = `${casting.scenario.name}/${casting.strength}/${cycle}/${index}`
      used += stageGroup(world, world.rng.fork(key), casting, stage)
    }
  }
}

/** Gives each app the tier its developer would have bought for the load it expects. */
function assignTiers(rng: Rng, { conditions, load }: World, apps: readonly App[], pace: Pace): void {
  for (const app of apps) {
    const undersized = rng.chance(conditions.undersized)
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
  const kind = options.world ?? DEFAULTS.world
  const fixed = options.conditions === undefined ? {} : { conditions: options.conditions }
  const world = createWorld({ seed, kind, apps, requests, hours, startMs, ...fixed })
  const scenarios = selected(options.scenarios).filter((scenario) => possible(world, scenario))
  const stage: Stage = { groups: [], actors: [] }
  const order = world.rng.fork('order')
  const violations = scenarios.filter((scenario) => scenario.kind === 'violation' && kind !== 'benign')
  const others = scenarios.filter((scenario) => scenario.kind !== 'violation')
  const { violationShare, lookalikeShare } = world.conditions
  stageAll(world, castings(order, violations, strengthsOf(options)), apps, violationShare, stage)
  stageAll(world, castings(order, others, ['strong']), apps, lookalikeShare, stage)
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
    logged: loggedIn(world),
  }
  const pace = new Pace(plan)
  assignTiers(world.rng.fork('tiers'), world, plan.apps, pace)
  return { ...plan, world, pace, groups: stage.groups, seed }
}

/** What the gateway of a world writes. */
export function loggedIn({ conditions }: World): Logged {
  return { users: conditions.logsUsers, agents: conditions.logsAgents, limitHeaders: conditions.limitHeaders }
}

/** The records of apps.ndjson, by id: those that the registry has. */
export function recordsOf(plan: Plan): AppRecord[] {
  return plan.apps
    .filter((app) => app.registered)
    .map((app) => recordOf(app, plan.routes, plan.world.conditions.registryLimits))
    .toSorted((left, right) => (left.app_id < right.app_id ? -1 : 1))
}

/** The answer that belongs to a plan, once `requests` were really sent. */
export function truthOf(plan: Plan, requests: number): Truth {
  return Truth.parse({
    seed: plan.seed,
    world: plan.world.conditions.kind,
    from: new Date(plan.span.startMs).toISOString(),
    to: new Date(plan.span.endMs).toISOString(),
    apps: plan.apps.length,
    requests,
    groups: plan.groups,
  })
}
