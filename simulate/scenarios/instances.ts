/** Instances of one service, as developers register and use them; and the group that keeps to policy P6. */
import type { Actor } from '#simulate/actor.ts'
import { customAgent, sdkAgent } from '#simulate/agents.ts'
import type { App } from '#simulate/apps.ts'
import { anyUseCase, type Cast, consumerApp, serviceApp, tinkering } from '#simulate/kinds.ts'
import { createdAt, description, domainOf, productName } from '#simulate/naming.ts'
import type { Network } from '#simulate/networks.ts'
import type { Account } from '#simulate/people.ts'
import { at, type Rng } from '#simulate/random.ts'
import { anyRhythm, HOUR_MS, shift } from '#simulate/rhythm.ts'
import { single } from '#simulate/rings.ts'
import type { UseCase } from '#simulate/use-cases.ts'
import type { RouteWalk } from '#simulate/walks.ts'
import { ENVIRONMENT_WORDS } from '#simulate/words.ts'
import { Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

type Environment = keyof typeof ENVIRONMENT_WORDS

/** One instance as registered. */
export interface Instance {
  readonly environment: Environment
  /** The word in the name; undefined leaves the environment out of it. */
  readonly nameWord: string | undefined
  readonly describes: boolean
}

export interface Service {
  readonly useCase: UseCase
  readonly owner: Account
  readonly name: string
  readonly domain: string
  readonly about: string
  readonly bornMs: number
  readonly style: number
  readonly servers: Network
  readonly agent: string
}

export function serviceOf(world: World, rng: Rng): Service {
  const useCase = anyUseCase(world, rng)
  const name = productName(rng, useCase)
  return {
    useCase,
    owner: rng.chance(0.6) ? world.ids.account() : world.population.anyone.pick(rng),
    name,
    domain: domainOf(rng, name),
    about:
      description(rng, useCase) ?? rng.pick(useCase.phrases).replace('{topic}', 'news').replace('{city}', 'Berlin'),
    bornMs: createdAt(rng, world.span.startMs - 30 * 24 * HOUR_MS),
    style: rng.below(4),
    servers: world.hosting.operated(rng, rng.size(1.8, 0.6, 1, 6)),
    agent: rng.chance(0.5) ? customAgent(rng, name, undefined) : sdkAgent(rng),
  }
}

function named(service: Service, word: string | undefined): string {
  if (word === undefined) return service.name
  return at(
    [`${service.name} (${word})`, `${service.name} ${word}`, `${service.name}-${word}`, `[${word}] ${service.name}`],
    service.style,
  )
}

function sentence(rng: Rng, environment: Environment): string {
  const word = rng.pick(ENVIRONMENT_WORDS[environment])
  return rng.pick([
    `This is the ${word} instance.`,
    `${word} environment.`,
    `Used for ${word} only.`,
    `Environment: ${word}`,
  ])
}

export function registerInstance(world: World, rng: Rng, service: Service, instance: Instance, owner: Account): App {
  const about = instance.describes ? `${service.about} ${sentence(rng, instance.environment)}` : service.about
  const host =
    instance.environment === 'production' ? service.domain : `${instance.environment.slice(0, 3)}.${service.domain}`
  return world.registry.register({
    name: named(service, instance.nameWord),
    description: about,
    website: `https://${service.domain}`,
    callbackUrls: [
      instance.environment === 'development' ? 'http://localhost:3000/callback' : `https://${host}/callback`,
    ],
    createdAtMs: Math.min(
      Math.floor(service.bornMs + rng.exponential(20 * 24 * HOUR_MS)),
      world.span.startMs - HOUR_MS,
    ),
    owner,
  })
}

export function proper(rng: Rng, environment: Environment): Instance {
  return { environment, nameWord: rng.pick(ENVIRONMENT_WORDS[environment]), describes: true }
}

/** What development and staging really do: a developer at home or in the office, and nightly tests on the staging server. */
export function lowLoad(world: World, rng: Rng, service: Service, app: App, walk: RouteWalk, perDay: number): Actor[] {
  const developer = world.population.anyone.pick(rng)
  const byHand = tinkering(rng, app, developer, walk, perDay * 0.5, false)
  const tests = new Worker({
    rng: rng.fork('tests'),
    rhythm: anyRhythm(rng.fork('rhythm'), world.span, (perDay * 0.5) / 9, shift(developer.country.offsetHours, 9, 9)),
    walk,
    credentials: [
      {
        app,
        network: rng.chance(0.5) ? service.servers : world.hosting.server(rng),
        agent: service.agent,
        user: developer,
      },
    ],
    ring: single(),
    temper: 'give_up',
    elastic: false,
  })
  return [byHand, tests]
}

/** A group that meets every condition: production carries the load, at most two others that hardly do anything. */
export function compliant(world: World, rng: Rng): Cast {
  const service = serviceOf(world, rng)
  const environments: Environment[] = [
    'production',
    ...rng.pick([['development'], ['staging'], ['development', 'staging'], ['development', 'staging']] as const),
  ]
  const apps = environments.map((environment) =>
    registerInstance(world, rng, service, proper(rng, environment), service.owner),
  )
  const production = at(apps, 0)
  const perDay = rng.lognormal(900, 0.9) * world.load
  const options = { app: production, perDay, elastic: false, useCase: service.useCase, agent: service.agent }
  const main = rng.chance(0.5)
    ? serviceApp(world, rng.fork('main'), { ...options, network: service.servers })
    : consumerApp(world, rng.fork('main'), { app: production, perDay, elastic: false, useCase: service.useCase })
  const { walk } = at(production.demands, 0)
  const others = apps
    .slice(1)
    .flatMap((app, index) =>
      lowLoad(world, rng.fork(`low-${index}`), service, app, walk, Math.max(4, perDay * rng.range(0.005, 0.05))),
    )
  return { apps, actors: [...main.actors, ...others] }
}
