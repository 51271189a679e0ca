/** Mutations of the known evasions, kept for the final evaluation: nothing may be tuned on them. */
import { browserAgent, customAgent, sdkAgent } from '#simulate/agents.ts'
import { companyOf } from '#simulate/addresses.ts'
import type { App } from '#simulate/apps.ts'
import { brandName } from '#simulate/naming.ts'
import { Mixture, type Network, RotatingPrefix } from '#simulate/networks.ts'
import type { Rng } from '#simulate/random.ts'
import { MINUTE_MS } from '#simulate/rhythm.ts'
import { randomRotation, roundRobin, sticky } from '#simulate/rings.ts'
import { type Openness, operate, type Scheme } from '#simulate/scenarios/operator.ts'
import { type Scenario, type Strength, violation, withheld } from '#simulate/scenarios/scenario.ts'
import type { World } from '#simulate/world.ts'

/** Any of the usual rules for choosing a key. */
function anyScheme(rng: Rng): Pick<Scheme, 'owners' | 'temper' | 'ring'> {
  const rule = rng.below(3)
  return {
    owners: rng.chance(0.5) ? 'one' : 'many',
    temper: rng.pick(['give_up', 'back_off']),
    ring: (own, count) => {
      if (rule === 0) return roundRobin(own, count, own.range(0, 0.1))
      return rule === 1 ? randomRotation(own, count) : sticky(own, count, 25, 3)
    },
  }
}

/** A /48 of the operator's own: a new /64 every half hour when open, every few seconds when hidden. */
function rotatingPrefix(strength: Strength): NonNullable<Scheme['networks']> {
  return (world, rng, open) => {
    const company = companyOf(rng)
    const site = world.book.v6Site(company.v6)
    const holdMs = strength === 'strong' ? 30 * MINUTE_MS : strength === 'medium' ? 5 * MINUTE_MS : 10_000
    const pool = strength === 'strong' ? 16 : strength === 'medium' ? 512 : 65_000
    const together = new RotatingPrefix(site, pool, holdMs, rng.fork(site))
    return Array.from({ length: open.apps }, (_, index) =>
      strength === 'strong' ? together : new RotatingPrefix(site, pool, holdMs, rng.fork(`${site}-${index}`)),
    )
  }
}

/** Behind an exit that many unrelated applications use as well. */
function behindHub(world: World, rng: Rng, open: Openness): Network[] {
  const hub = rng.chance(0.5) ? world.hosting.cloudEgress(rng) : rng.pick(world.population.vpns)
  return Array.from({ length: open.apps }, (_, index) =>
    rng.chance(open.sharedNetwork)
      ? hub
      : new Mixture(hub, world.hosting.server(rng), 0.6, rng.fork(`beside-${index}`)),
  )
}

/** Nothing in the agents joins the keys: each pretends to be another program. */
function disguises(rng: Rng, apps: readonly App[]): string[] {
  return apps.map(() => {
    const kind = rng.below(3)
    if (kind === 0) return sdkAgent(rng)
    return kind === 1 ? browserAgent(rng, rng.chance(0.5)) : customAgent(rng, brandName(rng), undefined)
  })
}

/** Part of the work runs at the operator's home, the rest on a server for each key. */
function homeAndServers(world: World, rng: Rng, open: Openness): Network[] {
  const { home } = world.population.anyone.pick(rng)
  const common = world.hosting.server(rng)
  const servers = Array.from({ length: open.apps }, () =>
    rng.chance(open.sharedNetwork * 0.6) ? common : world.hosting.server(rng),
  )
  const share = Math.max(0.08, open.sharedNetwork * rng.range(0.3, 0.7))
  return servers.map((server, index) => new Mixture(home, server, share, rng.fork(`home-${index}`)))
}

export const HELD_OUT: readonly Scenario[] = withheld([
  violation(
    'ipv6_rotating_operator',
    'an operator whose keys move through the /64s of one /48',
    (world, rng, strength) => operate(world, rng, strength, { ...anyScheme(rng), networks: rotatingPrefix(strength) }),
  ),
  violation('behind_shared_hub', 'violators behind an egress that many unrelated apps share', (world, rng, strength) =>
    operate(world, rng, strength, { ...anyScheme(rng), networks: behindHub }),
  ),
  violation('agent_per_app', 'every key shows another user agent', (world, rng, strength) =>
    operate(world, rng, strength, { ...anyScheme(rng), agents: disguises }),
  ),
  violation('home_and_servers', 'a mixture of a home line and servers', (world, rng, strength) =>
    operate(world, rng, strength, { ...anyScheme(rng), networks: homeAndServers }),
  ),
])
