/**
 * Look-alikes by deployment: one piece of code that many people run with keys of their own, on the same provider. Addresses,
 * routes and agents equal those of a machine room; nobody drives the keys but their owners.
 */
import { customAgent, sdkAgent } from '#simulate/agents.ts'
import { phaseAfterRestarts, stopsOf } from '#simulate/downtime.ts'
import { anyUseCase, type Cast, cronApp, personalApp, publicDataApp, serviceApp } from '#simulate/kinds.ts'
import { brandName, domainOf, productName } from '#simulate/naming.ts'
import { FixedAddress, type Network } from '#simulate/networks.ts'
import type { Rng } from '#simulate/random.ts'
import { batches, HOUR_MS, MINUTE_MS, SECOND_MS, shift } from '#simulate/rhythm.ts'
import { single } from '#simulate/rings.ts'
import { companyOf } from '#simulate/addresses.ts'
import { anyPeriod, anySize, differentPeople, personalKey, poller } from '#simulate/scenarios/pollers.ts'
import { lookalike, type Scenario, together, withheld } from '#simulate/scenarios/scenario.ts'
import { RouteWalk, walkOf } from '#simulate/walks.ts'
import { Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

/** Unrelated applications in the same place; each is an app of its own that belongs to no group. */
export function strangers(world: World, rng: Rng, count: number, network: (own: Rng) => Network): Cast {
  return together(
    Array.from({ length: count }, (_, index) => {
      const own = rng.fork(`stranger-${index}`)
      const kind = own.pick([serviceApp, publicDataApp, cronApp, personalApp])
      return kind(world, own, { perDay: own.lognormal(150, 1.2) * world.load, elastic: false, network: network(own) })
    }),
  )
}

/** A template that one deploys with a click: many people's keys, one provider's exits, clocks and restarts of their own. */
function template(world: World, rng: Rng): Cast {
  const { conditions, span } = world
  const useCase = anyUseCase(world, rng)
  const provider = world.hosting.provider(rng)
  const walk = walkOf(rng, useCase, rng.between(2, 7))
  const agent = rng.chance(0.5) ? customAgent(rng, brandName(rng), undefined) : sdkAgent(rng)
  const everyMs = anyPeriod(rng)
  // Some templates come as a crontab line, and then all deployments ask on the full minute.
  const onTheClock = rng.chance(0.3)
  const size = anySize(rng, everyMs)
  const people = differentPeople(world, rng, Math.round(rng.between(8, 36) * Math.min(2, conditions.groupScale)))
  const casts = people.map((person, index): Cast => {
    const own = rng.fork(`deployment-${index}`)
    const app = personalKey(world, own, person, useCase, 0.6)
    const restarts = stopsOf(own.fork('restarts'), span, own.range(0, 2), 3 * MINUTE_MS)
    const period = own.chance(0.8) ? everyMs : anyPeriod(own)
    const phaseMs = onTheClock ? 0 : phaseAfterRestarts(own.fork('phase'), restarts, own.next() * period, period)
    const actor = poller(world, own, {
      app,
      person,
      network: provider(own, restarts),
      agent,
      walk: walk.jittered(own.fork('walk'), conditions.mixJitter * 0.7),
      everyMs: period,
      phaseMs,
      jitterMs: own.range(100, 3_000),
      size,
      kept: 1 - own.range(0, 0.05),
    })
    return { apps: [app], actors: [actor] }
  })
  return together(casts)
}

/** The routes that a blog's sharing plugin asks for; whatever the API has of them. */
function pluginRoutes(world: World, rng: Rng): RouteWalk {
  const named = new Set(['GET /2/users/me', 'POST /2/posts', 'POST /2/media/upload', 'POST /1.1/statuses/update.json'])
  const found = world.routes.filter(({ method, template: path }) => named.has(`${method} ${path}`))
  const routes = found.length > 0 ? found : rng.sample(world.routes, Math.min(3, world.routes.length))
  const script = Array.from({ length: rng.between(3, 7) }, () => rng.pick(routes))
  return new RouteWalk(
    routes,
    routes.map(() => 1),
    0.1,
    script,
  )
}

/** Blogs of one web host with one plugin; each site registered an app of its own, as the plugin's manual asks. */
function pluginSites(world: World, rng: Rng): Cast {
  const host = world.hosting.failing(rng, new FixedAddress(world.book.v4(companyOf(rng).v4)))
  const plugin = pluginRoutes(world, rng)
  const version = `6.${rng.between(2, 9)}.${rng.below(6)}`
  const useCase = anyUseCase(world, rng)
  const sites = differentPeople(world, rng, rng.between(6, 24)).map((person, index): Cast => {
    const own = rng.fork(`site-${index}`)
    const name = `${productName(own, useCase)}${own.chance(0.6) ? ' site' : ''}`
    const domain = domainOf(own, name)
    const agent = `WordPress/${own.chance(0.7) ? version : `6.${own.between(0, 9)}`}; https://www.${domain}`
    const everyMs = own.pick([30, 60, 60, 60, 120, 180]) * MINUTE_MS
    const app = world.registry.register({
      name,
      description: `Shares new posts of ${name} from our blog.`,
      website: `https://www.${domain}`,
      callbackUrls: own.chance(0.5) ? ['oob'] : [`https://www.${domain}/wp-admin/`],
      createdAtMs: Math.floor(world.span.startMs - own.range(3, 900) * 24 * HOUR_MS),
      owner: person,
    })
    // The blog's own scheduler runs when somebody visits, so a run is seconds or minutes late.
    const rhythm = batches(own.fork('rhythm'), world.span, {
      everyMs,
      phaseMs: own.next() * everyMs,
      jitterMs: own.lognormal(20 * SECOND_MS, 1),
      size: own.range(3, 9),
      gapMs: own.lognormal(2_200, 0.3),
      curve: own.chance(0.5) ? () => 0.95 : shift(person.country.offsetHours, 6, 17),
    })
    app.demands.push({ walk: plugin, perWindow: rhythm.perWindow, context: 'user', elastic: false })
    const worker = new Worker({
      rng: own.fork('work'),
      rhythm,
      walk: plugin.jittered(own.fork('walk'), 0.3),
      credentials: [{ app, network: host, agent, user: person }],
      ring: single(),
      temper: 'give_up',
      elastic: false,
    })
    return { apps: [app], actors: [worker] }
  })
  return together([...sites, strangers(world, rng.fork('tenants'), rng.between(0, 10), () => host)])
}

/** A script service: everybody's scripts leave through the same exits, a popular snippet among them, each on a timer of its own. */
function hostedScripts(world: World, rng: Rng): Cast {
  const provider = world.hosting.provider(rng)
  const service = brandName(rng)
  const snippetCase = anyUseCase(world, rng)
  const snippet = walkOf(rng, snippetCase, rng.between(1, 4))
  return together(
    differentPeople(world, rng, rng.between(12, 40)).map((person, index): Cast => {
      const own = rng.fork(`script-${index}`)
      const copied = own.chance(0.45)
      const useCase = copied ? snippetCase : anyUseCase(world, own)
      const app = personalKey(world, own, person, useCase, 0.8)
      const everyMs = own.pick([5, 10, 15, 30, 60, 60]) * MINUTE_MS
      const actor = poller(world, own, {
        app,
        person,
        network: provider(own),
        agent: `Mozilla/5.0 (compatible; ${service}-Script; id: ${own.hex(12)})`,
        walk: copied ? snippet.jittered(own.fork('walk'), 0.2) : walkOf(own, useCase),
        everyMs,
        phaseMs: own.next() * everyMs,
        jitterMs: own.range(1_000, 20_000),
        size: own.lognormal(2.5, 0.7),
        kept: 0.97,
      })
      return { apps: [app], actors: [actor] }
    }),
  )
}

/** Unrelated programs on one host that is down several times: they fall silent together and have nothing else in common. */
function hostOutage(world: World, rng: Rng): Cast {
  const { span } = world
  const stops = stopsOf(rng.fork('outages'), span, rng.range(2, 6), 15 * MINUTE_MS)
  const host = world.hosting.provider(rng, stops)
  return together(
    differentPeople(world, rng, rng.between(8, 26)).map((person, index): Cast => {
      const own = rng.fork(`tenant-${index}`)
      const useCase = anyUseCase(world, own)
      const app = personalKey(world, own, person, useCase, 1)
      const everyMs = anyPeriod(own)
      const actor = poller(world, own, {
        app,
        person,
        network: host(own),
        agent: sdkAgent(own),
        walk: walkOf(own, useCase),
        everyMs,
        phaseMs: own.chance(0.3) ? 0 : own.next() * everyMs,
        jitterMs: own.range(100, 3_000),
        size: own.lognormal(2, 0.6),
        kept: 0.98,
      })
      return { apps: [app], actors: [actor] }
    }),
  )
}

export const DEPLOYMENTS: readonly Scenario[] = [
  lookalike(
    'template_deployed',
    "a template that many deploy with keys of their own to one provider's egress",
    template,
    {
      copies: 2,
    },
  ),
  lookalike('plugin_sites', 'blogs on one web host whose plugin asks each for an app of its own', pluginSites, {
    copies: 2,
  }),
  // Held out: a pool with strangers and a copied snippet at once; whoever tells templates and pools apart should pass it unseen.
  ...withheld([
    lookalike('hosted_scripts', "everybody's scripts on one script service's exits", hostedScripts),
    lookalike('host_outage', 'unrelated programs on a host that is down several times', hostOutage),
  ]),
]
