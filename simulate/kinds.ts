/**
 * The kinds of applications a platform has. Each function registers one application and returns whoever sends its requests.
 * The background is made of these, and scenarios use them for the ordinary part of their applications.
 */
import type { Actor, Temper } from '#simulate/actor.ts'
import { audienceAgents, browserAgent, customAgent, sdkAgent } from '#simulate/agents.ts'
import type { App } from '#simulate/apps.ts'
import { Audience } from '#simulate/audience.ts'
import { registration } from '#simulate/naming.ts'
import type { Network } from '#simulate/networks.ts'
import { activityAt, type Account, type Person } from '#simulate/people.ts'
import { at, type Rng, Weighted, zipfWeights } from '#simulate/random.ts'
import {
  always,
  anyRhythm,
  batches,
  type Curve,
  episodes,
  HOUR_MS,
  MINUTE_MS,
  type Rhythm,
  shift,
} from '#simulate/rhythm.ts'
import { single } from '#simulate/rings.ts'
import type { UseCase } from '#simulate/use-cases.ts'
import { type RouteWalk, walkOf } from '#simulate/walks.ts'
import { Worker, type WorkerOptions } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

/** Applications with those who send their requests. */
export interface Cast {
  readonly apps: readonly App[]
  readonly actors: readonly Actor[]
}

export interface KindOptions {
  /** Sends this traffic through an app registered before, instead of registering one. */
  readonly app?: App
  /** Requests a day at scale 1. */
  readonly perDay: number
  readonly elastic: boolean
  readonly useCase?: UseCase
  readonly owner?: Account
  readonly network?: Network
  readonly name?: string
  readonly domain?: string
  readonly agent?: string
  readonly walk?: RouteWalk
  readonly curve?: Curve
  /** Whom an app with users has, instead of an audience of its own. */
  readonly people?: Weighted<Person>
  /** Told of each request of a program when it goes out. */
  readonly onSent?: WorkerOptions['onSent']
}

/** An app's own circle of people: mostly from one country, sized as its traffic suggests, with a few who use it all day. */
export function audienceOf(world: World, rng: Rng, perDay: number): Weighted<Person> {
  const { population } = world
  const size = Math.max(
    1,
    Math.min(population.people.length / 3, rng.lognormal((perDay * world.conditions.audience) / 12, 0.8)),
  )
  const home = population.anyone.pick(rng).country.code
  const local = population.byCountry.get(home) ?? population.anyone
  const shareLocal = rng.chance(0.3) ? 0.1 : rng.range(0.5, 0.98)
  const chosen = new Set<Person>()
  for (let tries = 0; tries < size * 2 && chosen.size < size; tries += 1) {
    chosen.add((rng.chance(shareLocal) ? local : population.anyone).pick(rng))
  }
  return new Weighted([...chosen], zipfWeights(chosen.size, rng.range(0.3, 1.1)))
}

const TEMPERS: readonly Temper[] = ['give_up', 'give_up', 'wait', 'wait', 'back_off', 'back_off', 'hammer']

export function anyTemper(rng: Rng): Temper {
  return rng.pick(TEMPERS)
}

export function anyUseCase(world: World, rng: Rng): UseCase {
  return rng.pick(world.useCases)
}

/** When a server app works: all day, in its office's hours, with its people, or in episodes. */
export function anyCurve(world: World, rng: Rng): Curve {
  const kind = rng.next()
  const offset = world.population.anyone.pick(rng).country.offsetHours
  if (kind < 0.45) return always
  if (kind < 0.65) return (atMs) => activityAt(atMs, offset)
  if (kind < 0.8) return shift(offset, rng.range(6, 10), rng.range(6, 14))
  return episodes(
    rng,
    world.span.startMs,
    world.span.endMs,
    rng.lognormal(1.5 * HOUR_MS, 0.8),
    rng.lognormal(3 * HOUR_MS, 0.8),
  )
}

function register(
  world: World,
  rng: Rng,
  options: KindOptions,
  useCase: UseCase,
  personal: boolean,
  owner: Account,
): App {
  if (options.app !== undefined) return options.app
  const { startMs } = world.span
  const name = options.name === undefined ? {} : { name: options.name }
  const domain = options.domain === undefined ? {} : { domain: options.domain }
  return world.registry.register(
    registration(rng, {
      owner: options.owner ?? owner,
      useCase,
      startMs,
      personal,
      careless: world.conditions.careless,
      ...name,
      ...domain,
    }),
  )
}

