/** Single-user keys that ask at a period, as hosted tools do: the common ground of machine rooms and of honest deployments. */
import type { Actor } from '#simulate/actor.ts'
import type { App } from '#simulate/apps.ts'
import { anyTemper, anyUseCase } from '#simulate/kinds.ts'
import { registration } from '#simulate/naming.ts'
import type { Network } from '#simulate/networks.ts'
import type { Person } from '#simulate/people.ts'
import type { Rng } from '#simulate/random.ts'
import { batches, HOUR_MS, MINUTE_MS } from '#simulate/rhythm.ts'
import { single } from '#simulate/rings.ts'
import type { UseCase } from '#simulate/use-cases.ts'
import type { RouteWalk } from '#simulate/walks.ts'
import { Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

export interface Poll {
  readonly app: App
  readonly person: Person
  readonly network: Network
  readonly agent: string
  readonly walk: RouteWalk
  readonly everyMs: number
  readonly phaseMs: number | ((nowMs: number) => number)
  /** Standard deviation of a poll's start, milliseconds. */
  readonly jitterMs: number
  /** Mean requests a poll. */
  readonly size: number
  /** Share of polls that take place, 0..1. */
  readonly kept: number
  /** Median time between two requests of one poll, milliseconds. */
  readonly gapMs?: number
}

/** Periods that tools offer, minutes. */
const PERIODS_MINUTES = [1, 2, 3, 5, 5, 5, 10, 10, 10, 15, 15, 20, 30] as const
/** A key that polls sends at most about this many requests a day; its period comes first. */
const PER_DAY_MAX = 1_200

/** A period with at least `least` polls in 24 hours, milliseconds. */
export function anyPeriod(rng: Rng, least = 48): number {
  const fitting = PERIODS_MINUTES.filter((minutes) => 1_440 / minutes >= least)
  return rng.pick(fitting) * MINUTE_MS
}

/** Mean requests of one poll. */
export function anySize(rng: Rng, everyMs: number): number {
  return Math.max(1, Math.min(rng.range(1, 4), (PER_DAY_MAX * everyMs) / (24 * HOUR_MS)))
}

export function poller(world: World, rng: Rng, poll: Poll): Actor {
  const { app, person, network, agent, walk, everyMs, phaseMs, jitterMs, size, kept, gapMs } = poll
  const rhythm = batches(rng.fork('rhythm'), world.span, {
    everyMs,
    phaseMs,
    jitterMs,
    size,
    gapMs: gapMs ?? rng.lognormal(400, 0.5),
    curve: () => kept,
  })
  app.demands.push({ walk, perWindow: rhythm.perWindow, context: 'user', elastic: false })
  return new Worker({
    rng: rng.fork('work'),
    rhythm,
    walk,
    credentials: [{ app, network, agent, user: person }],
    ring: single(),
    temper: anyTemper(rng),
    elastic: false,
  })
}

/** A key that a person registered for themselves, for the use case or under any name at all. */
export function personalKey(world: World, rng: Rng, person: Person, useCase: UseCase, topical: number): App {
  return world.registry.register(
    registration(rng, {
      owner: person,
      useCase: rng.chance(topical) ? useCase : anyUseCase(world, rng),
      startMs: world.span.startMs,
      personal: true,
      careless: world.conditions.careless,
    }),
  )
}

/** `count` different people. */
export function differentPeople(world: World, rng: Rng, count: number): Person[] {
  const people = new Set<Person>()
  while (people.size < Math.min(count, world.population.people.length / 2))
    people.add(world.population.anyone.pick(rng))
  return [...people]
}
