/**
 * A vendor whose customers register applications of their own and hand over the keys (policy P5): many single-user apps, each
 * owned by its user, all driven from one machine room. In the borrowed variant the keys also live the life they were made for.
 */
import type { Actor } from '#simulate/actor.ts'
import { customAgent, sdkAgent } from '#simulate/agents.ts'
import type { App } from '#simulate/apps.ts'
import { anyTemper, anyUseCase, personalApp, tinkering } from '#simulate/kinds.ts'
import { brandName, registration } from '#simulate/naming.ts'
import { Mixture, type Network } from '#simulate/networks.ts'
import type { Person } from '#simulate/people.ts'
import type { Rng } from '#simulate/random.ts'
import { always, anyRhythm, batches, MINUTE_MS, type Rhythm, shift } from '#simulate/rhythm.ts'
import { single } from '#simulate/rings.ts'
import type { UseCase } from '#simulate/use-cases.ts'
import { type RouteWalk, walkOf } from '#simulate/walks.ts'
import { evidentAt } from '#simulate/scenarios/operator.ts'
import { type Scenario, type Staged, type Strength, violation } from '#simulate/scenarios/scenario.ts'
import { Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

interface Vendor {
  readonly useCase: UseCase
  readonly network: Network
  readonly walk: RouteWalk
  readonly agent: string
  /** Share of a customer's requests that leave from the vendor's machines, 0..1. */
  readonly shareAtVendor: number
  readonly rhythm: (rng: Rng, perHour: number) => Rhythm
}

/** Requests a day of a customer at load 1. */
const PER_DAY_MEDIAN = 330

/** Number of customers: more than ten on an address when open. */
function customersOf(rng: Rng, strength: Strength): number {
  if (strength === 'strong') return rng.between(9, 20)
  return strength === 'medium' ? rng.between(6, 11) : rng.between(5, 7)
}

function vendorOf(world: World, rng: Rng, strength: Strength): Vendor {
  const useCase = anyUseCase(world, rng)
  const machines =
    strength === 'strong' ? rng.between(1, 2) : strength === 'medium' ? rng.between(1, 5) : rng.between(3, 9)
  const open = strength === 'strong' ? 0.85 : strength === 'medium' ? 0.4 : 0.05
  const everyMs = rng.pick([2, 5, 10, 15, 30]) * MINUTE_MS
  const polls = rng.chance(0.6)
  return {
    useCase,
    network: world.hosting.operated(rng, machines),
    walk: walkOf(rng, useCase, rng.between(2, 7)),
    agent: rng.chance(open) ? customAgent(rng, brandName(rng), undefined) : sdkAgent(rng),
    shareAtVendor: strength === 'strong' ? 1 : strength === 'medium' ? rng.range(0.7, 1) : rng.range(0.4, 0.75),
    rhythm(own, perHour) {
      if (!polls) return anyRhythm(own, world.span, perHour, always)
      const size = (perHour * everyMs) / 3_600_000
      return batches(own, world.span, {
        everyMs,
        phaseMs: own.next() * everyMs,
        jitterMs: 2_000,
        size,
        gapMs: own.lognormal(500, 0.5),
        curve: always,
      })
    },
  }
}

/** One customer: registers a key under a name of their own taste, and the vendor works with it. */
function customer(
  world: World,
  rng: Rng,
  vendor: Vendor,
  person: Person,
  ownShare: number,
): { app: App; actors: Actor[] } {
  const { startMs } = world.span
  const app = world.registry.register(
    registration(rng, {
      owner: person,
      useCase: rng.chance(0.4) ? vendor.useCase : anyUseCase(world, rng),
      startMs,
      personal: true,
    }),
  )
  const perDay = rng.lognormal(PER_DAY_MEDIAN, 0.6) * world.load
  const own = rng.chance(0.5) ? person.home : world.hosting.server(rng)
  const network =
    vendor.shareAtVendor >= 1
      ? vendor.network
      : new Mixture(vendor.network, own, vendor.shareAtVendor, rng.fork('where'))
  const rhythm = vendor.rhythm(rng.fork('rhythm'), perDay / 24)
  const walk = vendor.walk.jittered(rng.fork('walk'), world.conditions.mixJitter)
  app.demands.push({ walk, perWindow: rhythm.perWindow, context: 'user', elastic: false })
  const work = new Worker({
    rng: rng.fork('work'),
    rhythm,
    walk,
    credentials: [{ app, network, agent: vendor.agent, user: person }],
    ring: single(),
    temper: anyTemper(rng),
    elastic: false,
  })
  const actors: Actor[] = [work]
  if (ownShare > 0) {
    const curve = shift(person.country.offsetHours, rng.range(0, 12), rng.range(8, 24))
    const options = { app, person, perDay: (perDay * ownShare) / (1 - ownShare), elastic: false, curve }
    actors.push(...personalApp(world, rng.fork('own'), options).actors)
  }
  if (rng.chance(0.35)) actors.push(tinkering(rng, app, person, vendor.walk, rng.range(1, 6) * world.load, false))
  return { app, actors }
}

function suppliedKeys(world: World, rng: Rng, strength: Strength, borrowed: boolean): Staged {
  const vendor = vendorOf(world, rng.fork('vendor'), strength)
  const people = new Set<Person>()
  const count = customersOf(rng, strength)
  while (people.size < count) people.add(world.population.anyone.pick(rng))
  const own = !borrowed
    ? (): number => 0
    : (): number =>
        strength === 'strong' ? rng.range(0.15, 0.4) : strength === 'medium' ? rng.range(0.3, 0.6) : rng.range(0.5, 0.8)
  const customers = [...people].map((person, index) =>
    customer(world, rng.fork(`customer-${index}`), vendor, person, own()),
  )
  return {
    apps: customers.map(({ app }) => app),
    actors: customers.flatMap(({ actors }) => actors),
    policy: ['end_user_supplied_keys'],
    evidentAtMs: evidentAt(world.span.startMs, count, (count * PER_DAY_MEDIAN * world.load) / 24),
  }
}

export const SUPPLIED_KEYS: readonly Scenario[] = [
  violation(
    'end_user_supplied_keys',
    "a vendor drives its customers' own keys from one machine room",
    (world, rng, strength) => suppliedKeys(world, rng, strength, false),
  ),
  violation('borrowed_keys', 'the same, and each key also does what its owner made it for', (world, rng, strength) =>
    suppliedKeys(world, rng, strength, true),
  ),
]