/** People use it on their phones and computers. */
export function consumerApp(world: World, rng: Rng, options: KindOptions): Cast {
  const useCase = options.useCase ?? anyUseCase(world, rng)
  const app = register(world, rng, options, useCase, false, world.ids.account())
  const length = rng.size(7, 0.6, 1, 40)
  const walk = options.walk ?? walkOf(rng, useCase)
  // People are awake about half of the day, weighted by activity.
  const sessionsPerHour = options.perDay / 24 / length / 0.5
  app.demands.push({ walk, perWindow: (sessionsPerHour * length) / 4, context: 'all_users', elastic: options.elastic })
  const audience = new Audience({
    rng: rng.fork('sessions'),
    app,
    people: options.people ?? audienceOf(world, rng, options.perDay),
    walk,
    agents:
      options.agent === undefined
        ? audienceAgents(rng, app.registration.name, world.conditions.agentsMost)
        : [options.agent],
    sessionsPerHour,
    length,
    screens: world.conditions.screens,
    temper: anyTemper(rng),
    elastic: options.elastic,
    ...(options.curve === undefined ? {} : { curve: options.curve }),
  })
  return { apps: [app], actors: [audience] }
}

/** What every kind of program has in common once its rhythm and its network are known. */
function program(
  rng: Rng,
  app: App,
  options: KindOptions,
  parts: {
    rhythm: Rhythm
    network: Network
    agent: string
    walk: RouteWalk
    user?: Account | undefined
    subject?: () => Account
  },
): Cast {
  const context = parts.subject !== undefined ? 'all_users' : parts.user === undefined ? 'app' : 'user'
  app.demands.push({ walk: parts.walk, perWindow: parts.rhythm.perWindow, context, elastic: options.elastic })
  const worker = new Worker({
    rng: rng.fork('work'),
    rhythm: parts.rhythm,
    walk: parts.walk,
    credentials: [{ app, network: parts.network, agent: options.agent ?? parts.agent, user: parts.user }],
    ring: single(),
    temper: anyTemper(rng),
    elastic: options.elastic,
    ...(parts.subject === undefined ? {} : { subject: parts.subject }),
    ...(options.onSent === undefined ? {} : { onSent: options.onSent }),
  })
  return { apps: [app], actors: [worker] }
}

function serverAgent(rng: Rng, app: App): string {
  return rng.chance(0.6) ? sdkAgent(rng) : customAgent(rng, app.registration.name, app.registration.website)
}

/** A curve's mean is unknown in advance; most have about this one. */
const USUAL_DUTY = 0.6

/** A service that works on its servers with the tokens of its many users. */
export function serviceApp(world: World, rng: Rng, options: KindOptions): Cast {
  const useCase = options.useCase ?? anyUseCase(world, rng)
  const app = register(world, rng, options, useCase, false, world.ids.account())
  const people = options.people ?? audienceOf(world, rng, options.perDay)
  const subjects = rng.fork('subjects')
  return program(rng, app, options, {
    rhythm: anyRhythm(
      rng.fork('rhythm'),
      world.span,
      options.perDay / 24 / USUAL_DUTY,
      options.curve ?? anyCurve(world, rng),
    ),
    network: options.network ?? world.hosting.anywhere(rng),
    agent: serverAgent(rng, app),
    walk: options.walk ?? walkOf(rng, useCase),
    subject: () => people.pick(subjects),
  })
}

/** A service that needs no user: search, lookups, public data. */
export function publicDataApp(world: World, rng: Rng, options: KindOptions): Cast {
  const useCase = options.useCase ?? anyUseCase(world, rng)
  const app = register(world, rng, options, useCase, false, world.ids.account())
  return program(rng, app, options, {
    rhythm: anyRhythm(
      rng.fork('rhythm'),
      world.span,
      options.perDay / 24 / USUAL_DUTY,
      options.curve ?? anyCurve(world, rng),
    ),
    network: options.network ?? world.hosting.anywhere(rng),
    agent: serverAgent(rng, app),
    walk: options.walk ?? walkOf(rng, useCase),
  })
}

/** Whether a person's program works with a user's token; `usually` (0..1) is how many do where app-only is usual. */
function withToken(world: World, rng: Rng, usually: number): boolean {
  return rng.chance(1 - (1 - usually) * world.conditions.appOnly)
}

