/**
 * Where requests come from. A network answers which client address a request sent now would show; people, servers and
 * operators all use the same few kinds, so that no kind of address behaviour gives a scenario away.
 */
import type { Rng } from '#simulate/random.ts'

export interface Network {
  /** Client address as text for a request at `nowMs` (epoch milliseconds). */
  address(nowMs: number): string
  /** When nobody gets out of it now: the end of that, epoch milliseconds; a time in the past, or nothing, otherwise. */
  downUntil?(nowMs: number): number
}

/** One server, or one office line: always the same address. */
export class FixedAddress implements Network {
  private readonly ip: string

  constructor(ip: string) {
    this.ip = ip
  }

  address(): string {
    return this.ip
  }
}

/** A load-balanced pool or a NAT with many exits: any of its addresses for each request. */
export class AnyOf implements Network {
  private readonly ips: readonly string[]
  private readonly rng: Rng

  constructor(ips: readonly string[], rng: Rng) {
    this.ips = ips
    this.rng = rng
  }

  address(): string {
    return this.rng.pick(this.ips)
  }
}

/** A pool that hands out one address for a while: autoscaled instances, VPN sessions, CI runners. */
export class HeldFor implements Network {
  private readonly ips: readonly string[]
  private readonly rng: Rng
  private readonly holdMs: number
  private ip = ''
  private untilMs = Number.NEGATIVE_INFINITY

  /** `holdMs` is the mean of an exponential holding time, milliseconds. */
  constructor(ips: readonly string[], holdMs: number, rng: Rng) {
    this.ips = ips
    this.rng = rng
    this.holdMs = holdMs
  }

  address(nowMs: number): string {
    if (nowMs >= this.untilMs) {
      this.ip = this.rng.pick(this.ips)
      this.untilMs = nowMs + this.rng.exponential(this.holdMs)
    }
    return this.ip
  }
}

/** Privacy addresses inside one /64 (RFC 8981), as home lines and phones show them; counted as one network key. */
export class PrivacyAddresses implements Network {
  private readonly prefix64: string
  private readonly rng: Rng

  /** `prefix64` is four groups of a /64 without a trailing colon: `2003:e1:ab12:3400`. */
  constructor(prefix64: string, rng: Rng) {
    this.prefix64 = prefix64
    this.rng = rng
  }

  address(): string {
    const { rng } = this
    return `${this.prefix64}:${rng.hex(4)}:${rng.hex(4)}:${rng.hex(4)}:${rng.hex(4)}`
  }
}

/** A line with both protocols; clients prefer IPv6 most of the time (Happy Eyeballs, RFC 8305). */
export class DualStack implements Network {
  private readonly v4: Network
  private readonly v6: Network
  private readonly shareV6: number
  private readonly rng: Rng

  constructor(v4: Network, v6: Network, shareV6: number, rng: Rng) {
    this.v4 = v4
    this.v6 = v6
    this.shareV6 = shareV6
    this.rng = rng
  }

  address(nowMs: number): string {
    return (this.rng.chance(this.shareV6) ? this.v6 : this.v4).address(nowMs)
  }
}

/** An operator who owns a /48 and moves on to another /64 of it every so often: no /64 is seen for long. */
export class RotatingPrefix implements Network {
  private readonly prefix48: string
  private readonly rng: Rng
  private readonly holdMs: number
  private readonly pool: number
  private subnet = ''
  private untilMs = Number.NEGATIVE_INFINITY

  /** `pool` is how many /64 the operator has routed (1..65536); `holdMs` the mean time on one, milliseconds. */
  constructor(prefix48: string, pool: number, holdMs: number, rng: Rng) {
    this.prefix48 = prefix48
    this.pool = pool
    this.holdMs = holdMs
    this.rng = rng
  }

  address(nowMs: number): string {
    if (nowMs >= this.untilMs) {
      this.subnet = (1 + this.rng.below(this.pool)).toString(16)
      this.untilMs = nowMs + this.rng.exponential(this.holdMs)
    }
    const { rng } = this
    return `${this.prefix48}:${this.subnet}:${rng.hex(4)}:${rng.hex(4)}:${rng.hex(4)}:${rng.hex(4)}`
  }
}

/** Mostly one network, sometimes another: a server with a home line beside it, a shared machine beside one's own. */
export class Mixture implements Network {
  private readonly first: Network
  private readonly second: Network
  private readonly shareFirst: number
  private readonly rng: Rng
  private readonly holdMs: number
  private onFirst = false
  private untilMs = Number.NEGATIVE_INFINITY

  /** `shareFirst` (0..1) of the requests go by the first; whether one by one or in stretches is drawn. */
  constructor(first: Network, second: Network, shareFirst: number, rng: Rng) {
    this.first = first
    this.second = second
    this.shareFirst = shareFirst
    this.rng = rng
    // Some balance every request, others fail over or move work from one machine to another for minutes or hours.
    this.holdMs = rng.chance(0.5) ? 0 : rng.lognormal(15 * 60_000, 1)
  }

  address(nowMs: number): string {
    if (nowMs >= this.untilMs) {
      this.onFirst = this.rng.chance(this.shareFirst)
      this.untilMs = nowMs + (this.holdMs === 0 ? 0 : this.rng.exponential(this.holdMs))
    }
    return (this.onFirst ? this.first : this.second).address(nowMs)
  }

  /** Down only when both are: traffic moves over to the one that is left. */
  downUntil(nowMs: number): number {
    return Math.min(this.first.downUntil?.(nowMs) ?? 0, this.second.downUntil?.(nowMs) ?? 0)
  }
}
