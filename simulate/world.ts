/** Everything applications live in: the API, its people, the address space, hosting, and the registry they sign up with. */
import { AddressBook } from '#simulate/addresses.ts'
import { AppRegistry, IdBook } from '#simulate/apps.ts'
import { Hosting } from '#simulate/hosting.ts'
import { createPopulation, type Population } from '#simulate/people.ts'
import { Rng } from '#simulate/random.ts'
import { HOUR_MS, type Span, WINDOW_MS } from '#simulate/rhythm.ts'
import { type Conditions, drawConditions, type WorldKind } from '#simulate/conditions.ts'
import { createRoutes, type Route } from '#simulate/routes.ts'
import { createUseCases, type UseCase } from '#simulate/use-cases.ts'

export interface World {
  readonly rng: Rng
  readonly conditions: Conditions
  readonly span: Span
  /** Density of traffic: 1 at 1,000,000 requests of 1,500 apps in 24 hours. Rates and limits scale with it. */
  readonly load: number
  readonly routes: readonly Route[]
  readonly useCases: readonly UseCase[]
  readonly book: AddressBook
  readonly ids: IdBook
  readonly population: Population
  readonly hosting: Hosting
  readonly registry: AppRegistry
  /** Applications the platform is to have in the end: what a group's size is measured by. */
  readonly appsPlanned: number
}

interface WorldOptions {
  readonly seed: number
  readonly kind: WorldKind
  /** Overrides single conditions that the seed would draw. */
  readonly conditions?: Partial<Conditions>
  readonly apps: number
  readonly requests: number
  readonly hours: number
  /** Start of the traffic, epoch milliseconds. */
  readonly startMs: number
}

/** Requests an hour and app at which `load` is 1. */
const USUAL_DENSITY = 1_000_000 / 1_500 / 24

/** People the platform has: enough for audiences to differ, few enough for memory. */
function populationSize(options: WorldOptions, roominess: number): number {
  return Math.round(Math.min(400_000, Math.max(1_500, options.requests / 25, options.apps * 8) * roominess))
}

export function createWorld(options: WorldOptions): World {
  const rng = new Rng(String(options.seed))
  const load = options.requests / options.apps / options.hours / USUAL_DENSITY
  const book = new AddressBook(rng.fork('addresses'))
  const ids = new IdBook(rng.fork('ids'))
  const conditions = drawConditions(rng.fork('conditions'), options.kind, options.conditions)
  const routes = createRoutes(rng.fork('routes'), load, conditions.routes, conditions.allUsersFactor)
  const population = createPopulation(
    rng.fork('people'),
    book,
    conditions,
    populationSize(options, conditions.roominess),
    () => ids.account(),
  )
  const span: Span = {
    startMs: options.startMs,
    endMs: options.startMs + options.hours * HOUR_MS,
    restartsPerDay: conditions.restartsPerDay,
    evenPolls: conditions.evenPolls,
  }
  return {
    rng,
    conditions,
    span,
    load,
    routes,
    useCases: createUseCases(rng.fork('use-cases'), routes, {
      breadthLeast: conditions.breadthLeast,
      unevenness: conditions.unevenness,
      drift: conditions.mixDrift,
    }),
    book,
    ids,
    population,
    hosting: new Hosting(rng.fork('hosting'), book, { apps: options.apps, span, conditions }),
    registry: new AppRegistry(rng.fork('registry'), ids, {
      windowMs: WINDOW_MS,
      phased: conditions.phasedWindows,
      unregistered: conditions.unregistered,
    }),
    appsPlanned: options.apps,
  }
}
