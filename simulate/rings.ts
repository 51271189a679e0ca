/**
 * How a program picks the credential for a request. A benign program has one; whoever sidesteps limits has several and a rule.
 * Each rule is one evasion of docs/detection: round robin, random, failover, time slices, quota slices, sticky, shards.
 */
import { at, type Rng } from '#simulate/random.ts'
import type { Route } from '#simulate/routes.ts'

export interface Ring {
  /** Index of the credential for a request to `route`; `subject` tells whose data it is about, any integer. */
  choose(nowMs: number, route: Route, subject: number): number
  /** Told when credential `index` was refused on `route` until `resetAtMs`; answers whether another may still be free. */
  refused(nowMs: number, route: Route, index: number, resetAtMs: number): boolean
  /** Whether the choice depends on the route; then the route has to be known before the credential. */
  readonly byRoute?: boolean
}

const ignore = (): boolean => true

export function single(): Ring {
  return { choose: () => 0, refused: ignore }
}

/** Strictly in turn, or with `slip` (0..1) of the turns skipped, as several workers on one counter do. */
export function roundRobin(rng: Rng, count: number, slip: number): Ring {
  let turn = rng.below(count)
  return {
    choose() {
      turn = (turn + 1 + (slip > 0 && rng.chance(slip) ? rng.below(count) : 0)) % count
      return turn
    },
    refused: ignore,
  }
}

export function randomRotation(rng: Rng, count: number): Ring {
  return { choose: () => rng.below(count), refused: ignore }
}

/** The first credential not known to be exhausted on the route: the next one starts only when the one before was refused. */
export function failover(count: number): Ring {
  const blocked = new Map<number, number[]>()
  return {
    byRoute: true,
    choose(nowMs, route) {
      const until = blocked.get(route.index)
      if (until === undefined) return 0
      const free = until.findIndex((time) => time <= nowMs)
      return free === -1 ? count - 1 : free
    },
    refused(nowMs, route, index, resetAtMs) {
      const until = blocked.get(route.index) ?? Array.from({ length: count }, () => 0)
      until[index] = resetAtMs
      blocked.set(route.index, until)
      return until.some((time) => time <= nowMs)
    },
  }
}

/** Each credential has its part of every period of `periodMs` milliseconds. */
export function timeSlices(count: number, periodMs: number, phaseMs: number): Ring {
  return {
    choose(nowMs) {
      const into = (((nowMs - phaseMs) % periodMs) + periodMs) % periodMs
      return Math.min(count - 1, Math.floor((into * count) / periodMs))
    },
    refused: ignore,
  }
}

interface Stumbling {
  /** Median length of a slice, milliseconds, and the standard deviation of its logarithm. */
  readonly sliceMs: number
  readonly sigma: number
  /** Probability that the next key is not the next in turn. */
  readonly skip: number
}

/** One key after another, each for a slice of uneven length; now and then another's turn comes first. Asked in the order of time. */
export function stumblingSlices(rng: Rng, count: number, options: Stumbling): Ring {
  let index = rng.below(count)
  let untilMs = Number.NEGATIVE_INFINITY
  return {
    choose(nowMs) {
      while (nowMs >= untilMs) {
        const length = rng.lognormal(options.sliceMs, options.sigma)
        // The first slice is under way when the traffic begins.
        untilMs = untilMs === Number.NEGATIVE_INFINITY ? nowMs + length * rng.next() : untilMs + length
        index = (index + 1 + (count > 2 && rng.chance(options.skip) ? rng.below(count - 1) : 0)) % count
      }
      return index
    },
    refused: ignore,
  }
}

/** Moves on just before a credential is exhausted, counting by itself: `quota` requests each, in turn. */
export function quotaSlices(count: number, quota: (route: Route) => number): Ring {
  const used = new Map<number, number>()
  return {
    byRoute: true,
    choose(_nowMs, route) {
      const before = used.get(route.index) ?? 0
      used.set(route.index, before + 1)
      return Math.floor(before / Math.max(1, quota(route))) % count
    },
    refused: ignore,
  }
}

/** A job keeps its credential from beginning to end: `perSession` mean requests, `lanes` jobs at a time. */
export function sticky(rng: Rng, count: number, perSession: number, lanes: number): Ring {
  const jobs = Array.from({ length: lanes }, () => ({ key: rng.below(count), left: rng.geometric(perSession) }))
  return {
    choose() {
      const job = at(jobs, rng.below(lanes))
      if (job.left <= 0) {
        job.key = rng.below(count)
        job.left = rng.geometric(perSession)
      }
      job.left -= 1
      return job.key
    },
    refused: ignore,
  }
}

/** Every subject is served by `ways` of the credentials, by turns: shards that overlap. */
export function overlappingShards(rng: Rng, count: number, ways: number): Ring {
  return {
    choose(_nowMs, _route, subject) {
      const first = (Math.imul(subject, 0x9e37_79b1) >>> 8) % count
      const step = 1 + ((Math.imul(subject, 0x85eb_ca6b) >>> 8) % Math.max(1, count - 1))
      return (first + step * rng.below(Math.min(ways, count))) % count
    },
    refused: ignore,
  }
}

/** Every subject belongs to one credential for good, save a few (`strays`, 0..1) that moved in between. */
export function shards(rng: Rng, count: number, strays: number): Ring {
  return {
    choose(_nowMs, _route, subject) {
      const shard = (Math.imul(subject, 0x9e37_79b1) >>> 8) % count
      return strays > 0 && rng.chance(strays) ? rng.below(count) : shard
    },
    refused: ignore,
  }
}
