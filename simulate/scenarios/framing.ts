/**
 * Framing: a rival makes an innocent app look like part of his operation. He can do anything to his own apps and nothing to the
 * victim's, whose traffic is the same with and without him; no finding may name the victim as an operator.
 *
 * As look-alikes the rival has one app of his own, and nobody breaks a rule. As violations he runs a ring, which has to be found
 * without the victim.
 */
import { type Actor, callerOf, type Gate } from '#simulate/actor.ts'
import { customAgent, sdkAgent } from '#simulate/agents.ts'
import type { App } from '#simulate/apps.ts'
import { anyUseCase } from '#simulate/kinds.ts'
import { registration } from '#simulate/naming.ts'
import type { Network } from '#simulate/networks.ts'
import type { Person } from '#simulate/people.ts'
import { type Rng, Weighted } from '#simulate/random.ts'
import { always, batches, episodes, HOUR_MS, MINUTE_MS } from '#simulate/rhythm.ts'
import { randomRotation, single } from '#simulate/rings.ts'
import { strangers } from '#simulate/scenarios/deployments.ts'
import { evidentAt } from '#simulate/scenarios/operator.ts'
import { copiedApp, copycats, type Copy, type Victim, victimOf } from '#simulate/scenarios/rival.ts'
import {
  lookalike,
  type Scenario,
  type Staged,
  type Strength,
  violation,
  withheld,
} from '#simulate/scenarios/scenario.ts'
import { type RouteWalk, walkOf } from '#simulate/walks.ts'
import { Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

type Trick = 'copy' | 'same_host' | 'same_pool' | 'users'

/** Where the victim lives, and where the rival goes. */
function places(
  world: World,
  rng: Rng,
  trick: Trick,
): { victim: Network; rival: Network; residents: (own: Rng) => Network } {
  const { hosting, population } = world
  if (trick === 'same_host') {
    const host = hosting.failing(rng, hosting.server(rng))
    return { victim: host, rival: host, residents: () => host }
  }
  if (trick === 'same_pool') {
    const vpn = rng.pick(population.vpns)
    const pool = rng.chance(0.5) ? hosting.provider(rng) : (): Network => vpn
    return { victim: pool(rng.fork('victim')), rival: pool(rng.fork('rival')), residents: (own) => pool(own) }
  }
  return {
    victim: hosting.fleet(rng, rng.between(1, 3)),
    rival: hosting.fleet(rng, rng.between(1, 3)),
    residents: (own) => hosting.server(own),
  }
}

/** Some of the victim's users who let the rival's app in as well, beside the rival's own. */
function wonOver(world: World, rng: Rng, victim: Victim): Weighted<Person> {
  const theirs = victim.people?.items ?? []
  const won = rng.sample(theirs, Math.max(3, Math.round(theirs.length * rng.range(0.05, 0.3))))
  const own = Array.from({ length: Math.round(won.length * rng.range(0.3, 3)) }, () =>
    world.population.anyone.pick(rng),
  )
  const all = [...new Set([...won, ...own])]
  return new Weighted(
    all,
    all.map(() => 1),
  )
}

function framed(world: World, rng: Rng, trick: Trick, keys: number): Staged {
  const place = places(world, rng.fork('places'), trick)
  const victim = victimOf(world, rng.fork('victim'), {
    network: place.victim,
    withPeople: trick === 'users' || rng.chance(0.5),
  })
  const copy: Copy = {
    network: place.rival,
    volume: rng.range(1, 8),
    ...(trick === 'users' ? { people: wonOver(world, rng.fork('won'), victim) } : {}),
  }
  const rival = copycats(world, rng.fork('rival'), victim, keys, copy)
  // A shared place has strangers, few or many.
  const shared = trick === 'same_host' || trick === 'same_pool'
  const others = shared ? strangers(world, rng.fork('residents'), rng.between(3, 24), place.residents).actors : []
  const actors = [victim.actor, rival.actor, ...others]
  const victims = [victim.app]
  if (keys === 1) return { apps: [victim.app, ...rival.apps], actors, victims, policy: [] }
  const perHour = (victim.perDay * copy.volume) / 24
  const evidentAtMs = evidentAt(world.span.startMs, keys, Math.max(perHour, 6 * keys))
  return {
    apps: rival.apps,
    actors,
    victims,
    policy: ['duplicate_apps_multiple_owners', 'service_sharded_across_apps'],
    evidentAtMs,
  }
}

/** One request of the rival's, some seconds after the victim's. */
function echo(send: (gate: Gate) => void): Actor {
  return {
    elastic: false,
    load: () => 0,
    start: () => Number.POSITIVE_INFINITY,
    wake(_nowMs, gate) {
      send(gate)
      return Number.POSITIVE_INFINITY
    },
  }
}

/** The rival follows two seconds behind the victim, or begins a spell of his own whenever the victim's ends. */
function follower(world: World, rng: Rng): Staged {
  const network = world.hosting.server(rng)
  const pace = rng.fork('pace')
  const delayMs = rng.range(1_000, 4_000)
  const follows = rng.range(0.6, 1)
  const { startMs, endMs } = world.span
  const curve = rng.chance(0.6) ? episodes(rng, startMs, endMs, 9 * MINUTE_MS, 25 * MINUTE_MS) : undefined
  const shadow: { app?: App } = {}
  const victim: Victim = victimOf(world, rng.fork('victim'), {
    network: world.hosting.server(rng),
    withPeople: false,
    ...(curve === undefined ? {} : { curve }),
    onSent(nowMs, route, gate) {
      const { app } = shadow
      if (app === undefined || !pace.chance(follows)) return
      const caller = callerOf(gate.logged, app, undefined, network.address(nowMs), victim.agent)
      gate.spawn(
        echo((present) => void present.send(route, caller)),
        nowMs + pace.lognormal(delayMs, 0.2),
      )
    },
  })
  const rival = copiedApp(world, rng.fork('copy'), victim, 0)
  // The copy is made after the original, and only then is there anybody to follow.
  shadow.app = rival
  rival.demands.push(...victim.app.demands)
  return { apps: [victim.app, rival], actors: [victim.actor], victims: [victim.app], policy: [] }
}

/** A thief's program that signs with keys which live elsewhere. */
function thief(world: World, rng: Rng, keys: readonly App[], perHour: number, walk: RouteWalk): Actor {
  const network = world.hosting.operated(rng, rng.between(1, 3))
  const agent = rng.chance(0.5) ? sdkAgent(rng) : customAgent(rng, 'collector', undefined)
  const everyMs = rng.pick([1, 2, 5]) * MINUTE_MS
  const size = (perHour * everyMs) / HOUR_MS
  const options = {
    everyMs,
    phaseMs: rng.next() * everyMs,
    jitterMs: 2_000,
    size,
    gapMs: rng.lognormal(900, 0.8),
    curve: always,
  }
  return new Worker({
    rng: rng.fork('work'),
    rhythm: batches(rng.fork('rhythm'), world.span, options),
    walk,
    credentials: keys.map((app) => ({ app, network, agent, user: undefined })),
    ring: keys.length === 1 ? single() : randomRotation(rng.fork('ring'), keys.length),
    temper: 'give_up',
    elastic: false,
  })
}

/** A key is stolen and used from a foreign network, for something its owner does not do. */
function stolenKey(world: World, rng: Rng): Staged {
  const victim = victimOf(world, rng.fork('victim'), {
    network: world.hosting.fleet(rng, rng.between(1, 3)),
    withPeople: rng.chance(0.6),
  })
  const walk = walkOf(rng, anyUseCase(world, rng), rng.between(1, 4))
  const perHour = Math.max(4, (victim.perDay / 24) * rng.range(0.2, 1.5))
  return {
    apps: [victim.app],
    actors: [victim.actor, thief(world, rng, [victim.app], perHour, walk)],
    victims: [victim.app],
    policy: [],
  }
}

/** A ring of the thief's own keys that stolen ones help out. */
function ringWithStolenKeys(world: World, rng: Rng, strength: Strength): Staged {
  const victims = Array.from({ length: rng.between(1, 3) }, (_, index) => {
    const own = rng.fork(`victim-${index}`)
    return victimOf(world, own, { network: world.hosting.fleet(own, own.between(1, 3)), withPeople: own.chance(0.6) })
  })
  const useCase = anyUseCase(world, rng)
  const count = strength === 'strong' ? rng.between(4, 8) : strength === 'medium' ? rng.between(3, 5) : 3
  const apps = Array.from({ length: count }, () =>
    world.registry.register(
      registration(rng, { owner: world.ids.account(), useCase, startMs: world.span.startMs, personal: true }),
    ),
  )
  const stolen = victims.map(({ app }) => app)
  const walk = walkOf(rng, useCase, rng.between(2, 5))
  const perHour = (strength === 'weak' ? 8 : 16) * (count + stolen.length) * Math.max(0.5, world.load)
  return {
    apps,
    actors: [...victims.map(({ actor }) => actor), thief(world, rng, [...apps, ...stolen], perHour, walk)],
    victims: stolen,
    policy: ['duplicate_apps_multiple_owners'],
    evidentAtMs: evidentAt(world.span.startMs, count + stolen.length, perHour),
  }
}

const RING_TRICKS: readonly Trick[] = ['copy', 'same_host', 'same_pool', 'users']

function ringOf(rng: Rng, strength: Strength): number {
  return strength === 'strong' ? rng.between(4, 9) : strength === 'medium' ? rng.between(3, 6) : rng.between(3, 4)
}

const hard = { worlds: ['hard', 'benign'] } as const

export const FRAMING: readonly Scenario[] = [
  lookalike(
    'framed_copy',
    "a rival copies an app's mix, agent and name",
    (world, rng) => framed(world, rng, 'copy', 1),
    { needs: hard },
  ),
  lookalike(
    'framed_same_host',
    'and moves to the host that the app shares with strangers',
    (world, rng) => framed(world, rng, 'same_host', 1),
    { needs: hard },
  ),
  lookalike(
    'framed_same_pool',
    'and moves to the VPN or cloud pool that the app uses',
    (world, rng) => framed(world, rng, 'same_pool', 1),
    { needs: hard },
  ),
  lookalike('framed_follower', 'and follows seconds behind the app', follower, { needs: hard }),
  lookalike('stolen_key', 'a stolen key is used from a foreign network', stolenKey, { needs: hard }),
  violation(
    'ring_frames_rival',
    'a ring that copies an innocent app to draw it in',
    (world, rng, strength) => framed(world, rng, rng.pick(RING_TRICKS), ringOf(rng, strength)),
    { needs: hard },
  ),
  // Held out: two of the attacks, so that a defence against framing is measured on one that it was not built for.
  ...withheld([
    lookalike('framed_users', "and wins over some of the app's users", (world, rng) => framed(world, rng, 'users', 1), {
      needs: { ...hard, users: true },
    }),
    violation('ring_with_stolen_keys', 'a ring that stolen keys help out', ringWithStolenKeys, { needs: hard }),
  ]),
]
