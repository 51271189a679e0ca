/**
 * Time slices by keys that share nothing but time: no user, no address, no agent, no likeness in the registry (policy P1-P3). One
 * key works after the other; the schedule may stumble, and several workers may walk over the same keys.
 */
import { sdkAgent, customAgent } from '#simulate/agents.ts'
import { anyUseCase } from '#simulate/kinds.ts'
import { registration } from '#simulate/naming.ts'
import { at, type Rng } from '#simulate/random.ts'
import {
  always,
  batches,
  between,
  type Curve,
  episodes,
  HOUR_MS,
  type Rhythm,
  steady,
  WINDOW_MS,
} from '#simulate/rhythm.ts'
import { stumblingSlices } from '#simulate/rings.ts'
import type { Route } from '#simulate/routes.ts'
import { ownersOf, ownLife, openness } from '#simulate/scenarios/operator.ts'
import { type Scenario, type Staged, type Strength, violation } from '#simulate/scenarios/scenario.ts'
import { walkAround } from '#simulate/walks.ts'
import { type Credential, Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

interface Style {
  readonly workers: number
  /** Standard deviation of the logarithm of a slice's length. */
  readonly sigma: number
  readonly skip: number
}

/** Requests an hour that keep a slice dense enough to be one spell, and the day affordable. */
const PER_HOUR = { least: 300, most: 1_500 } as const

interface Pace {
  readonly hot: Route
  readonly perHour: number
}

/** A route whose limit the job passes `gain` times at a bearable pace. */
function paceOf(world: World, rng: Rng, gain: number): Pace {
  const most = PER_HOUR.most * Math.max(1, world.load)
  const options = world.routes.map((hot) => ({ hot, perHour: gain * hot.appLimit * 4 }))
  const fitting = options.filter(({ perHour }) => perHour >= PER_HOUR.least && perHour <= most)
  if (fitting.length > 0) return rng.pick(fitting)
  const distance = ({ perHour }: Pace): number => Math.abs(Math.log(perHour / Math.sqrt(PER_HOUR.least * most)))
  return at(
    options.toSorted((left, right) => distance(left) - distance(right)),
    0,
  )
}

function dense(rng: Rng, world: World, perHour: number, curve: Curve): Rhythm {
  if (rng.chance(0.4)) return steady(rng, world.span, perHour, curve)
  const everyMs = HOUR_MS / perHour
  return batches(rng, world.span, {
    everyMs,
    phaseMs: rng.next() * everyMs,
    jitterMs: everyMs * rng.range(0.02, 0.3),
    size: 1,
    gapMs: 100,
    curve,
  })
}

/** Keys under unrelated names and mostly unrelated owners, each on a server and with a library of its own. */
function credentialsApart(world: World, rng: Rng, strength: Strength, count: number): Omit<Credential, 'walk'>[] {
  const useCase = anyUseCase(world, rng)
  const owners = ownersOf(world, rng, strength === 'strong' && rng.chance(0.5) ? 'one' : 'many', count, {
    ...openness(world, rng, strength),
    likeness: 0.3,
  })
  return owners.map((owner) => {
    const { startMs } = world.span
    const personal = rng.chance(0.5)
    const app = world.registry.register(
      registration(rng, { owner, useCase, startMs, personal, careless: world.conditions.careless }),
    )
    const agent = rng.chance(0.75) ? sdkAgent(rng) : customAgent(rng, app.registration.name, undefined)
    return {
      app,
      network: rng.chance(0.8) ? world.hosting.server(rng) : world.hosting.anywhere(rng),
      agent,
      user: undefined,
    }
  })
}

function ownShareOf(rng: Rng, strength: Strength): number {
  if (strength === 'strong') return 0
  return strength === 'medium' ? rng.range(0, 0.1) : rng.range(0.03, 0.15)
}

function sliced(world: World, rng: Rng, strength: Strength, style: Style): Staged {
  const base = strength === 'strong' ? rng.between(3, 9) : strength === 'medium' ? rng.between(3, 6) : rng.between(3, 4)
  const count = Math.max(style.workers + 1, Math.round(base * Math.min(1.6, world.conditions.groupScale)))
  const gain = Math.max(1.3, (count / style.workers) * rng.range(0.55, 0.9))
  const { hot, perHour } = paceOf(world, rng, gain)
  const useCase = anyUseCase(world, rng)
  const walk = walkAround(rng, hot, useCase, rng.range(0.6, 0.95))
  const keys = credentialsApart(world, rng, strength, count)
  const credentials = keys.map((key, index): Credential => {
    return { ...key, walk: walk.jittered(rng.fork(`walk-${index}`), world.conditions.mixJitter) }
  })
  const { startMs, endMs } = world.span
  const sinceMs = rng.chance(world.conditions.lateStart) ? startMs + (endMs - startMs) * rng.range(0.05, 0.35) : startMs
  const shifts = rng.chance(0.5) ? always : episodes(rng, startMs, endMs, 5 * HOUR_MS, 2 * HOUR_MS)
  const curve = between(sinceMs, endMs, shifts)
  // A slice holds less than one key may use in a window: who slices time is hardly ever refused.
  const longestMs = (0.9 * WINDOW_MS) / gain
  const sliceMs = rng.chance(0.4) ? Math.min(longestMs, WINDOW_MS / count) : rng.range(0.2, 1) * longestMs
  const workers = Array.from({ length: style.workers }, (_, index) => {
    const own = rng.fork(`worker-${index}`)
    return new Worker({
      rng: own.fork('job'),
      rhythm: dense(own.fork('rhythm'), world, perHour / style.workers, curve),
      walk,
      credentials,
      ring: stumblingSlices(own.fork('ring'), count, { sliceMs, sigma: style.sigma, skip: style.skip }),
      temper: rng.pick(['give_up', 'back_off']),
      elastic: false,
    })
  })
  const share = ownShareOf(rng, strength)
  const lives = keys.flatMap(({ app }, index) =>
    ownLife(world, rng.fork(`life-${index}`), app, ((perHour * 14) / count) * share),
  )
  return {
    apps: keys.map(({ app }) => app),
    actors: [...workers, ...lives],
    policy: ['duplicate_apps_multiple_owners', 'duplicate_apps_single_owner'],
    evidentAtMs: sinceMs + Math.max(HOUR_MS, 5 * count * sliceMs),
  }
}

/** How badly the schedule keeps its slices; the more hidden, the worse. */
function stumbling(rng: Rng, strength: Strength): Style {
  if (strength === 'strong') return { workers: 1, sigma: rng.range(0.05, 0.2), skip: rng.range(0, 0.1) }
  if (strength === 'medium') return { workers: 1, sigma: rng.range(0.2, 0.5), skip: rng.range(0.1, 0.3) }
  return { workers: 1, sigma: rng.range(0.4, 0.8), skip: rng.range(0.3, 1) }
}

export const SLICING: readonly Scenario[] = [
  violation(
    'time_slicing_apart',
    'one key after another, by keys that share nothing but time',
    (world, rng, strength) => sliced(world, rng, strength, { workers: 1, sigma: 0.01, skip: 0 }),
  ),
  violation('time_slicing_stumbling', 'the same, by a schedule that stumbles', (world, rng, strength) =>
    sliced(world, rng, strength, stumbling(rng, strength)),
  ),
  violation('time_slicing_workers', 'the same, by several workers over the same keys', (world, rng, strength) =>
    sliced(world, rng, strength, { ...stumbling(rng, strength), workers: strength === 'weak' ? rng.between(2, 3) : 2 }),
  ),
]
