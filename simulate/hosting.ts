/** Where programs run: servers of one's own, shared hosts, cloud egress, recycled addresses, runners, VPNs, home lines. */
import { type AddressBook, companyOf, type HostingCompany } from '#simulate/addresses.ts'
import type { Conditions } from '#simulate/conditions.ts'
import { Failing, type Stop, stopsOf } from '#simulate/downtime.ts'
import { AnyOf, DualStack, FixedAddress, HeldFor, type Network, PrivacyAddresses } from '#simulate/networks.ts'
import { at, type Rng, Weighted, zipfWeights } from '#simulate/random.ts'
import { HOUR_MS, MINUTE_MS, type Span } from '#simulate/rhythm.ts'

interface HostingOptions {
  /** Applications of the platform, which the shared places grow with. */
  readonly apps: number
  readonly span: Span
  readonly conditions: Conditions
}

export class Hosting {
  private readonly options: HostingOptions
  private readonly book: AddressBook
  /** Share of servers with IPv6, 0..1. */
  private readonly shareV6: number
  /** Web hosts with one address and a few to very many unrelated customers. */
  private readonly sharedHosts: Weighted<Network>
  /** NAT gateways and serverless platforms: their exits carry whoever runs there. */
  private readonly egress: Weighted<readonly string[]>
  /** Addresses a cloud gives to one customer in the morning and to another in the afternoon. */
  private readonly recycled: readonly (readonly string[])[]
  private readonly runners: readonly string[]
  /** Script services, serverless platforms and proxies with many exits and crowds behind each. */
  private readonly pools: readonly (readonly string[])[]
  /** Servers of groups that have other tenants too. */
  private readonly sublets: Network[] = []

  constructor(rng: Rng, book: AddressBook, options: HostingOptions) {
    const { apps } = options
    const { roominess } = options.conditions
    this.book = book
    this.options = options
    this.shareV6 = options.conditions.ipv6 * rng.range(0.4, 0.8)
    const hosts = Array.from({ length: 4 + Math.ceil((apps * roominess) / rng.range(50, 90)) }, () =>
      this.failing(rng, new FixedAddress(book.v4(companyOf(rng).v4))),
    )
    this.sharedHosts = new Weighted(hosts, zipfWeights(hosts.length, rng.range(0.6, 1)))
    const exits = Array.from({ length: 3 + Math.ceil((apps * roominess) / rng.range(70, 140)) }, () =>
      this.addresses(rng, rng.size(3, 0.8, 1, 14)),
    )
    this.egress = new Weighted(exits, zipfWeights(exits.length, rng.range(0.5, 1)))
    this.recycled = Array.from({ length: 4 }, () =>
      this.addresses(rng, Math.ceil(apps * roominess * rng.range(0.01, 0.04)) + 5),
    )
    this.runners = this.addresses(rng, Math.ceil(apps / 8) + 20)
    this.pools = Array.from({ length: 4 }, () => this.addresses(rng, rng.size(20, 1, 2, 200)))
  }

  /** A place that is down now and then, as often as hosts of this world are. */
  failing(rng: Rng, network: Network): Network {
    const { span, conditions } = this.options
    const stops = stopsOf(rng.fork(`outages-${rng.hex(8)}`), span, conditions.outagesPerDay, 6 * MINUTE_MS)
    return stops.length === 0 ? network : new Failing(network, stops)
  }

  /** Servers of a group's own: other tenants may live on them, and some groups hide behind an exit that strangers use. */
  operated(rng: Rng, count: number): Network {
    const { conditions } = this.options
    const kind = rng.next()
    if (kind < conditions.pooled) return rng.chance(0.5) ? this.pool(rng) : this.sharedHost(rng)
    const servers = this.failing(rng, this.fleet(rng, count))
    if (rng.chance(conditions.sublet)) this.sublets.push(servers)
    return servers
  }

