/** The platform's ordinary applications, in the proportions and with the heavy-tailed sizes that platforms have. */
import type { Actor } from '#simulate/actor.ts'
import type { App } from '#simulate/apps.ts'
import {
  type Cast,
  consumerApp,
  cronApp,
  type KindOptions,
  personalApp,
  publicDataApp,
  scraperApp,
  serviceApp,
  tinkering,
} from '#simulate/kinds.ts'
import { at, type Rng, Weighted } from '#simulate/random.ts'
import { walkOf } from '#simulate/walks.ts'
import type { World } from '#simulate/world.ts'

type Kind = (world: World, rng: Rng, options: KindOptions) => Cast

/** People on phones, and now and then the app's own server with the same people's tokens. */
function consumerWithServer(world: World, rng: Rng, options: KindOptions): Cast {
  const front = consumerApp(world, rng, { ...options, perDay: options.perDay * 0.7 })
  const back = serviceApp(world, rng.fork('server'), {
    ...options,
    app: at(front.apps, 0),
    perDay: options.perDay * 0.3,
  })
  return { apps: front.apps, actors: [...front.actors, ...back.actors] }
}

/** Kind and its share of applications before the seed's own variation. */
const KINDS: readonly (readonly [Kind, number])[] = [
  [consumerApp, 26],
  [consumerWithServer, 7],
  [serviceApp, 14],
  [publicDataApp, 12],
  [cronApp, 11],
  [personalApp, 22],
  [scraperApp, 6],
]

/** Share of applications whose owner has another, different one already. */
const SHARE_SECOND_APP = 0.14
/** Share of applications that their developer tries out by hand during the day. */
const SHARE_TINKERED = 0.3

/** One app after another until `count` are registered. */
export function createBackground(world: World, rng: Rng, count: number): Cast {
  const kinds = new Weighted(
    KINDS.map(([kind]) => kind),
    KINDS.map(([kind, weight]) => {
      const usual = kind === publicDataApp ? weight * world.conditions.appOnly : weight
      return usual * rng.lognormal(1, 0.5)
    }),
  )
  // Most are small, a few carry the platform.
  const { perDayMedian, perDaySigma } = world.conditions
  const apps: App[] = []
  const actors: Actor[] = []
  for (let index = 0; index < count; index += 1) {
    const own = rng.fork(`background-${index}`)
    const perDay = Math.min(60_000, Math.max(2, own.lognormal(perDayMedian, perDaySigma))) * world.load
    const owner = apps.length > 0 && own.chance(SHARE_SECOND_APP) ? { owner: own.pick(apps).owner } : {}
    const cast = kinds.pick(own)(world, own, { perDay, elastic: true, ...owner })
    apps.push(...cast.apps)
    actors.push(...cast.actors)
    if (!own.chance(SHARE_TINKERED)) continue
    const person = world.population.anyone.pick(own)
    const walk = walkOf(own, own.pick(world.useCases))
    actors.push(tinkering(own, at(cast.apps, 0), person, walk, own.range(2, 20) * world.load, true))
  }
  return { apps, actors }
}
