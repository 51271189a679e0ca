/** One service for many people, its people dealt out over several applications (policy P4). */
import type { Actor } from '#simulate/actor.ts'
import { audienceAgents } from '#simulate/agents.ts'
import { Audience } from '#simulate/audience.ts'
import { anyUseCase, audienceOf } from '#simulate/kinds.ts'
import { activityAt, type Person } from '#simulate/people.ts'
import { at, type Rng, Weighted } from '#simulate/random.ts'
import { always } from '#simulate/rhythm.ts'
import { overlappingShards, shards } from '#simulate/rings.ts'
import {
  agentsOf,
  evidentAt,
  jobAround,
  jobRhythm,
  networksOf,
  openness,
  ownersOf,
  ownersTinker,
  ownLife,
  registerKeys,
  startingLate,
} from '#simulate/scenarios/operator.ts'
import { type Scenario, type Staged, type Strength, violation } from '#simulate/scenarios/scenario.ts'
import { type Credential, Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

/** Share of users that were moved to another shard at some time, 0..1. */
function straysOf(rng: Rng, strength: Strength): number {
  return strength === 'strong' ? rng.range(0, 0.01) : strength === 'medium' ? rng.range(0, 0.05) : rng.range(0.02, 0.15)
}

/** Some services also have an app on people's phones, which signs with the key of the person's shard. */
function phones(
  world: World,
  rng: Rng,
  credentials: readonly Credential[],
  people: Weighted<Person>,
  perDay: number,
): Actor[] {
  const ring = shards(rng, credentials.length, 0)
  const byShard = Map.groupBy(people.items, (person) => ring.choose(0, at(world.routes, 0), person.index))
  const useCase = anyUseCase(world, rng)
  const { walk } = jobAround(world, rng, useCase, (route) => route.allUsersLimit, 0.5)
  const agents = audienceAgents(rng, at(credentials, 0).app.registration.name, world.conditions.agentsMost)
  return [...byShard].map(([shard, members]) => {
    return new Audience({
      rng: rng.fork(`phones-${shard}`),
      app: at(credentials, shard).app,
      people: new Weighted(
        members,
        members.map(() => 1),
      ),
      walk,
      agents,
      sessionsPerHour: perDay / credentials.length / 24 / 5 / 0.5,
      length: 5,
      screens: world.conditions.screens,
      temper: 'give_up',
      elastic: false,
    })
  })
}

function shardedService(
  world: World,
  rng: Rng,
  strength: Strength,
  owners: 'one' | 'many',
  overlapping = false,
): Staged {
  const open = openness(world, rng, strength)
  const useCase = anyUseCase(world, rng)
  const apps = registerKeys(world, rng, ownersOf(world, rng, owners, open.apps, open), useCase, open.likeness)
  // A shard's limit is the one over all its users; the service as a whole needs `gain` times that.
  const { walk, perHour } = jobAround(world, rng, useCase, (route) => route.allUsersLimit, Math.min(4, open.gain))
  const people = audienceOf(world, rng, Math.max(perHour * 24, 500 * open.apps))
  const networks = networksOf(world, rng, open)
  const agents = agentsOf(rng, open, apps)
  const credentials = apps.map((app, index): Credential => ({
    app,
    network: at(networks, index),
    agent: at(agents, index),
    user: undefined,
    walk: walk.jittered(rng.fork(`walk-${index}`), world.conditions.mixJitter),
  }))
  const offset = world.population.anyone.pick(rng).country.offsetHours
  const daily = rng.chance(0.5) ? always : (atMs: number): number => activityAt(atMs, offset)
  const { curve, sinceMs } = startingLate(world, rng, daily)
  const subjects = rng.fork('subjects')
  const service = new Worker({
    rng: rng.fork('service'),
    rhythm: jobRhythm(rng.fork('rhythm'), world, perHour, curve),
    walk,
    credentials,
    ring: overlapping
      ? overlappingShards(rng.fork('shards'), apps.length, rng.between(2, 3))
      : shards(rng.fork('shards'), apps.length, straysOf(rng, strength)),
    temper: rng.pick(['give_up', 'back_off', 'wait']),
    elastic: false,
    subject: () => people.pick(subjects),
  })
  const perAppPerDay = (perHour * 24 * 0.7) / apps.length
  const lives = apps.flatMap((app, index) =>
    ownLife(world, rng.fork(`life-${index}`), app, perAppPerDay * open.ownTraffic * 0.7),
  )
  const onPhones = rng.chance(0.4)
    ? phones(world, rng.fork('phones'), credentials, people, perHour * 24 * rng.range(0.05, 0.3))
    : []
  const duplicate = owners === 'one' ? 'duplicate_apps_single_owner' : 'duplicate_apps_multiple_owners'
  return {
    apps,
    actors: [service, ...lives, ...onPhones, ...ownersTinker(world, rng, apps, walk, open.likeness)],
    policy: ['service_sharded_across_apps', duplicate],
    evidentAtMs: evidentAt(sinceMs, apps.length, perHour),
  }
}

export const SHARDING: readonly Scenario[] = [
  violation(
    'sharded_service_single_owner',
    'one owner deals the users of one service out over several apps',
    (world, rng, strength) => shardedService(world, rng, strength, 'one'),
  ),
  violation(
    'sharded_service_multiple_owners',
    'the same, the apps registered to several accounts',
    (world, rng, strength) => shardedService(world, rng, strength, 'many'),
  ),
  violation(
    'sharded_service_overlapping',
    'one service whose users are each served through several of its apps',
    (world, rng, strength) => shardedService(world, rng, strength, rng.chance(0.5) ? 'one' : 'many', true),
    { needs: { users: true } },
  ),
]
