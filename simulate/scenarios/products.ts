/**
 * Look-alikes by people and products: shared users, owners or code without shared use. Each stands for an entry of
 * "not violations" in docs/policy.md.
 */
import type { Actor } from '#simulate/actor.ts'
import { customAgent, sdkAgent } from '#simulate/agents.ts'
import type { App } from '#simulate/apps.ts'
import {
  anyTemper,
  anyUseCase,
  audienceOf,
  type Cast,
  consumerApp,
  personalApp,
  publicDataApp,
  serviceApp,
} from '#simulate/kinds.ts'
import { brandName, domainOf, personalName, productName, registration } from '#simulate/naming.ts'
import type { Person } from '#simulate/people.ts'
import { at, type Rng, Weighted, zipfWeights } from '#simulate/random.ts'
import { anyRhythm, always, between } from '#simulate/rhythm.ts'
import { single, type Ring } from '#simulate/rings.ts'
import { walkAround, walkOf } from '#simulate/walks.ts'
import { lookalike, type Scenario, together } from '#simulate/scenarios/scenario.ts'
import { Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

function weighted(people: readonly Person[], rng: Rng): Weighted<Person> {
  return new Weighted(people, zipfWeights(people.length, rng.range(0.2, 0.8)))
}

/** The same few popular people on many apps, from their own homes: they share users and addresses and nothing else. */
function popularUsers(world: World, rng: Rng): Cast {
  const { population } = world
  const stars = new Set<Person>()
  const count = rng.between(15, 60)
  for (let tries = 0; stars.size < count && tries < 2_000; tries += 1) stars.add(population.anyone.pick(rng))
  return together(
    Array.from({ length: rng.between(5, 12) }, (_, index) => {
      const own = rng.fork(`app-${index}`)
      const some = own.sample([...stars], Math.ceil(stars.size * own.range(0.4, 0.95)))
      return consumerApp(world, own, {
        perDay: own.lognormal(260, 0.8) * world.load,
        elastic: false,
        people: weighted(some, own),
      })
    }),
  )
}

/** One service that everybody of a circle connects (a login, an archive, a planner), beside the apps that circle uses. */
function aggregator(world: World, rng: Rng): Cast {
  const circle = audienceOf(world, rng, rng.range(1_500, 4_000))
  const hub = serviceApp(world, rng.fork('hub'), {
    perDay: rng.lognormal(1_800, 0.5) * world.load,
    elastic: false,
    people: circle,
  })
  const others = Array.from({ length: rng.between(4, 9) }, (_, index) => {
    const own = rng.fork(`app-${index}`)
    const some = own.sample(circle.items, Math.max(3, Math.round(circle.items.length * own.range(0.15, 0.6))))
    const kind = own.chance(0.7) ? consumerApp : serviceApp
    return kind(world, own, {
      perDay: own.lognormal(250, 0.7) * world.load,
      elastic: false,
      people: weighted(some, own),
    })
  })
  return together([hub, ...others])
}

/** One owner's really different products: other routes, other people, other names, the same servers. */
function differentProducts(world: World, rng: Rng): Cast {
  const owner = world.ids.account()
  const servers = world.hosting.operated(rng, rng.between(1, 4))
  const agent = rng.chance(0.5) ? { agent: sdkAgent(rng) } : {}
  const useCases = rng.sample(world.useCases, rng.between(2, 4))
  // One house, one brand: names and sites are alike, and that is no offence.
  const brand = rng.chance(0.5) ? brandName(rng) : undefined
  const domain = domainOf(rng, brand ?? 'studio')
  return together(
    useCases.map((useCase, index) => {
      const own = rng.fork(`product-${index}`)
      const kind = own.pick([serviceApp, publicDataApp, serviceApp])
      const perDay = own.lognormal(500, 0.8) * world.load
      const house = brand === undefined ? {} : { name: `${brand} ${own.pick(useCase.nouns)}`, domain }
      return kind(world, own, { perDay, elastic: false, owner, useCase, network: servers, ...agent, ...house })
    }),
  )
}

/** Several companies that sell the same thing to overlapping customers, each from its own servers. */
function competitors(world: World, rng: Rng): Cast {
  const useCase = anyUseCase(world, rng)
  const market = audienceOf(world, rng, rng.range(1_200, 5_000))
  const routes = walkOf(rng, useCase, rng.between(3, 8))
  return together(
    Array.from({ length: rng.between(2, 4) }, (_, index) => {
      const own = rng.fork(`company-${index}`)
      const customers = own.sample(market.items, Math.max(4, Math.round(market.items.length * own.range(0.3, 0.85))))
      const people = weighted(customers, own)
      const perDay = own.lognormal(900, 0.6) * world.load
      // Buyers of the same feature ask for the same routes: half of the companies even use the same library for it.
      const walk = own.chance(0.6) ? { walk: routes } : {}
      const kind = own.chance(0.7) ? serviceApp : consumerApp
      return kind(world, own, {
        perDay,
        elastic: false,
        useCase,
        people,
        network: world.hosting.fleet(own, own.between(1, 5)),
        ...walk,
      })
    }),
  )
}

/** A program that people download and run at home or on a server of their own, each with a key of their own. */
function selfHosted(world: World, rng: Rng): Cast {
  const useCase = anyUseCase(world, rng)
  const tool = brandName(rng)
  const walk = walkOf(rng, useCase, rng.between(2, 7))
  const versions = Array.from({ length: rng.between(1, 4) }, () => customAgent(rng, tool, undefined))
  return together(
    Array.from({ length: rng.between(6, 18) }, (_, index) => {
      const own = rng.fork(`host-${index}`)
      const person = world.population.anyone.pick(own)
      const network = own.chance(0.65) ? person.home : world.hosting.server(own)
      const name = own.chance(0.4)
        ? { name: own.pick([tool, `my ${tool}`, `${tool.toLowerCase()}-${own.below(100)}`]) }
        : { name: personalName(own, useCase) }
      const perDay = own.lognormal(260, 0.7) * world.load
      return personalApp(world, own, {
        perDay,
        elastic: false,
        useCase,
        person,
        network,
        walk: walk.jittered(own.fork('walk'), world.conditions.mixJitter),
        agent: own.pick(versions),
        ...name,
      })
    }),
  )
}

interface Move {
  readonly old: App
  readonly successor: App
  readonly people: Weighted<Person>
  readonly perDay: number
}

function registerMove(world: World, rng: Rng): Move {
  const useCase = anyUseCase(world, rng)
  const owner = world.ids.account()
  const { startMs } = world.span
  const name = productName(rng, useCase)
  const before = registration(rng, { owner, useCase, startMs, personal: false, name })
  const renamed = rng.pick([`${name} 2`, `New ${name}`, `${name} v2`, productName(rng, useCase), `${name} Next`])
  const after = {
    ...before,
    name: renamed,
    createdAtMs: Math.max(before.createdAtMs, startMs - rng.below(20) * 86_400_000 - 3_600_000),
  }
  const perDay = rng.lognormal(1_500, 0.6) * world.load
  return {
    old: world.registry.register(before),
    successor: world.registry.register(after),
    people: audienceOf(world, rng, perDay),
    perDay,
  }
}

/** The server's half of a move: `moved` says whether a user is on the successor by now. */
function movingServer(world: World, rng: Rng, move: Move, moved: (subject: number, nowMs: number) => boolean): Worker {
  const useCase = anyUseCase(world, rng)
  const network = world.hosting.fleet(rng, rng.between(1, 4))
  const walk = walkOf(rng, useCase)
  const rhythm = anyRhythm(rng.fork('rhythm'), world.span, move.perDay / 24, always)
  const agents = rng.chance(0.5)
    ? [sdkAgent(rng)]
    : [
        customAgent(rng, move.old.registration.name, undefined),
        customAgent(rng, move.successor.registration.name, undefined),
      ]
  for (const app of [move.old, move.successor])
    app.demands.push({ walk, perWindow: rhythm.perWindow, context: 'all_users', elastic: false })
  const ring: Ring = { choose: (nowMs, _route, subject) => (moved(subject, nowMs) ? 1 : 0), refused: () => true }
  const subjects = rng.fork('subjects')
  return new Worker({
    rng: rng.fork('work'),
    rhythm,
    walk,
    credentials: [move.old, move.successor].map((app, index) => ({
      app,
      network,
      agent: agents[index] ?? at(agents, 0),
      user: undefined,
    })),
    ring,
    temper: anyTemper(rng),
    elastic: false,
    subject: () => move.people.pick(subjects),
  })
}

function within(world: World, share: number): number {
  return world.span.startMs + (world.span.endMs - world.span.startMs) * share
}

/** A move at one moment: the old app falls silent as the new one starts. */
function abruptMove(world: World, rng: Rng): Cast {
  const move = registerMove(world, rng)
  const whenMs = within(world, rng.range(0.25, 0.75))
  const apps = [move.old, move.successor]
  if (rng.chance(0.5)) return { apps, actors: [movingServer(world, rng, move, (_subject, nowMs) => nowMs >= whenMs)] }
  const walk = walkOf(rng, anyUseCase(world, rng))
  const parts = apps.map((app, index) => {
    const curve = index === 0 ? between(world.span.startMs, whenMs, always) : between(whenMs, world.span.endMs, always)
    return consumerApp(world, rng.fork(`part-${index}`), {
      app,
      perDay: move.perDay,
      elastic: false,
      people: move.people,
      walk,
      curve,
    })
  })
  return { apps, actors: parts.flatMap((part) => part.actors) }
}

/** A move user by user: each goes over at a time of its own and does not come back. */
function gradualMove(world: World, rng: Rng): Cast {
  const move = registerMove(world, rng)
  const fromMs = within(world, rng.range(-0.3, 0.3))
  const toMs = within(world, rng.range(0.7, 1.3))
  const salt = rng.below(1_000_000)
  const moved = (subject: number, nowMs: number): boolean => {
    const turn = (Math.imul(subject + salt, 0x9e37_79b1) >>> 0) / 4_294_967_296
    return nowMs >= fromMs + (toMs - fromMs) * turn
  }
  return { apps: [move.old, move.successor], actors: [movingServer(world, rng, move, moved)] }
}

/** One app that wants more than it may have, and takes the refusals. */
function loneThrottled(world: World, rng: Rng): Cast {
  const useCase = anyUseCase(world, rng)
  const owner = world.population.anyone.pick(rng)
  const app = world.registry.register(
    registration(rng, { owner, useCase, startMs: world.span.startMs, personal: rng.chance(0.5) }),
  )
  const tight = world.routes.toSorted((left, right) => left.appLimit - right.appLimit).slice(0, 12)
  const walk = walkAround(rng, rng.pick(tight), useCase, rng.range(0.5, 0.95))
  const perHour = (walk.hot.appLimit * 4 * rng.range(1.3, 3.5)) / walk.hotShare
  const worker: Actor = new Worker({
    rng: rng.fork('work'),
    rhythm: anyRhythm(rng.fork('rhythm'), world.span, perHour, always),
    walk,
    credentials: [{ app, network: world.hosting.anywhere(rng), agent: sdkAgent(rng), user: undefined }],
    ring: single(),
    temper: rng.pick(['hammer', 'back_off', 'wait', 'give_up']),
    elastic: false,
  })
  return { apps: [app], actors: [worker] }
}

export const PRODUCTS: readonly Scenario[] = [
  lookalike('popular_users', 'popular people who use many apps', popularUsers),
  lookalike('aggregator', 'a service that everybody of a circle connects, and the apps they use', aggregator),
  lookalike('different_products', "one owner's really different products on the same servers", differentProducts, {
    copies: 2,
    needs: { routes: 12 },
  }),
  lookalike('competitors', 'the same routes and overlapping customers', competitors, { copies: 2 }),
  lookalike('self_hosted_tool', 'a tool that each person runs at home with a key of their own', selfHosted),
  lookalike('successor_abrupt', 'a move from an old app to its successor at one moment', abruptMove, { copies: 2 }),
  lookalike('successor_gradual', 'a move from an old app to its successor, user by user', gradualMove, { copies: 2 }),
  lookalike('lone_throttled', 'an app throttled all by itself', loneThrottled, { copies: 4 }),
]