  /**
   * A provider whose customers all leave through the same exits: answers with one customer's view, which is also down at `stops`
   * of its own. The provider's outages, if any, hit all of them.
   */
  provider(rng: Rng, outages?: readonly Stop[]): (own: Rng, stops?: readonly Stop[]) => Network {
    const { span, conditions } = this.options
    const ips = rng.chance(0.6) ? rng.pick(this.pools) : this.addresses(rng, rng.size(4, 0.8, 1, 30))
    const all =
      outages ?? stopsOf(rng.fork(`provider-${at(ips, 0)}`), span, conditions.outagesPerDay / 2, 6 * MINUTE_MS)
    return (own, stops = []) => {
      const key = own.fork('exit')
      const exits = own.chance(0.6) ? new AnyOf(ips, key) : new HeldFor(ips, own.lognormal(HOUR_MS, 1), key)
      return new Failing(new Failing(exits, all), stops)
    }
  }

  /** One customer's view of a pool with many exits and a crowd behind each. */
  pool(rng: Rng): Network {
    const ips = rng.pick(this.pools)
    const key = rng.fork(`pool-${rng.hex(8)}`)
    return rng.chance(0.6) ? new AnyOf(ips, key) : new HeldFor(ips, rng.lognormal(HOUR_MS, 1), key)
  }

  private addresses(rng: Rng, count: number): string[] {
    const company = companyOf(rng)
    return Array.from({ length: count }, () => this.book.v4(company.v4))
  }

  /** One server of one's own. */
  server(rng: Rng, company: HostingCompany = companyOf(rng)): Network {
    const v4 = new FixedAddress(this.book.v4(company.v4))
    if (company.v6.length === 0 || !rng.chance(this.shareV6)) return v4
    const subnet = this.book.v6Subnet(company.v6)
    const v6 = new FixedAddress(`${subnet}::${rng.between(1, 9)}`)
    return rng.chance(0.4) ? v6 : new DualStack(v4, v6, rng.range(0.1, 0.9), rng.fork(subnet))
  }

  /** `count` servers of one's own at one company: side by side or scattered, used evenly or one after the other. */
  fleet(rng: Rng, count: number): Network {
    const company = companyOf(rng)
    if (count === 1) return this.server(rng, company)
    const ips = rng.chance(0.35)
      ? this.book.v4Block(company.v4, count)
      : Array.from({ length: count }, () => this.book.v4(company.v4))
    const key = rng.fork(`fleet-${at(ips, 0)}`)
    return rng.chance(0.7) ? new AnyOf(ips, key) : new HeldFor(ips, rng.lognormal(2 * HOUR_MS, 1), key)
  }

  sharedHost(rng: Rng): Network {
    return this.sharedHosts.pick(rng)
  }

  /** A function or container behind a gateway that others use as well. */
  cloudEgress(rng: Rng): Network {
    const ips = this.egress.pick(rng)
    const key = rng.fork(`egress-${rng.hex(8)}`)
    return rng.chance(0.5) ? new AnyOf(ips, key) : new HeldFor(ips, rng.lognormal(HOUR_MS, 0.8), key)
  }

  /** Instances that come and go on addresses others had before. */
  autoscaled(rng: Rng): Network {
    return new HeldFor(rng.pick(this.recycled), rng.lognormal(5 * HOUR_MS, 0.8), rng.fork(`scaled-${rng.hex(8)}`))
  }

  /** A runner of a build service: another machine for each run. */
  runner(rng: Rng): Network {
    return new HeldFor(this.runners, 12 * MINUTE_MS, rng.fork(`runner-${rng.hex(8)}`))
  }

  /** An IPv6-only machine with privacy addresses, as small virtual servers have. */
  subnet(rng: Rng): Network {
    const company = companyOf(rng)
    const prefix = this.book.v6Subnet(company.v6)
    return new PrivacyAddresses(prefix, rng.fork(prefix))
  }

  /** Wherever a server application might run. */
  anywhere(rng: Rng): Network {
    const { subtenants, roominess } = this.options.conditions
    if (this.sublets.length > 0 && rng.chance(subtenants)) return rng.pick(this.sublets)
    // Where there is little room, fewer have a server of their own.
    const place = 1 - rng.next() * (0.45 + 0.55 * roominess)
    if (place < 0.5) return this.failing(rng, this.server(rng))
    if (place < 0.66) return this.fleet(rng, rng.size(3, 0.7, 2, 24))
    if (place < 0.75) return this.autoscaled(rng)
    if (place < 0.87) return this.cloudEgress(rng)
    if (place < 0.92) return this.sharedHost(rng)
    if (place < 0.94) return this.pool(rng)
    if (place < 0.97) return this.subnet(rng)
    return this.runner(rng)
  }
}