/** A job from a crontab: on the hour, at a quarter, or at the minute its author liked; seconds late. */
export function cronApp(world: World, rng: Rng, options: KindOptions & { everyMs?: number }): Cast {
  const useCase = options.useCase ?? anyUseCase(world, rng)
  const owner = world.population.anyone.pick(rng)
  const app = register(world, rng, options, useCase, rng.chance(0.5), owner)
  const everyMs = options.everyMs ?? rng.pick([5, 10, 15, 15, 30, 60, 60, 60, 120, 360]) * MINUTE_MS
  const rhythm = batches(rng.fork('rhythm'), world.span, {
    everyMs,
    phaseMs: options.everyMs !== undefined || rng.chance(0.7) ? 0 : rng.below(everyMs / MINUTE_MS) * MINUTE_MS,
    jitterMs: rng.lognormal(1_500, 1),
    size: (options.perDay * everyMs) / (24 * HOUR_MS),
    gapMs: rng.lognormal(400, 0.9),
    curve: options.curve ?? always,
  })
  const user = withToken(world, rng, 0.5) ? owner : undefined
  return program(rng, app, options, {
    rhythm,
    network: options.network ?? (rng.chance(0.25) ? world.hosting.runner(rng) : world.hosting.anywhere(rng)),
    agent: sdkAgent(rng),
    walk: options.walk ?? walkOf(rng, useCase),
    user,
  })
}

/** One person's own bot, script or dashboard, at home or on a small server, with the owner's own token. */
export function personalApp(world: World, rng: Rng, options: KindOptions & { person?: Person }): Cast {
  const useCase = options.useCase ?? anyUseCase(world, rng)
  const person = options.person ?? world.population.anyone.pick(rng)
  const app = register(world, rng, options, useCase, true, person)
  const curve = options.curve ?? (rng.chance(0.5) ? always : anyCurve(world, rng))
  const duty = curve === always ? 1 : USUAL_DUTY
  const atHome = rng.chance(0.35)
  return program(rng, app, options, {
    rhythm: anyRhythm(rng.fork('rhythm'), world.span, options.perDay / 24 / duty, curve),
    network: options.network ?? (atHome ? person.home : world.hosting.anywhere(rng)),
    agent: rng.chance(0.85) ? sdkAgent(rng) : customAgent(rng, app.registration.name, undefined),
    walk: options.walk ?? walkOf(rng, useCase),
    user: withToken(world, rng, 0.75) ? person : undefined,
  })
}

/** An unattended collector that takes what it can get, now and then by way of a VPN. */
export function scraperApp(world: World, rng: Rng, options: KindOptions): Cast {
  const useCase = options.useCase ?? anyUseCase(world, rng)
  const person = world.population.anyone.pick(rng)
  const app = register(world, rng, options, useCase, true, person)
  const curve = episodes(rng, world.span.startMs, world.span.endMs, 2 * HOUR_MS, 2.5 * HOUR_MS)
  const agent = rng.chance(0.3) ? browserAgent(rng, false) : sdkAgent(rng)
  return program(rng, app, options, {
    rhythm: anyRhythm(rng.fork('rhythm'), world.span, options.perDay / 24 / 0.45, curve),
    network: options.network ?? (rng.chance(0.25) ? rng.pick(world.population.vpns) : world.hosting.anywhere(rng)),
    agent,
    walk: options.walk ?? walkOf(rng, useCase, Math.max(useCase.habits.breadthLeast, rng.between(1, 3))),
    user: withToken(world, rng, 0.3) ? person : undefined,
  })
}

/** The owner trying things out by hand: few requests from home, at the office, with a tool. */
export function tinkering(
  rng: Rng,
  app: App,
  person: Person,
  walk: RouteWalk,
  perDay: number,
  elastic: boolean,
): Actor {
  return new Audience({
    rng: rng.fork(`tinker-${app.id}`),
    app,
    people: new Weighted([person], [1]),
    walk,
    agents: [
      rng.chance(0.5) ? at(['curl/8.4.0', 'PostmanRuntime/7.36.0', 'insomnia/8.5.1'], rng.below(3)) : sdkAgent(rng),
    ],
    sessionsPerHour: perDay / 24 / 4 / 0.5,
    length: 4,
    screens: 0.2,
    temper: 'give_up',
    elastic,
  })
}
