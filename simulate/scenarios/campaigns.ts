/** Operations that are seen only as a whole: very many keys far below their limits, keys behind proxies, keys on a busy pool. */
import type { Actor } from '#simulate/actor.ts'
import { sdkAgent } from '#simulate/agents.ts'
import { COUNTRIES } from '#simulate/addresses.ts'
import { anyUseCase, personalApp } from '#simulate/kinds.ts'
import { AnyOf, type Network } from '#simulate/networks.ts'
import type { Rng } from '#simulate/random.ts'
import { anyRhythm } from '#simulate/rhythm.ts'
import { randomRotation, roundRobin, shards, sticky } from '#simulate/rings.ts'
import { strangers } from '#simulate/scenarios/deployments.ts'
import { evidentAt, operate, type Openness, type Scheme, startingLate } from '#simulate/scenarios/operator.ts'
import { differentPeople, personalKey } from '#simulate/scenarios/pollers.ts'
import { type Scenario, type Staged, type Strength, violation, withheld } from '#simulate/scenarios/scenario.ts'
import { walkOf } from '#simulate/walks.ts'
import { type Credential, Worker } from '#simulate/worker.ts'
import { always } from '#simulate/rhythm.ts'
import type { World } from '#simulate/world.ts'

/** Keys of a campaign: a thousand on a large platform, fewer on a small one. */
function campaignSize(world: World, rng: Rng, strength: Strength): number {
  const share = strength === 'weak' ? rng.range(0.01, 0.03) : rng.range(0.02, 0.08)
  return Math.min(1_000, Math.max(20, Math.round(world.appsPlanned * share)))
}

/** Everybody's keys, each far below its limit, half of whose traffic is its owner's own. */
function campaign(world: World, rng: Rng, strength: Strength): Staged {
  const useCase = anyUseCase(world, rng)
  const count = campaignSize(world, rng, strength)
  const machines = Math.max(1, Math.round(count / (strength === 'strong' ? 12 : rng.range(3, 8))))
  const network = world.hosting.operated(rng, Math.min(200, machines))
  const walk = walkOf(rng, useCase, rng.between(2, 6))
  const agent = sdkAgent(rng)
  const perKeyPerDay = (strength === 'strong' ? rng.range(50, 120) : rng.range(25, 60)) * Math.max(0.5, world.load)
  const ownShare = strength === 'strong' ? rng.range(0.3, 0.5) : rng.range(0.4, 0.65)
  const keys = differentPeople(world, rng, count).map((person, index) => {
    const own = rng.fork(`key-${index}`)
    const app = personalKey(world, own, person, useCase, 0.15)
    const perDay = (perKeyPerDay * ownShare) / (1 - ownShare)
    const life = personalApp(world, own.fork('life'), { app, person, perDay, elastic: false })
    const credential: Credential = {
      app,
      network,
      agent: own.chance(world.conditions.agentHabit) ? agent : sdkAgent(own),
      user: person,
      walk: walk.jittered(own.fork('walk'), world.conditions.mixJitter),
    }
    return { app, credential, actors: life.actors }
  })
  const { curve, sinceMs } = startingLate(world, rng, always)
  const perHour = (perKeyPerDay * keys.length) / 24
  const workers = rng.between(1, 4)
  const jobs = Array.from({ length: workers }, (_, index): Actor => {
    const own = rng.fork(`worker-${index}`)
    const rule = own.below(3)
    return new Worker({
      rng: own.fork('job'),
      rhythm: anyRhythm(own.fork('rhythm'), world.span, perHour / workers, curve),
      walk,
      credentials: keys.map(({ credential }) => credential),
      ring:
        rule === 0
          ? roundRobin(own.fork('ring'), keys.length, 0.1)
          : rule === 1
            ? randomRotation(own.fork('ring'), keys.length)
            : sticky(own.fork('ring'), keys.length, 6, 4),
      temper: 'give_up',
      elastic: false,
    })
  })
  return {
    apps: keys.map(({ app }) => app),
    actors: [...jobs, ...keys.flatMap(({ actors }) => actors)],
    policy: ['end_user_supplied_keys', 'duplicate_apps_multiple_owners'],
    evidentAtMs: evidentAt(sinceMs, keys.length, perHour),
  }
}

/** Exits of a proxy service in people's homes and phones: another for each request, hardly any twice. */
function residentialProxies(world: World, rng: Rng, exits: number): Network {
  const prefixes = COUNTRIES.flatMap(({ fixed, mobile }) => fixed.concat(mobile))
  const ips = Array.from({ length: exits }, () => world.book.v4(prefixes))
  return new AnyOf(ips, rng.fork('proxies'))
}

/** Nothing in common but the users: addresses are a proxy service's, each key shows another agent and another name. */
function behindProxies(world: World, rng: Rng, strength: Strength): Staged {
  const users =
    strength === 'strong' ? rng.between(25, 80) : strength === 'medium' ? rng.between(12, 30) : rng.between(7, 14)
  const rule = rng.below(3)
  const scheme: Scheme = {
    owners: rng.chance(0.4) ? 'one' : 'many',
    temper: 'give_up',
    tokens: 'accounts',
    accounts: users,
    // Two apps without a measurable common user would be no fair violation.
    leastKeys: 3,
    ring: (own, count) => {
      if (rule === 0) return roundRobin(own, count, 0.1)
      return rule === 1 ? randomRotation(own, count) : sticky(own, count, 12, 3)
    },
    networks: (_world, own, open) => {
      const pool = residentialProxies(world, own, Math.round(own.lognormal(1_500, 0.7)))
      return Array.from({ length: open.apps }, () => pool)
    },
    agents: (own, apps) => apps.map(() => sdkAgent(own)),
  }
  return operate(world, rng, strength, scheme)
}

/** Keys whose requests leave through a busy pool; the strangers there outnumber them. */
function onBusyPool(world: World, rng: Rng, strength: Strength): Staged {
  const pool = world.hosting.provider(rng)
  const rule = rng.below(3)
  const staged = operate(world, rng, strength, {
    owners: rng.chance(0.5) ? 'one' : 'many',
    temper: rng.pick(['give_up', 'back_off']),
    ring: (own, count) => {
      if (rule === 0) return roundRobin(own, count, 0.1)
      return rule === 1 ? randomRotation(own, count) : shards(own, count, 0.05)
    },
    networks: (_world: World, own: Rng, open: Openness) =>
      Array.from({ length: open.apps }, (_, index) => pool(own.fork(`view-${index}`))),
  })
  const crowd = strangers(world, rng.fork('crowd'), Math.round(staged.apps.length * rng.range(1.5, 5)), (own) =>
    pool(own),
  )
  return { ...staged, actors: [...staged.actors, ...crowd.actors] }
}

export const CAMPAIGNS: readonly Scenario[] = [
  violation('rotation_behind_proxies', 'keys behind a proxy service that share nothing but users', behindProxies, {
    needs: { users: true },
  }),
  violation('operator_on_busy_pool', 'an operator behind a pool that more strangers use', onBusyPool),
  // Held out: no key and no pair of keys shows anything, only the whole does.
  ...withheld([
    violation(
      'key_campaign',
      'up to a thousand keys far below their limits, half of their traffic their own',
      campaign,
      {
        needs: { routes: 5 },
      },
    ),
  ]),
]
