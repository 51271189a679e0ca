/** An innocent app, and a rival who copies it: the two sides of every attempt at framing. */
import type { Actor, Gate } from '#simulate/actor.ts'
import { customAgent, sdkAgent } from '#simulate/agents.ts'
import type { App } from '#simulate/apps.ts'
import { anyTemper, anyUseCase, audienceOf } from '#simulate/kinds.ts'
import { registration } from '#simulate/naming.ts'
import type { Network } from '#simulate/networks.ts'
import type { Person } from '#simulate/people.ts'
import { at, type Rng, type Weighted } from '#simulate/random.ts'
import { always, anyRhythm, type Curve, HOUR_MS } from '#simulate/rhythm.ts'
import { randomRotation, roundRobin, single } from '#simulate/rings.ts'
import type { Route } from '#simulate/routes.ts'
import type { UseCase } from '#simulate/use-cases.ts'
import { type RouteWalk, walkOf } from '#simulate/walks.ts'
import { type Credential, Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

export interface Victim {
  readonly app: App
  readonly useCase: UseCase
  readonly walk: RouteWalk
  readonly agent: string
  readonly network: Network
  /** Nobody when it works app-only. */
  readonly people: Weighted<Person> | undefined
  readonly perDay: number
  readonly actor: Actor
}

interface VictimOptions {
  readonly network: Network
  readonly withPeople: boolean
  readonly curve?: Curve
  /** Told of each of the victim's requests. */
  readonly onSent?: (nowMs: number, route: Route, gate: Gate) => void
}

/** An ordinary service on a server. Draws from `rng` alone, so that its traffic does not depend on who is after it. */
export function victimOf(world: World, rng: Rng, options: VictimOptions): Victim {
  const { network, withPeople, curve, onSent } = options
  const useCase = anyUseCase(world, rng)
  const owner = rng.chance(0.6) ? world.ids.account() : world.population.anyone.pick(rng)
  const app = world.registry.register(
    registration(rng, { owner, useCase, startMs: world.span.startMs, personal: false }),
  )
  const perDay = rng.lognormal(700, 0.7) * world.load * (curve === undefined ? 1 : 3)
  const people = withPeople ? audienceOf(world, rng, perDay * 2) : undefined
  const walk = walkOf(rng, useCase, rng.between(2, 7))
  const agent = rng.chance(0.7) ? customAgent(rng, app.registration.name, app.registration.website) : sdkAgent(rng)
  const rhythm = anyRhythm(rng.fork('rhythm'), world.span, perDay / 24, curve ?? always)
  app.demands.push({
    walk,
    perWindow: rhythm.perWindow,
    context: people === undefined ? 'app' : 'all_users',
    elastic: false,
  })
  const subjects = rng.fork('subjects')
  const actor = new Worker({
    rng: rng.fork('work'),
    rhythm,
    walk,
    credentials: [{ app, network, agent, user: undefined }],
    ring: single(),
    temper: anyTemper(rng),
    elastic: false,
    ...(people === undefined ? {} : { subject: (): Person => people.pick(subjects) }),
    ...(onSent === undefined ? {} : { onSent }),
  })
  return { app, useCase, walk, agent, network, people, perDay, actor }
}

/** A registration that copies the victim's words and comes later. */
export function copiedApp(world: World, rng: Rng, victim: Victim, index: number): App {
  const { name, description, website, callbackUrls, createdAtMs } = victim.app.registration
  const { startMs } = world.span
  return world.registry.register({
    name: rng.chance(0.5) ? name : `${name} ${index + 2}`,
    description,
    website: rng.chance(0.7) ? website : undefined,
    callbackUrls: rng.chance(0.5) ? callbackUrls : [],
    createdAtMs: Math.floor(Math.min(startMs - HOUR_MS, createdAtMs + (startMs - createdAtMs) * rng.range(0.3, 0.99))),
    owner: world.ids.account(),
  })
}

export interface Copy {
  readonly network: Network
  readonly people?: Weighted<Person>
  /** Requests, in multiples of the victim's. */
  readonly volume: number
}

/** The rival's apps with the victim's mix and agent: one, or several in rotation. */
export function copycats(
  world: World,
  rng: Rng,
  victim: Victim,
  count: number,
  copy: Copy,
): { apps: App[]; actor: Actor } {
  const apps = Array.from({ length: count }, (_, index) => copiedApp(world, rng.fork(`copy-${index}`), victim, index))
  const perHour = Math.max((victim.perDay * copy.volume) / 24, 6 * count)
  const rhythm = anyRhythm(rng.fork('rhythm'), world.span, perHour, always)
  const people = copy.people ?? victim.people
  const subjects = rng.fork('subjects')
  const users =
    copy.people !== undefined || people === undefined ? people : audienceOf(world, rng.fork('own-users'), perHour * 24)
  const actor = new Worker({
    rng: rng.fork('work'),
    rhythm,
    walk: victim.walk,
    credentials: apps.map((app, index): Credential => {
      const walk = victim.walk.jittered(rng.fork(`walk-${index}`), world.conditions.mixJitter * 0.5)
      return { app, network: copy.network, agent: victim.agent, user: undefined, walk }
    }),
    ring:
      count === 1
        ? single()
        : rng.chance(0.5)
          ? roundRobin(rng.fork('ring'), count, 0.05)
          : randomRotation(rng.fork('ring'), count),
    temper: 'give_up',
    elastic: false,
    ...(users === undefined ? {} : { subject: (): Person => users.pick(subjects) }),
  })
  if (count === 1) {
    const context = users === undefined ? 'app' : 'all_users'
    at(apps, 0).demands.push({ walk: victim.walk, perWindow: rhythm.perWindow, context, elastic: false })
  }
  return { apps, actor }
}
