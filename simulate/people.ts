/**
 * The people of the simulated platform: where they live, how they reach the internet, and when they are awake. Popularity is
 * Zipf: a few use many applications all day, most use one now and then.
 */
import { type AddressBook, COUNTRIES, type Country, VPN_PREFIXES } from '#simulate/addresses.ts'
import type { Conditions } from '#simulate/conditions.ts'
import { AnyOf, DualStack, FixedAddress, HeldFor, type Network, PrivacyAddresses } from '#simulate/networks.ts'
import { at, type Rng, Weighted, zipfWeights } from '#simulate/random.ts'
import { HOUR_MS } from '#simulate/rhythm.ts'

/** An account of the platform; `index` is unique over people and organisations. */
export interface Account {
  readonly index: number
  readonly id: string
}

export interface Person extends Account {
  readonly country: Country
  /** When this person's day runs, hours against the country's clock. */
  readonly shiftHours: number
  readonly home: Network
  readonly mobile: Network
  /** Office or campus, for those who have one. */
  readonly work: Network | undefined
  readonly vpn: Network | undefined
  /** Share of sessions away from any fixed line, 0..1. */
  readonly mobileShare: number
}

/** A place with one way out and many people behind it. */
export interface Site {
  readonly network: Network
  readonly country: Country
  readonly people: Person[]
}

export interface Population {
  readonly people: readonly Person[]
  /** By popularity, over everyone and by country code. */
  readonly anyone: Weighted<Person>
  readonly byCountry: ReadonlyMap<string, Weighted<Person>>
  readonly carriers: ReadonlyMap<string, readonly Network[]>
  readonly offices: readonly Site[]
  readonly campuses: readonly Site[]
  /** Small access providers with one to three addresses for all their subscribers. */
  readonly regionalProviders: readonly Site[]
  readonly vpns: readonly Network[]
}

/** Relative activity by local hour: a night's sleep, a lunch peak and an evening peak (shape of public web traffic). */
const ACTIVITY_BY_HOUR = [
  0.3, 0.17, 0.09, 0.06, 0.05, 0.07, 0.16, 0.33, 0.5, 0.6, 0.64, 0.68, 0.76, 0.72, 0.66, 0.65, 0.69, 0.75, 0.83, 0.92,
  1, 0.98, 0.8, 0.53,
] as const

/** Activity in 0..1 at `nowMs` for a clock `offsetHours` from UTC. */
export function activityAt(nowMs: number, offsetHours: number): number {
  const hour = (((nowMs / HOUR_MS + offsetHours) % 24) + 24) % 24
  const low = Math.floor(hour)
  const here = ACTIVITY_BY_HOUR[low] ?? 1
  const next = ACTIVITY_BY_HOUR[(low + 1) % 24] ?? 1
  return here + (next - here) * (hour - low)
}

export function personActivity(person: Person, nowMs: number): number {
  return activityAt(nowMs, person.country.offsetHours + person.shiftHours)
}

/** The network a person would start a session from now. */
export function placeOf(rng: Rng, person: Person, nowMs: number): Network {
  if (person.vpn !== undefined && rng.chance(0.7)) return person.vpn
  if (rng.chance(person.mobileShare)) return person.mobile
  const hour = (((nowMs / HOUR_MS + person.country.offsetHours) % 24) + 24) % 24
  if (person.work !== undefined && hour >= 8.5 && hour < 17.5 && rng.chance(0.8)) return person.work
  return person.home
}

/** Mobile carriers of a country: few public addresses, each in front of very many people. */
function carriersOf(rng: Rng, book: AddressBook, country: Country): Network[] {
  return Array.from({ length: rng.between(2, 4) }, (_, index) => {
    const exits = Array.from({ length: rng.size(10, 0.9, 2, 60) }, () => book.v4(country.mobile))
    return new AnyOf(exits, rng.fork(`carrier-${country.code}-${index}`))
  })
}

function siteNetwork(rng: Rng, book: AddressBook, country: Country, addresses: number): Network {
  const ips = addresses === 1 ? [book.v4(country.fixed)] : book.v4Block(country.fixed, addresses)
  const first = at(ips, 0)
  const v4 = ips.length === 1 ? new FixedAddress(first) : new AnyOf(ips, rng.fork(`site-${first}`))
  if (!rng.chance(0.25)) return v4
  const v6 = new PrivacyAddresses(book.v6Subnet(country.v6), rng.fork(`site6-${first}`))
  return new DualStack(v4, v6, rng.range(0.2, 0.7), rng.fork(`sited-${first}`))
}

function createSites(rng: Rng, book: AddressBook, countries: Weighted<Country>, count: number, exits: number): Site[] {
  return Array.from({ length: count }, () => {
    const country = countries.pick(rng)
    const network = siteNetwork(rng, book, country, rng.size(exits, 0.8, 1, 16))
    return { network, country, people: [] }
  })
}

/** VPN companies: each person gets an exit for hours; exits are few and crowded. */
function createVpns(rng: Rng, book: AddressBook, count: number): Network[] {
  return Array.from({ length: count }, (_, index) => {
    const exits = Array.from({ length: rng.size(15, 0.8, 4, 80) }, () => book.v4(rng.sample(VPN_PREFIXES, 3)))
    return new AnyOf(exits, rng.fork(`vpn-${index}`))
  })
}

interface Surroundings {
  readonly book: AddressBook
  /** Share of lines with IPv6, and of homes behind the provider's address translation, 0..1. */
  readonly shareV6: number
  readonly shareNatted: number
  readonly carriers: ReadonlyMap<string, readonly Network[]>
  readonly sites: ReadonlyMap<string, Weighted<Site>>
  readonly regionalProviders: ReadonlyMap<string, Weighted<Site>>
  readonly vpns: readonly Network[]
  readonly shareWork: number
  readonly shareVpn: number
  readonly shareRegional: number
}

