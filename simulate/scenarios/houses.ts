/** Look-alikes by house: one operator with many honest products, honest environments of any size, and batch jobs that run in spells. */
import type { Actor } from '#simulate/actor.ts'
import { customAgent, sdkAgent } from '#simulate/agents.ts'
import { anyUseCase, type Cast, consumerApp, publicDataApp, serviceApp } from '#simulate/kinds.ts'
import { brandName, registration } from '#simulate/naming.ts'
import { at, type Rng } from '#simulate/random.ts'
import { always, anyRhythm, batches, type Curve, episodes, HOUR_MS, MINUTE_MS } from '#simulate/rhythm.ts'
import { single, stumblingSlices } from '#simulate/rings.ts'
import { type Instance, lowLoad, proper, registerInstance, serviceOf } from '#simulate/scenarios/instances.ts'
import { exempt, lookalike, type Scenario, together, withheld } from '#simulate/scenarios/scenario.ts'
import { walkOf } from '#simulate/walks.ts'
import { type Credential, Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

/** An agency that runs a different product for each client: its agent and its servers are the same everywhere, nothing else is. */
function agency(world: World, rng: Rng): Cast {
  const house = brandName(rng)
  const agent = customAgent(rng, house, `https://${house.toLowerCase()}.agency`)
  const servers = world.hosting.operated(rng, rng.between(1, 4))
  const owner = world.ids.account()
  const clientsOwn = rng.chance(0.5)
  const count = rng.between(3, 10)
  const useCases = [...rng.shuffle(world.useCases), ...rng.shuffle(world.useCases)].slice(0, count)
  return together(
    useCases.map((useCase, index) => {
      const own = rng.fork(`client-${index}`)
      const kind = own.pick([serviceApp, publicDataApp, serviceApp])
      return kind(world, own, {
        perDay: own.lognormal(450, 0.9) * world.load,
        elastic: false,
        owner: clientsOwn ? world.ids.account() : owner,
        useCase,
        network: servers,
        agent,
      })
    }),
  )
}

interface Size {
  /** Production's requests a day at load 1. */
  readonly perDay: number
  /** Requests a day of each other instance at load 1. */
  readonly others: (own: Rng) => number
}

/** A group that keeps to policy P6, with instances as busy as the product makes them. */
function honestEnvironments(world: World, rng: Rng, { perDay, others }: Size): Cast {
  const service = serviceOf(world, rng)
  const instances: Instance[] = [proper(rng, 'production'), proper(rng, 'staging'), proper(rng, 'development')]
  const apps = instances.map((instance) => registerInstance(world, rng, service, instance, service.owner))
  const { useCase, agent } = service
  const options = { app: at(apps, 0), perDay: perDay * world.load, elastic: false, useCase }
  const main = rng.chance(0.6)
    ? serviceApp(world, rng.fork('main'), { ...options, agent, network: service.servers })
    : consumerApp(world, rng.fork('main'), options)
  const { walk } = at(at(apps, 0).demands, 0)
  const low = apps.slice(1).flatMap((app, index) => {
    const own = rng.fork(`low-${index}`)
    return lowLoad(world, own, service, app, walk, others(own) * world.load)
  })
  return { apps, actors: [...main.actors, ...low] }
}

/** Requests an hour of a batch job while it runs: dense enough that a spell is one. */
const SPELL_PER_HOUR = { least: 300, most: 1_400 } as const

interface Job {
  readonly credential: Credential
  readonly perHour: number
}

/** A batch job of its own kind: app-only, its own routes, its own owner. */
function batchJob(world: World, rng: Rng, owner = world.ids.account()): Job {
  const useCase = anyUseCase(world, rng)
  const app = world.registry.register(
    registration(rng, {
      owner,
      useCase,
      startMs: world.span.startMs,
      personal: false,
      careless: world.conditions.careless,
    }),
  )
  const walk = walkOf(rng, useCase, rng.between(1, 6))
  const perHour = rng.range(SPELL_PER_HOUR.least, SPELL_PER_HOUR.most)
  // Honest: bought the tier that it needs, as if it ran a whole limit window.
  app.demands.push({ walk, perWindow: perHour / 4, context: 'app', elastic: false })
  return {
    credential: { app, network: world.hosting.server(rng), agent: sdkAgent(rng), user: undefined, walk },
    perHour,
  }
}

/** Jobs of different people, one after another, because one queue runs them: a hosted platform's, or a house's nightly chain. */
function queued(world: World, rng: Rng): Cast {
  const provider = world.hosting.provider(rng)
  const owner = rng.chance(0.4) ? world.ids.account() : undefined
  const jobs = Array.from({ length: rng.between(3, 8) }, (_, index) => batchJob(world, rng.fork(`job-${index}`), owner))
  const credentials = jobs.map(({ credential }) => ({ ...credential, network: provider(rng.fork(credential.app.id)) }))
  const perHour = rng.range(SPELL_PER_HOUR.least, SPELL_PER_HOUR.most)
  const { startMs, endMs } = world.span
  const curve: Curve = rng.chance(0.5) ? always : episodes(rng, startMs, endMs, 4 * HOUR_MS, 3 * HOUR_MS)
  const queue = new Worker({
    rng: rng.fork('queue'),
    rhythm: batches(rng.fork('rhythm'), world.span, {
      everyMs: HOUR_MS / perHour,
      phaseMs: 0,
      jitterMs: 800,
      size: 1,
      gapMs: 100,
      curve,
    }),
    walk: walkOf(rng, anyUseCase(world, rng)),
    credentials,
    ring: stumblingSlices(rng.fork('ring'), jobs.length, {
      sliceMs: rng.range(3, 20) * MINUTE_MS,
      sigma: rng.range(0.2, 0.7),
      skip: rng.range(0, 0.6),
    }),
    temper: 'give_up',
    elastic: false,
  })
  return { apps: jobs.map(({ credential }) => credential.app), actors: [queue] }
}

/** Jobs of strangers that run in spells at times of their own: by the clock at different offsets, or whenever there is work. */
function spells(world: World, rng: Rng): Cast {
  const everyMs = rng.pick([15, 20, 30, 60]) * MINUTE_MS
  const count = rng.between(3, 7)
  const order = rng.shuffle(Array.from({ length: count }, (_, index) => index))
  const jobs = Array.from({ length: count }, (_, index) => {
    const own = rng.fork(`job-${index}`)
    const { credential, perHour } = batchJob(world, own)
    const runMs = (everyMs / count) * own.range(0.5, 1.2)
    const size = Math.max(6, (perHour * runMs) / HOUR_MS)
    const clocked = own.chance(0.7)
    const rhythm = clocked
      ? batches(own.fork('rhythm'), world.span, {
          everyMs,
          // By chance they exclude each other for ever.
          phaseMs: ((at(order, index) + own.range(0, 0.3)) * everyMs) / count,
          jitterMs: 3_000,
          size,
          gapMs: HOUR_MS / perHour,
          curve: always,
        })
      : anyRhythm(
          own.fork('rhythm'),
          world.span,
          perHour,
          episodes(own, world.span.startMs, world.span.endMs, runMs, everyMs),
        )
    const worker: Actor = new Worker({
      rng: own.fork('work'),
      rhythm,
      walk: credential.walk ?? walkOf(own, anyUseCase(world, own)),
      credentials: [credential],
      ring: single(),
      temper: 'wait',
      elastic: false,
    })
    return { apps: [credential.app], actors: [worker] }
  })
  return together(jobs)
}

export const HOUSES: readonly Scenario[] = [
  lookalike('agency', 'one operator with a house agent and a different product for each client', agency, {
    copies: 2,
    needs: { routes: 12 },
  }),
  exempt(
    'environments_large',
    'honest environments of a large product, busy in all three',
    (world, rng) =>
      honestEnvironments(world, rng, { perDay: rng.range(5_000, 16_000), others: (own) => own.lognormal(350, 0.5) }),
    { copies: 2 },
  ),
  // Held out: the share of the other instances misleads here, and nothing but their small number tells.
  ...withheld([
    exempt(
      'environments_tiny',
      'honest environments of a product so small that tests are half of it',
      (world, rng) => honestEnvironments(world, rng, { perDay: rng.range(15, 80), others: (own) => own.range(10, 70) }),
      { copies: 2 },
    ),
  ]),
  lookalike('batch_queue', "different people's batch jobs that one queue runs one after another", queued, {
    needs: { routes: 12 },
  }),
  lookalike('batch_spells', 'unrelated batch jobs that run in spells and never meet', spells, {
    needs: { routes: 12 },
  }),
]
