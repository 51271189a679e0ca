/** Development, staging and production instances of one service (policy P6): kept to the letter, and misused. */
import type { PolicyCode } from '#schemas/finding.ts'
import { sdkAgent } from '#simulate/agents.ts'
import { anyTemper } from '#simulate/kinds.ts'
import type { Network } from '#simulate/networks.ts'
import { activityAt, type Person } from '#simulate/people.ts'
import { at, type Rng, Weighted } from '#simulate/random.ts'
import { always, anyRhythm } from '#simulate/rhythm.ts'
import { randomRotation, type Ring, roundRobin, shards } from '#simulate/rings.ts'
import { walkAround } from '#simulate/walks.ts'
import {
  compliant,
  type Instance,
  lowLoad,
  proper,
  registerInstance,
  type Service,
  serviceOf,
} from '#simulate/scenarios/instances.ts'
import { evidentAt, jobAround } from '#simulate/scenarios/operator.ts'
import { exempt, type Scenario, type Staged, type Strength, violation } from '#simulate/scenarios/scenario.ts'
import { ENVIRONMENT_WORDS } from '#simulate/words.ts'
import { Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

interface Misuse {
  readonly instances: readonly Instance[]
  readonly owners: 'one' | 'many'
  /** Share of the load on other keys than the first, 0..1; at 0 they only see tests. */
  readonly spread: number
}

/** How much production load the other instances carry. */
function spreadOf(rng: Rng, strength: Strength): number {
  return strength === 'strong'
    ? rng.range(0.55, 0.67)
    : strength === 'medium'
      ? rng.range(0.35, 0.55)
      : rng.range(0.15, 0.3)
}

/** Credentials on the service's servers; the more hidden, the more instances have a server of their own. */
function instanceNetworks(world: World, rng: Rng, service: Service, count: number, strength: Strength): Network[] {
  const apart = strength === 'strong' ? 0 : strength === 'medium' ? 0.3 : 0.75
  return Array.from({ length: count }, (_, index) =>
    index > 0 && rng.chance(apart) ? world.hosting.server(rng) : service.servers,
  )
}

/** The first instance carries most, the others `spread` (0..1) of the load between them. */
function mainlyFirst(rng: Rng, count: number, spread: number): Ring {
  const even = rng.pick([
    roundRobin(rng.fork('ring'), count, 0.1),
    randomRotation(rng.fork('ring'), count),
    shards(rng.fork('ring'), count, 0.01),
  ])
  const mainly = rng.fork('mainly')
  const rest = (spread * count) / Math.max(1, count - 1)
  return {
    choose: (nowMs, route, subject) => (mainly.chance(rest) ? even.choose(nowMs, route, subject) : 0),
    refused: () => true,
  }
}

function misuse(world: World, rng: Rng, strength: Strength, options: Misuse): Staged {
  const service = serviceOf(world, rng)
  const owners = options.instances.map((_, index) =>
    options.owners === 'many' && index > 0 ? world.population.anyone.pick(rng) : service.owner,
  )
  const apps = options.instances.map((instance, index) =>
    registerInstance(world, rng, service, instance, at(owners, index)),
  )
  const withUsers = rng.chance(0.5)
  const gain = Math.min(apps.length * 0.9, strength === 'strong' ? 2.2 : strength === 'medium' ? 1.6 : 1.2)
  const { walk: base, perHour } = jobAround(
    world,
    rng,
    service.useCase,
    (route) => (withUsers ? route.allUsersLimit : route.appLimit),
    gain,
  )
  const walk = walkAround(rng, base.hot, service.useCase, base.hotShare)
  const networks = instanceNetworks(world, rng, service, apps.length, strength)
  const apart = strength === 'weak' && rng.chance(0.4)
  const credentials = apps.map((app, index) => ({
    app,
    network: at(networks, index),
    agent: apart ? sdkAgent(rng) : service.agent,
    user: undefined,
    walk: walk.jittered(rng.fork(`walk-${index}`), world.conditions.mixJitter),
  }))
  const offset = world.population.anyone.pick(rng).country.offsetHours
  const curve = rng.chance(0.5) ? always : (atMs: number): number => activityAt(atMs, offset)
  const people = withUsers ? customersOf(world, rng, perHour) : undefined
  const subjects = rng.fork('subjects')
  const worker = new Worker({
    rng: rng.fork('job'),
    rhythm: anyRhythm(rng.fork('rhythm'), world.span, perHour, curve),
    walk,
    credentials,
    ring: mainlyFirst(rng, apps.length, options.spread),
    temper: anyTemper(rng),
    elastic: false,
    ...(people === undefined ? {} : { subject: (): Person => people.pick(subjects) }),
  })
  const tests = apps
    .slice(1)
    .flatMap((app, index) => lowLoad(world, rng.fork(`low-${index}`), service, app, walk, 10 + 20 * world.load))
  const duplicate: PolicyCode =
    options.owners === 'many' ? 'duplicate_apps_multiple_owners' : 'duplicate_apps_single_owner'
  return {
    apps,
    actors: [worker, ...tests],
    policy: ['environment_exemption_misuse', duplicate],
    evidentAtMs: evidentAt(world.span.startMs, apps.length, perHour),
  }
}

function customersOf(world: World, rng: Rng, perHour: number): Weighted<Person> {
  const count = Math.max(5, Math.round(rng.lognormal(perHour / 2, 0.5)))
  const people = Array.from({ length: Math.min(count, 3_000) }, () => world.population.anyone.pick(rng))
  return new Weighted(
    people,
    people.map(() => rng.lognormal(1, 1)),
  )
}

function three(rng: Rng): Instance[] {
  return [proper(rng, 'production'), proper(rng, 'staging'), proper(rng, 'development')]
}

/** Leaves the environment out of the name or the description of some instances, or calls them something else. */
function unnamed(rng: Rng, strength: Strength): Instance[] {
  const missing = strength === 'strong' ? 1 : strength === 'medium' ? 0.6 : 0.3
  return three(rng).map(({ environment, nameWord, describes }, index): Instance => {
    const lacks = index === 0 || rng.chance(missing)
    if (!lacks) return { environment, nameWord, describes }
    if (rng.chance(0.5)) return { environment, nameWord, describes: false }
    return {
      environment,
      nameWord: rng.chance(0.4) ? undefined : rng.pick(['live', 'v2', 'internal', 'uat']),
      describes,
    }
  })
}

const EXTRA_WORDS = ['qa', 'test', 'demo', 'prod 2', 'eu', 'canary', 'backup', 'sandbox'] as const

function moreThanThree(rng: Rng, strength: Strength): Instance[] {
  const extra = strength === 'strong' ? rng.between(2, 4) : strength === 'medium' ? rng.between(1, 2) : 1
  const others = rng.sample(EXTRA_WORDS, extra).map((word): Instance => ({
    environment: rng.pick(['staging', 'production']),
    nameWord: word,
    describes: rng.chance(0.7),
  }))
  return [...three(rng), ...others]
}

function twoProduction(rng: Rng): Instance[] {
  const region = rng.pick([
    ['EU', 'US'],
    ['1', '2'],
    ['A', 'B'],
    ['main', 'second'],
  ] as const)
  const both = region.map((word): Instance => {
    return { environment: 'production', nameWord: `${rng.pick(ENVIRONMENT_WORDS.production)} ${word}`, describes: true }
  })
  return rng.chance(0.5) ? both : [...both, proper(rng, rng.pick(['development', 'staging']))]
}

export const ENVIRONMENTS: readonly Scenario[] = [
  exempt(
    'environments_compliant',
    'development, staging and production of one service, as the policy allows',
    compliant,
    { copies: 6 },
  ),
  violation(
    'environments_production_load',
    'development and staging keys carry production load',
    (world, rng, strength) =>
      misuse(world, rng, strength, { instances: three(rng), owners: 'one', spread: spreadOf(rng, strength) }),
  ),
  violation('environments_more_than_three', 'four and more instances of one service', (world, rng, strength) =>
    misuse(world, rng, strength, {
      instances: moreThanThree(rng, strength),
      owners: 'one',
      spread: spreadOf(rng, strength),
    }),
  ),
  violation('environments_two_production', 'two instances claim to be production', (world, rng, strength) =>
    misuse(world, rng, strength, { instances: twoProduction(rng), owners: 'one', spread: spreadOf(rng, strength) }),
  ),
  violation('environments_several_owners', 'instances of one service under several accounts', (world, rng, strength) =>
    misuse(world, rng, strength, { instances: three(rng), owners: 'many', spread: spreadOf(rng, strength) }),
  ),
  violation('environments_unnamed', 'the environment is missing in a name or a description', (world, rng, strength) =>
    misuse(world, rng, strength, { instances: unnamed(rng, strength), owners: 'one', spread: spreadOf(rng, strength) }),
  ),
]