/** A home line for one household: IPv4 of its own or behind the provider's NAT, with or without IPv6. */
function createHome(rng: Rng, around: Surroundings, country: Country): Network {
  const { book } = around
  const carrierNat = rng.chance(around.shareNatted)
  const own = new FixedAddress(carrierNat ? '' : book.v4(country.fixed))
  const v4 = carrierNat ? rng.pick<Network>(around.carriers.get(country.code) ?? [own]) : own
  if (!rng.chance(around.shareV6)) return v4
  const subnet = book.v6Subnet(country.v6)
  return new DualStack(
    v4,
    new PrivacyAddresses(subnet, rng.fork(subnet)),
    rng.range(0.5, 0.95),
    rng.fork(`line-${subnet}`),
  )
}

/** A phone: the carrier's NAT for IPv4, often a /64 of its own as well. */
function createMobile(rng: Rng, around: Surroundings, country: Country): Network {
  const v4 = rng.pick(around.carriers.get(country.code) ?? [])
  if (!rng.chance(around.shareV6)) return v4
  const subnet = around.book.v6Subnet(country.v6)
  return new DualStack(
    v4,
    new PrivacyAddresses(subnet, rng.fork(subnet)),
    rng.range(0.4, 0.9),
    rng.fork(`phone-${subnet}`),
  )
}

/** A customer's view of a VPN: a few exits, one of them for some hours. */
function subscribe(rng: Rng, vpn: Network): Network {
  const exits = Array.from({ length: 4 }, () => vpn.address(0))
  return new HeldFor(exits, 4 * HOUR_MS, rng.fork(`vpn-${rng.hex(8)}`))
}

function createHousehold(rng: Rng, around: Surroundings, country: Country, identify: () => Account): Person[] {
  const provider = rng.chance(around.shareRegional) ? around.regionalProviders.get(country.code)?.pick(rng) : undefined
  const home = provider?.network ?? createHome(rng, around, country)
  const mobileHere = createMobile(rng, around, country)
  return Array.from({ length: rng.pick([1, 1, 1, 2, 2, 3, 4]) }, () => {
    const site = rng.chance(around.shareWork) ? around.sites.get(country.code)?.pick(rng) : undefined
    const vpn = rng.chance(around.shareVpn) ? subscribe(rng, rng.pick(around.vpns)) : undefined
    const person: Person = {
      ...identify(),
      country,
      shiftHours: rng.normal() * 1.5,
      home,
      mobile: rng.chance(0.3) ? mobileHere : createMobile(rng, around, country),
      work: site?.network,
      vpn,
      mobileShare: rng.range(0.05, 0.8),
    }
    site?.people.push(person)
    provider?.people.push(person)
    return person
  })
}

function sitesByCountry(sites: readonly Site[], rng: Rng): Map<string, Weighted<Site>> {
  const grouped = Map.groupBy(sites, (site) => site.country.code)
  const pools = new Map<string, Weighted<Site>>()
  for (const [code, members] of grouped)
    pools.set(
      code,
      new Weighted(
        members,
        members.map(() => rng.lognormal(1, 1.2)),
      ),
    )
  return pools
}

/** How people's lines are made; shares in 0..1. */
type Lines = Pick<Conditions, 'ipv6' | 'natted'>

/** `size` people with their homes, phones, offices, campuses and VPNs. `identify` issues account ids. */
export function createPopulation(
  rng: Rng,
  book: AddressBook,
  lines: Lines,
  size: number,
  identify: () => Account,
): Population {
  const countries = new Weighted(
    COUNTRIES,
    COUNTRIES.map((country) => country.weight * rng.lognormal(1, 0.5)),
  )
  const carriers = new Map(COUNTRIES.map((country) => [country.code, carriersOf(rng, book, country)]))
  const offices = createSites(rng, book, countries, Math.ceil(size / 60) + 12, 1.2)
  const campuses = createSites(rng, book, countries, Math.ceil(size / 2_000) + 4, 3)
  const regionalProviders = createSites(rng, book, countries, Math.ceil(size / 1_500) + 6, 1.3)
  const vpns = createVpns(rng, book, rng.between(4, 9))
  const around: Surroundings = {
    book,
    shareV6: lines.ipv6,
    shareNatted: lines.natted,
    carriers,
    sites: sitesByCountry([...offices, ...campuses], rng),
    vpns,
    shareWork: rng.range(0.2, 0.45),
    regionalProviders: sitesByCountry(regionalProviders, rng),
    shareVpn: rng.range(0.01, 0.06),
    shareRegional: rng.range(0.05, 0.12),
  }
  const people: Person[] = []
  while (people.length < size) people.push(...createHousehold(rng, around, countries.pick(rng), identify))
  const ranked = rng.shuffle(people)
  const weights = zipfWeights(ranked.length, rng.range(0.55, 0.95))
  const weightOf = new Map(ranked.map((person, rank) => [person, at(weights, rank)]))
  const byCountry = new Map<string, Weighted<Person>>()
  for (const [code, members] of Map.groupBy(people, (person) => person.country.code)) {
    byCountry.set(
      code,
      new Weighted(
        members,
        members.map((person) => weightOf.get(person) ?? 0),
      ),
    )
  }
  const anyone = new Weighted(ranked, weights)
  return { people, anyone, byCountry, carriers, offices, campuses, regionalProviders, vpns }
}
