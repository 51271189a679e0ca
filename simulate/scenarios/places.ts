/**
 * Look-alikes by place: unrelated applications whose requests leave through the same addresses. Each stands for an entry of
 * "not violations" in docs/policy.md that a count of shared addresses would flag.
 */
import { companyOf } from '#simulate/addresses.ts'
import {
  type Cast,
  consumerApp,
  cronApp,
  type KindOptions,
  personalApp,
  publicDataApp,
  scraperApp,
  serviceApp,
} from '#simulate/kinds.ts'
import { AnyOf, FixedAddress, HeldFor, type Network } from '#simulate/networks.ts'
import type { Person, Site } from '#simulate/people.ts'
import { at, type Rng, Weighted } from '#simulate/random.ts'
import { HOUR_MS, shift } from '#simulate/rhythm.ts'
import { lookalike, type Scenario, together } from '#simulate/scenarios/scenario.ts'
import type { World } from '#simulate/world.ts'

/** Requests a day of one app in a group: heavy-tailed like the background's, a little larger so that it can be seen. */
function perDay(world: World, rng: Rng): number {
  return Math.min(4_000, Math.max(15, rng.lognormal(220, 1.1))) * world.load
}

/** The busiest sites first: a site with hardly anyone behind it imitates nothing. */
function crowded(rng: Rng, sites: readonly Site[]): Site {
  const ranked = sites.toSorted((left, right) => right.people.length - left.people.length)
  return at(ranked, rng.below(Math.max(1, Math.ceil(ranked.length / 3))))
}

function evenly(people: readonly Person[]): Weighted<Person> {
  return new Weighted(
    people,
    people.map(() => 1),
  )
}

/** Local apps (a town's news, its buses, its clubs) whose people all sit behind one small provider's NAT. */
function carrierNat(world: World, rng: Rng): Cast {
  const provider = crowded(rng, world.population.regionalProviders)
  const residents = provider.people.length > 0 ? provider.people : world.population.people.slice(0, 50)
  return together(
    Array.from({ length: rng.between(4, 10) }, (_, index) => {
      const own = rng.fork(`app-${index}`)
      const person = own.pick(residents)
      const options = { perDay: perDay(world, own), elastic: false }
      if (own.chance(0.4)) return personalApp(world, own, { ...options, person, network: person.home })
      const circle = own.sample(residents, Math.max(3, Math.round(residents.length * own.range(0.2, 0.8))))
      return consumerApp(world, own, { ...options, people: evenly(circle) })
    }),
  )
}

/** Colleagues who each have a script or a dashboard of their own, in office hours, from the office line. */
function office(world: World, rng: Rng): Cast {
  const site = crowded(rng, world.population.offices)
  const staff = site.people.length > 0 ? site.people : world.population.people.slice(0, 20)
  return together(
    Array.from({ length: rng.between(3, 9) }, (_, index) => {
      const own = rng.fork(`app-${index}`)
      const curve = shift(site.country.offsetHours, own.range(7, 10), own.range(5, 10))
      return personalApp(world, own, {
        perDay: perDay(world, own),
        elastic: false,
        person: own.pick(staff),
        network: site.network,
        curve,
      })
    }),
  )
}

/** Students with projects of their own on one campus network, day and night. */
function campus(world: World, rng: Rng): Cast {
  const site = crowded(rng, world.population.campuses)
  const students = site.people.length > 0 ? site.people : world.population.people.slice(0, 40)
  return together(
    Array.from({ length: rng.between(5, 14) }, (_, index) => {
      const own = rng.fork(`app-${index}`)
      return personalApp(world, own, {
        perDay: perDay(world, own),
        elastic: false,
        person: own.pick(students),
        network: site.network,
      })
    }),
  )
}

/** Collectors and bots of different people who chose the same VPN, whose exits are few. */
function vpn(world: World, rng: Rng): Cast {
  const exits = rng.pick(world.population.vpns)
  return together(
    Array.from({ length: rng.between(4, 12) }, (_, index) => {
      const own = rng.fork(`app-${index}`)
      const used = Array.from({ length: own.between(1, 4) }, () => exits.address(0))
      const network = new HeldFor(used, 6 * HOUR_MS, own.fork('exit'))
      return own.pick([personalApp, scraperApp])(world, own, { perDay: perDay(world, own), elastic: false, network })
    }),
  )
}

type Kind = (world: World, rng: Rng, options: KindOptions) => Cast
const SERVER_KINDS: readonly Kind[] = [serviceApp, publicDataApp, cronApp, personalApp]

function tenants(world: World, rng: Rng, count: number, network: (own: Rng) => Network): Cast {
  return together(
    Array.from({ length: count }, (_, index) => {
      const own = rng.fork(`app-${index}`)
      return own.pick(SERVER_KINDS)(world, own, { perDay: perDay(world, own), elastic: false, network: network(own) })
    }),
  )
}

/** Customers of one cloud region behind the same NAT gateway. */
function cloudEgress(world: World, rng: Rng): Cast {
  const { v4 } = companyOf(rng)
  const ips = Array.from({ length: rng.between(1, 4) }, () => world.book.v4(v4))
  return tenants(world, rng, rng.between(5, 18), (own) =>
    own.chance(0.5) ? new AnyOf(ips, own.fork('exit')) : new HeldFor(ips, 2 * HOUR_MS, own.fork('exit')),
  )
}

/** Customers of one web host: a handful, which no list of hubs will know, or dozens. */
function sharedHost(world: World, rng: Rng, count: number): Cast {
  const host = new FixedAddress(world.book.v4(companyOf(rng).v4))
  return tenants(world, rng, count, () => host)
}

export const PLACES: readonly Scenario[] = [
  lookalike('people_behind_carrier_nat', "local apps whose people share one provider's NAT", carrierNat),
  lookalike('people_behind_office', "colleagues' own scripts from one office line", office),
  lookalike('people_behind_campus', "students' own projects from one campus", campus),
  lookalike('people_behind_vpn', 'strangers who use the same VPN exits', vpn),
  lookalike('apps_behind_cloud_egress', 'unrelated services behind one NAT gateway', cloudEgress),
  lookalike('shared_host_few', 'three to eight unrelated apps on one web host', (world, rng) =>
    sharedHost(world, rng, rng.between(3, 8)),
  ),
  lookalike('shared_host_many', 'thirty and more unrelated apps on one web host', (world, rng) =>
    sharedHost(world, rng, rng.between(30, 42)),
  ),
]
