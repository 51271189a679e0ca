/**
 * What kind of world a seed draws: how large, how honest, how noisy, and what its gateway and registry tell. Everything that is
 * the same for a whole platform is drawn here from wide ranges (domain randomisation), so that nothing can be tuned to one of them.
 *
 * - `tidy`: members of a service share one exact mix, servers have one tenant, schedulers never stumble.
 * - `hard`: mixes are jittered and drift, servers and pools are shared with strangers, hosts fail, schedules stumble, rivals frame.
 * - `benign`: as noisy as hard, and nobody breaks a rule.
 */
import type { Rng } from '#simulate/random.ts'

export const WORLD_KINDS = ['tidy', 'hard', 'benign'] as const
export type WorldKind = (typeof WORLD_KINDS)[number]

/** Shares and probabilities in 0..1; sigmas are standard deviations of a logarithm. */
export interface Conditions {
  readonly kind: WorldKind
  /** Routes of the API; with one route, what an app does says nothing. */
  readonly routes: number
  /** What the gateway logs. */
  readonly logsUsers: boolean
  readonly logsAgents: boolean
  readonly limitHeaders: 'always' | 'on_429' | 'never'
  /** For which apps the registry tells the limits. */
  readonly registryLimits: 'all' | 'negotiated' | 'none'
  /** Share of apps without a registry record. */
  readonly unregistered: number
  /** Probability that a developer leaves description or site empty. */
  readonly careless: number
  /** Factor on the probability that sibling keys are registered alike. */
  readonly likeness: number
  /** Probability that a group keeps its habits of user agents; otherwise they are redrawn. */
  readonly agentHabit: number
  /** Limit windows start at a time of each app's own. */
  readonly phasedWindows: boolean
  /** A free app may serve this many times its own limit over all its users. */
  readonly allUsersFactor: number
  /** How far the mix of one member of a service is from the others'. */
  readonly mixJitter: number
  /** How far the mix of a program wanders within a day or two. */
  readonly mixDrift: number
  /** Factor on the number of keys of a group. */
  readonly groupScale: number
  /** Share of groups whose servers have other tenants as well. */
  readonly sublet: number
  /** Share of server apps in the background that move onto such servers. */
  readonly subtenants: number
  /** Share of groups that work behind an exit which strangers use, instead of servers of their own. */
  readonly pooled: number
  /** Mean outages of a host, and restarts of a program, in 24 hours. */
  readonly outagesPerDay: number
  readonly restartsPerDay: number
  /** How badly schedules stumble: 0 never, 1 badly. */
  readonly stumble: number
  /** Share of operations that begin in the course of the traffic. */
  readonly lateStart: number
  /** Number of people, and of places they share, against the usual: fewer means more apps behind each address. */
  readonly roominess: number
  /** Share of lines with IPv6, and of homes behind their provider's address translation. */
  readonly ipv6: number
  readonly natted: number
  /** Factor on the number of people of an app. */
  readonly audience: number
  /** Builds and browsers of an app's people, at most. */
  readonly agentsMost: number
  /** Share of a person's requests that follow the last at once: a screen that loads several things. */
  readonly screens: number
  /** Factor on the share of programs that work without a user's token. */
  readonly appOnly: number
  /** Routes that any program needs at least, and how unequally it uses them. */
  readonly breadthLeast: number
  readonly unevenness: number
  /** Share of programs that ask one by one at even times, rather than in a stream or in batches. */
  readonly evenPolls: number
  /** Share of apps whose developer chose too small a tier and lives with refusals. */
  readonly undersized: number
  /** Median requests a day of a background app at load 1, and the spread of their logarithm. */
  readonly perDayMedian: number
  readonly perDaySigma: number
  /** Share of the apps that violations, and that look-alikes with exempt groups take. */
  readonly violationShare: number
  readonly lookalikeShare: number
}

