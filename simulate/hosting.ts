/** Where programs run: servers of one's own, shared hosts, cloud egress, recycled addresses, runners, VPNs, home lines. */
import { type AddressBook, companyOf, type HostingCompany } from '#simulate/addresses.ts'
import { AnyOf, DualStack, FixedAddress, HeldFor, type Network, PrivacyAddresses } from '#simulate/networks.ts'
import { at, type Rng, Weighted, zipfWeights } from '#simulate/random.ts'
import { HOUR_MS, MINUTE_MS } from '#simulate/rhythm.ts'

export class Hosting {
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

  /** `apps` is the number of applications of the platform, which the shared places grow with. */
  constructor(rng: Rng, book: AddressBook, apps: number) {
    this.book = book
    this.shareV6 = rng.range(0.3, 0.7)
    const hosts = Array.from(
      { length: 4 + Math.ceil(apps / rng.range(50, 90)) },
      () => new FixedAddress(book.v4(companyOf(rng).v4)),
    )
    this.sharedHosts = new Weighted(hosts, zipfWeights(hosts.length, rng.range(0.6, 1)))
    const exits = Array.from({ length: 3 + Math.ceil(apps / rng.range(70, 140)) }, () =>
      this.addresses(rng, rng.size(3, 0.8, 1, 14)),
    )
    this.egress = new Weighted(exits, zipfWeights(exits.length, rng.range(0.5, 1)))
    this.recycled = Array.from({ length: 4 }, () => this.addresses(rng, Math.ceil(apps * rng.range(0.01, 0.04)) + 5))
    this.runners = this.addresses(rng, Math.ceil(apps / 8) + 20)
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
    const place = rng.next()
    if (place < 0.5) return this.server(rng)
    if (place < 0.66) return this.fleet(rng, rng.size(3, 0.7, 2, 24))
    if (place < 0.75) return this.autoscaled(rng)
    if (place < 0.87) return this.cloudEgress(rng)
    if (place < 0.94) return this.sharedHost(rng)
    if (place < 0.97) return this.subnet(rng)
    return this.runner(rng)
  }
}
