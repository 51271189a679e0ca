/**
 * An operator who spreads one job over several applications. Every rotation scenario is this operator with another rule for
 * choosing the key; how openly it is done follows from the strength and is drawn anew for each group.
 */
import type { Actor, Temper } from '#simulate/actor.ts'
import { customAgent, sdkAgent } from '#simulate/agents.ts'
import type { App, Registration } from '#simulate/apps.ts'
import { anyCurve, anyUseCase, personalApp, publicDataApp, consumerApp, tinkering } from '#simulate/kinds.ts'
import { createdAt, domainOf, registration } from '#simulate/naming.ts'
import { Mixture, type Network } from '#simulate/networks.ts'
import type { Account, Person } from '#simulate/people.ts'
import { at, type Rng } from '#simulate/random.ts'
import { always, batches, between, type Curve, HOUR_MS, MINUTE_MS, type Rhythm, steady } from '#simulate/rhythm.ts'
import type { Ring } from '#simulate/rings.ts'
import type { Route } from '#simulate/routes.ts'
import type { UseCase } from '#simulate/use-cases.ts'
import { type RouteWalk, walkAround } from '#simulate/walks.ts'
import type { Staged, Strength } from '#simulate/scenarios/scenario.ts'
import { type Credential, Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

/** How openly a group works together; all shares 0..1. */
export interface Openness {
  readonly apps: number
  /** Requests that leave through addresses common to all keys. */
  readonly sharedNetwork: number
  readonly sharedAgent: boolean
  /** A shared agent is a string of the operator's own, rather than an SDK's default. */
  readonly customAgent: boolean
  /** Probability that an app is registered like its siblings: name, description, domain, date. */
  readonly likeness: number
  /** Part of an app's traffic that is its own and has nothing to do with the job. */
  readonly ownTraffic: number
  /** Use of the busiest route, in multiples of what one app may use. */
  readonly gain: number
}

/** Draws how openly a group of this strength works, in a world whose registries and habits are as honest as they are. */
export function openness(world: World, rng: Rng, strength: Strength): Openness {
  const open = usually(rng, strength)
  const { groupScale, likeness, agentHabit } = world.conditions
  const apps = Math.min(60, Math.max(2, Math.round(open.apps * groupScale)))
  return {
    ...open,
    apps,
    gain: Math.min(open.gain, Math.max(1.15, apps * 0.9)),
    likeness: open.likeness * likeness,
    sharedAgent: open.sharedAgent && rng.chance(agentHabit),
  }
}

function usually(rng: Rng, strength: Strength): Openness {
  if (strength === 'strong') {
    const count = rng.size(4.5, 0.5, 3, 20)
    return {
      apps: count,
      sharedNetwork: rng.chance(0.6) ? 1 : rng.range(0.85, 1),
      sharedAgent: rng.chance(0.95),
      customAgent: rng.chance(0.65),
      likeness: rng.range(0.6, 1),
      ownTraffic: rng.chance(0.6) ? 0 : rng.range(0, 0.08),
      gain: rng.range(1.8, Math.max(2, Math.min(6, count * 0.95))),
    }
  }
  if (strength === 'medium') {
    const count = rng.size(3.5, 0.4, 2, 9)
    return {
      apps: count,
      sharedNetwork: rng.range(0.4, 0.85),
      sharedAgent: rng.chance(0.7),
      customAgent: rng.chance(0.35),
      likeness: rng.range(0.15, 0.6),
      ownTraffic: rng.range(0.05, 0.35),
      gain: rng.range(1.3, Math.max(1.5, Math.min(3, count * 0.85))),
    }
  }
  return {
    apps: rng.size(2.6, 0.3, 2, 5),
    sharedNetwork: rng.range(0.03, 0.3),
    sharedAgent: rng.chance(0.3),
    customAgent: false,
    likeness: rng.range(0, 0.12),
    ownTraffic: rng.range(0.3, 0.65),
    gain: rng.range(1.15, 1.6),
  }
}

type TokenUse = 'app_only' | 'owner' | 'accounts'

export interface Scheme {
  readonly owners: 'one' | 'many'
  readonly temper: Temper
  /** `quota` is what one key may send to a route in a limit window. */
  readonly ring: (rng: Rng, count: number, quota: (route: Route) => number) => Ring
  readonly tokens?: TokenUse
  /** Keys at least. */
  readonly leastKeys?: number
  /** Accounts whose tokens go along, when `tokens` says so; one to three otherwise. */
  readonly accounts?: number
  /** Replaces the network of every key. */
  readonly networks?: (world: World, rng: Rng, open: Openness, owners: readonly Account[]) => readonly Network[]
  readonly agents?: (rng: Rng, apps: readonly App[]) => readonly string[]
  readonly switchMs?: number
  /** Bounds of the use in multiples of what ONE key may use, for each key: a rule that needs every key sets it. */
  readonly gainPerKey?: readonly [number, number]
}

/** A group may send at most about this many requests a day at load 1, so that no scenario swamps the platform. */
const PER_DAY_MAX = 4_000

/** Accounts that register the apps: people of the platform when hidden, accounts made for the purpose when open. */
export function ownersOf(world: World, rng: Rng, scheme: 'one' | 'many', count: number, open: Openness): Account[] {
  const someone = (): Account => (rng.chance(open.likeness) ? world.ids.account() : world.population.anyone.pick(rng))
  if (scheme === 'one') {
    const owner = someone()
    return Array.from({ length: count }, () => owner)
  }
  const owners: Account[] = []
  while (owners.length < count) {
    const before = owners.at(-1)
    const again = before !== undefined && owners.length >= 2 && rng.chance(0.15)
    const owner = again ? before : someone()
    if (again || !owners.includes(owner)) owners.push(owner)
  }
  return owners
}

/** One registration a key: alike with probability `likeness`, unrelated otherwise. */
export function registerKeys(
  world: World,
  rng: Rng,
  owners: readonly Account[],
  useCase: UseCase,
  likeness: number,
): App[] {
  const { startMs } = world.span
  const model = registration(rng, { owner: at(owners, 0), useCase, startMs, personal: false })
  const domain = domainOf(rng, model.name)
  const born = createdAt(rng, startMs - 2 * 86_400_000)
  const suffix = rng.pick([
    (n: number) => ` ${n}`,
    (n: number) => `${n}`,
    (n: number) => `-${n}`,
    (n: number) => ` ${'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.charAt(n % 26)}`,
    (n: number) => ` v${n}`,
  ])
  return owners.map((owner, index) => {
    const unrelated = registration(rng, { owner, useCase, startMs, personal: rng.chance(0.5) })
    if (!rng.chance(likeness)) return world.registry.register(unrelated)
    const alike: Registration = {
      owner,
      name: rng.chance(0.75) ? model.name + (index === 0 && rng.chance(0.5) ? '' : suffix(index + 1)) : unrelated.name,
      description: rng.chance(0.7) ? model.description : unrelated.description,
      website: rng.chance(0.6) ? `https://${domain}` : unrelated.website,
      callbackUrls: rng.chance(0.7) ? [`https://${domain}/callback`] : unrelated.callbackUrls,
      createdAtMs: Math.floor(born + rng.exponential(rng.chance(0.6) ? 4 * HOUR_MS : 20 * 24 * HOUR_MS)),
    }
    return world.registry.register({ ...alike, createdAtMs: Math.min(alike.createdAtMs, startMs - HOUR_MS) })
  })
}

/** The network of each key: common servers for the shared part, a place of its own for the rest. */
export function networksOf(world: World, rng: Rng, open: Openness): Network[] {
  const dedicated = 0.55 + 0.35 * open.sharedNetwork
  const common = rng.chance(dedicated)
    ? world.hosting.operated(rng, rng.size(1.8, 0.6, 1, 8))
    : world.hosting.anywhere(rng)
  if (open.sharedNetwork >= 1) return Array.from({ length: open.apps }, () => common)
  return Array.from({ length: open.apps }, (_, index) => {
    const own = rng.chance(0.7) ? world.hosting.server(rng) : world.hosting.anywhere(rng)
    return new Mixture(common, own, open.sharedNetwork, rng.fork(`mixture-${index}`))
  })
}

export function agentsOf(rng: Rng, open: Openness, apps: readonly App[]): string[] {
  const { name, website } = at(apps, 0).registration
  const common = open.customAgent ? customAgent(rng, name, website) : sdkAgent(rng)
  return apps.map((app) => {
    if (open.sharedAgent) return common
    return rng.chance(0.7) ? sdkAgent(rng) : customAgent(rng, app.registration.name, app.registration.website)
  })
}

/** A route on which `gain` times the limit stays affordable, and the requests an hour that make it so. */
export function jobAround(
  world: World,
  rng: Rng,
  useCase: UseCase,
  limitOfRoute: (route: Route) => number,
  gain: number,
): { walk: RouteWalk; perHour: number } {
  const hotShare = rng.range(0.5, 0.95)
  const perHourOf = (route: Route): number => (gain * limitOfRoute(route) * 4) / hotShare
  const affordable = world.routes.filter((route) => perHourOf(route) * 24 <= PER_DAY_MAX * world.load)
  const cheapest = world.routes.toSorted((left, right) => limitOfRoute(left) - limitOfRoute(right)).slice(0, 3)
  const hot = rng.pick(affordable.length > 0 ? affordable : cheapest)
  return { walk: walkAround(rng, hot, useCase, hotShare), perHour: perHourOf(hot) }
}

/** A job's rhythm: spread over the limit window, so that its use in each window is what the gain says. */
export function jobRhythm(rng: Rng, world: World, perHour: number, curve: Curve): Rhythm {
  if (rng.chance(0.55)) return steady(rng, world.span, perHour, curve)
  const everyMs = rng.pick([1, 1, 2, 5, 5, 10, 15]) * MINUTE_MS
  const size = (perHour * everyMs) / HOUR_MS
  const gapMs = rng.lognormal(900, 1)
  return batches(rng, world.span, {
    everyMs,
    phaseMs: rng.next() * everyMs,
    jitterMs: everyMs / 50,
    size,
    gapMs,
    curve,
  })
}

/** The part of an app's life that has nothing to do with the group. */
export function ownLife(world: World, rng: Rng, app: App, perDay: number): readonly Actor[] {
  if (perDay < 1) return []
  const kind = rng.pick([consumerApp, publicDataApp, personalApp])
  const { actors } = kind(world, rng, { app, perDay, elastic: false })
  // A key of an operation stays in the free tier whatever else it carries: its limit is what the operation is about.
  app.demands.length = 0
  return actors
}

function isPerson(world: World, account: Account): Person | undefined {
  return world.population.people[account.index - 1]?.id === account.id
    ? world.population.people[account.index - 1]
    : undefined
}

/** Owners trying their keys: from one home when one person is behind it all, each from their own otherwise. */
export function ownersTinker(world: World, rng: Rng, apps: readonly App[], walk: RouteWalk, oneHome: number): Actor[] {
  const operator = world.population.anyone.pick(rng)
  return apps
    .filter(() => rng.chance(0.4))
    .map((app) => {
      const person = rng.chance(oneHome) ? operator : (isPerson(world, app.owner) ?? world.population.anyone.pick(rng))
      return tinkering(rng, app, person, walk, rng.range(3, 15) * world.load, false)
    })
}

/** Requests of the job that each key has sent when what they have in common can be told from chance, about. */
const EVIDENT_REQUESTS_PER_KEY = 30

/** When `keys` keys that share `perHour` requests an hour since `sinceMs` have each sent enough; epoch milliseconds. */
export function evidentAt(sinceMs: number, keys: number, perHour: number): number {
  return sinceMs + Math.max(1, (EVIDENT_REQUESTS_PER_KEY * keys) / perHour) * HOUR_MS
}

/** Some operations begin in the course of the traffic rather than before it. */
export function startingLate(world: World, rng: Rng, curve: Curve): { curve: Curve; sinceMs: number } {
  const { startMs, endMs } = world.span
  if (!rng.chance(world.conditions.lateStart)) return { curve, sinceMs: startMs }
  const sinceMs = startMs + (endMs - startMs) * rng.range(0.05, 0.6)
  return { curve: between(sinceMs, endMs, curve), sinceMs }
}

function gainOf(rng: Rng, open: Openness, scheme: Scheme): number {
  if (scheme.gainPerKey === undefined) return open.gain
  const [low, high] = scheme.gainPerKey
  return Math.max(1.15, open.apps * rng.range(low, high))
}

/** Stages the whole operation. */
export function operate(world: World, rng: Rng, strength: Strength, scheme: Scheme): Staged {
  const drawn = openness(world, rng, strength)
  const open = { ...drawn, apps: Math.max(drawn.apps, scheme.leastKeys ?? 2) }
  const useCase = anyUseCase(world, rng)
  const owners = ownersOf(world, rng, scheme.owners, open.apps, open)
  const apps = registerKeys(world, rng, owners, useCase, open.likeness)
  const someToken = strength === 'weak' || rng.chance(0.5) ? 'owner' : 'accounts'
  const tokens = scheme.tokens ?? (rng.chance(0.5 * world.conditions.appOnly) ? 'app_only' : someToken)
  const accounts =
    tokens === 'accounts'
      ? Array.from({ length: scheme.accounts ?? rng.between(1, 3) }, () => world.population.anyone.pick(rng))
      : []
  const limitOfRoute = (route: Route): number =>
    tokens === 'app_only'
      ? route.appLimit
      : Math.min(route.allUsersLimit, route.userLimit * Math.max(1, accounts.length))
  const { walk, perHour } = jobAround(world, rng, useCase, limitOfRoute, gainOf(rng, open, scheme))
  const { curve, sinceMs } = startingLate(world, rng, rng.chance(0.4) ? always : anyCurve(world, rng))
  const networks = scheme.networks?.(world, rng, open, owners) ?? networksOf(world, rng, open)
  const agents = scheme.agents?.(rng, apps) ?? agentsOf(rng, open, apps)
  const credentials = apps.map((app, index): Credential => {
    return {
      app,
      network: at(networks, index),
      agent: at(agents, index),
      user: tokens === 'owner' ? app.owner : undefined,
      walk: walk.jittered(rng.fork(`walk-${index}`), world.conditions.mixJitter),
    }
  })
  const subjects = rng.fork('subjects')
  const job = new Worker({
    rng: rng.fork('job'),
    rhythm: jobRhythm(rng.fork('rhythm'), world, perHour, curve),
    walk,
    credentials,
    ring: scheme.ring(rng.fork('ring'), apps.length, limitOfRoute),
    temper: scheme.temper,
    elastic: false,
    ...(accounts.length > 0 ? { subject: () => subjects.pick(accounts) } : {}),
    ...(scheme.switchMs === undefined ? {} : { switchMs: scheme.switchMs }),
  })
  const perKeyPerDay = (perHour * 24 * 0.6) / apps.length
  const lives = apps.flatMap((app, index) => {
    const share = open.ownTraffic * rng.range(0.6, 1.3)
    return ownLife(world, rng.fork(`life-${index}`), app, (perKeyPerDay * share) / Math.max(0.2, 1 - share))
  })
  const policy =
    scheme.owners === 'one' ? (['duplicate_apps_single_owner'] as const) : (['duplicate_apps_multiple_owners'] as const)
  const actors = [job, ...lives, ...ownersTinker(world, rng, apps, walk, open.likeness)]
  return { apps, actors, policy, evidentAtMs: evidentAt(sinceMs, apps.length, perHour) }
}