/** One API in 25 has a single route, one in six a handful. */
function routesOf(rng: Rng): number {
  const kind = rng.next()
  if (kind < 0.04) return 1
  return kind < 0.2 ? rng.between(5, 12) : rng.between(13, 60)
}

/** A gateway that shows no limit needs a registry that does: without either, no gain could be shown and nothing would be fair. */
function limitsOf(rng: Rng): Pick<Conditions, 'limitHeaders' | 'registryLimits'> {
  const limitHeaders = rng.pick(['always', 'always', 'always', 'always', 'on_429', 'never'] as const)
  const registryLimits = rng.pick(['all', 'negotiated', 'none'] as const)
  return { limitHeaders, registryLimits: limitHeaders === 'always' ? registryLimits : 'all' }
}

/** Conditions that exist in every kind of world. */
function platform(rng: Rng): Omit<Conditions, keyof typeof TIDY | 'kind'> {
  return {
    routes: routesOf(rng),
    logsUsers: rng.chance(0.9),
    logsAgents: rng.chance(0.9),
    ...limitsOf(rng),
    careless: rng.range(0, 0.4),
    phasedWindows: rng.chance(0.4),
    allUsersFactor: rng.lognormal(2.5, 0.6),
    groupScale: rng.lognormal(1, 0.3),
    lateStart: rng.range(0.1, 0.5),
    roominess: rng.chance(0.4) ? 1 : rng.range(0.08, 1),
    ipv6: rng.chance(0.1) ? 0 : rng.range(0.2, 0.9),
    natted: rng.range(0.05, 0.8),
    audience: rng.lognormal(0.7, 0.7),
    agentsMost: rng.pick([1, 3, 6, 16, 16]),
    screens: rng.range(0.1, 0.65),
    appOnly: rng.pick([0, 1, 1, rng.next(), rng.next()]),
    breadthLeast: rng.pick([1, 1, 2, 3, 4]),
    unevenness: rng.range(0.3, 1),
    evenPolls: rng.range(0, 0.5),
    undersized: rng.range(0, 0.08),
    perDayMedian: rng.lognormal(140, 0.5),
    perDaySigma: rng.range(1.2, 3),
    violationShare: rng.range(0.08, 0.2),
    lookalikeShare: rng.range(0.18, 0.34),
  }
}

const TIDY = {
  unregistered: 0,
  likeness: 1,
  agentHabit: 1,
  mixJitter: 0,
  mixDrift: 0,
  sublet: 0,
  subtenants: 0,
  pooled: 0,
  outagesPerDay: 0,
  restartsPerDay: 0,
  stumble: 0,
} as const

function untidy(rng: Rng): Pick<Conditions, keyof typeof TIDY> {
  return {
    unregistered: rng.chance(0.7) ? 0 : rng.range(0.01, 0.35),
    likeness: rng.range(0.2, 1),
    agentHabit: rng.range(0.4, 1),
    mixJitter: rng.range(0.2, 0.4),
    mixDrift: rng.range(0, 0.5),
    sublet: rng.range(0.2, 0.7),
    subtenants: rng.range(0.03, 0.12),
    pooled: rng.range(0.05, 0.35),
    outagesPerDay: rng.range(0.1, 1.5),
    restartsPerDay: rng.range(0, 2),
    stumble: rng.range(0.1, 1),
  }
}

/** Draws a world of this kind; `fixed` overrides single conditions, for tests and for asking what one of them costs. */
export function drawConditions(rng: Rng, kind: WorldKind, fixed: Partial<Conditions> = {}): Conditions {
  const conditions = {
    kind,
    ...platform(rng.fork('platform')),
    ...(kind === 'tidy' ? TIDY : untidy(rng.fork('noise'))),
  }
  if (kind === 'benign') return { ...conditions, violationShare: 0, lookalikeShare: rng.range(0.3, 0.5), ...fixed }
  return { ...conditions, ...fixed }
}
