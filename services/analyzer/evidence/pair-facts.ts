/**
 * What two apps have in common, as far as one has to know to ask the two questions of them: places, users, route mixes, programs, names.
 * Facts only; ledgers.ts turns them into bits.
 */
import type { MixModel, TemperedMix } from './route-mix.ts'
import { audienceOf, pool, temper, withAudience } from './route-mix.ts'
import type { Place, PlaceStream } from '../run/places.ts'
import type { Counts, Snapshot } from '../run/snapshot.ts'
import { poissonUpperTail } from '../statistics.ts'
import type { Tuning } from '../tuning.ts'

export interface CommonPlace {
  readonly place: Place
  /** Share of each app's requests made here, 0..1. */
  readonly shareA: number
  readonly shareB: number
}

export interface CommonUsers {
  /** End users whom both act for; popular ones (of more apps than the tuning says) are left out. */
  readonly users: number
  /** How many chance gives, in the degree-corrected model. */
  readonly expected: number
  /** P(at least so many | chance). */
  readonly p: number
  /** Share of requests with a user that were for users in common, the lesser of the two apps, 0..1. */
  readonly share: number
}

export interface PairFacts {
  readonly a: number
  readonly b: number
  readonly isSameOwner: boolean
  /** Both are in the registry, with an owner. */
  readonly areOwnersKnown: boolean
  readonly places: readonly CommonPlace[]
  readonly users: CommonUsers | undefined
  /** log2 Bayes factor of the route mixes, the lesser direction; undefined when too few requests are to be compared. */
  readonly mixBits: number | undefined
  /** Compared on the networks in common, or over all networks. */
  readonly mixScope: 'common networks' | 'all networks'
  /** A program that both speak as: -log2 of the share of apps that do, times the lesser share of requests; 0 for defaults of SDKs. */
  readonly agentBits: number
  readonly agent: string | undefined
  /** -log2 of the share of apps with that name's stem, when it is the same; 0 otherwise. */
  readonly stemBits: number
  /** -log2 of the share of apps with a domain in common; 0 without. */
  readonly domainBits: number
}

/** Everything that pairs are looked up in, made once for an analysis. */
export interface PairContext {
  readonly snapshot: Snapshot
  readonly tuning: Tuning
  readonly model: MixModel
  readonly worldApps: readonly number[]
  readonly places: readonly Place[]
  /** By app: its resident streams by place. */
  readonly residences: readonly ReadonlyMap<number, PlaceStream>[]
  /** By app: requests for each of the users that several apps have, popular ones left out, by number of the user. */
  readonly userRequests: readonly ReadonlyMap<number, number>[]
  /** Number of apps that speak as each program. */
  readonly agentDegree: ReadonlyMap<number, number>
  readonly stemDegree: ReadonlyMap<string, number>
  readonly domainDegree: ReadonlyMap<string, number>
  /** Programs that name nobody. */
  readonly isDefaultAgent: (agent: number) => boolean
  readonly mixCache: Map<string, { readonly mix: TemperedMix; readonly alternative: number }>
}

function tally<Key>(keys: Iterable<Key>): Map<Key, number> {
  const counts = new Map<Key, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

export function pairContext(
  snapshot: Snapshot,
  places: readonly Place[],
  model: MixModel,
  worldApps: readonly number[],
  tuning: Tuning,
): PairContext {
  const residences = snapshot.apps.map(() => new Map<number, PlaceStream>())
  for (const place of places) for (const stream of place.residents) residences[stream.app]?.set(place.id, stream)
  const userRequests = snapshot.apps.map(() => new Map<number, number>())
  for (const [user, { apps, requests }] of snapshot.users.entries()) {
    if (apps.length > tuning.users.popularApps) continue
    for (const [i, app] of apps.entries()) userRequests[app]?.set(user, requests[i] ?? 0)
  }
  const defaults = new RegExp(tuning.patterns.defaultUserAgents.replace('(?i)', ''), 'iu')
  const isDefault = snapshot.agents.map((agent) => defaults.test(agent))
  return {
    snapshot,
    tuning,
    model,
    worldApps,
    places,
    residences,
    userRequests,
    agentDegree: tally(snapshot.apps.flatMap((app) => [...app.agents.keys])),
    stemDegree: tally(snapshot.apps.map((app) => app.stem).filter((stem) => stem !== '')),
    domainDegree: tally(snapshot.apps.flatMap((app) => app.domains)),
    isDefaultAgent: (agent) => isDefault[agent] ?? true,
    mixCache: new Map(),
  }
}

/** The mix of an app on some places (all of its traffic for none), tempered, with its probability under the alternatives. */
export function mixOn(
  context: PairContext,
  app: number,
  on: readonly number[],
): { readonly mix: TemperedMix; readonly alternative: number } {
  const key = `${app}@${on.join(',')}`
  const known = context.mixCache.get(key)
  if (known !== undefined) return known
  const { snapshot, residences, model, tuning, worldApps, places } = context
  const whole = snapshot.apps[app]
  const streams = on.flatMap((place) => residences[app]?.get(place) ?? [])
  const counts = on.length === 0 ? whole?.mix : pool(streams.map((stream) => stream.mix))
  const users = on.length === 0 ? whole?.users : Math.max(0, ...streams.map((stream) => stream.users / stream.networks))
  const nothing: Counts = { keys: new Int32Array(0), counts: new Float64Array(0), total: 0 }
  const mix = temper(
    withAudience(counts ?? nothing, audienceOf(users ?? 0), snapshot.routes.length, tuning.routeMix.audienceRequests),
    tuning.routeMix.temper,
  )
  // Apps on the same places may be of the same cluster, which would mask itself.
  const near = new Set<number>([app])
  for (const place of on.length === 0 ? (residences[app]?.keys() ?? []) : on) {
    for (const stream of places[place]?.residents ?? []) near.add(stream.app)
  }
  const made = { mix, alternative: model.logAlternative(mix, (i) => near.has(worldApps[i] ?? -1)) }
  context.mixCache.set(key, made)
  return made
}

function mixFacts(
  context: PairContext,
  a: number,
  b: number,
  common: readonly number[],
): Pick<PairFacts, 'mixBits' | 'mixScope'> {
  const { model, tuning } = context
  const scopes: readonly (readonly [PairFacts['mixScope'], readonly number[]])[] =
    common.length > 0
      ? [
          ['common networks', common],
          ['all networks', []],
        ]
      : [['all networks', []]]
  for (const [mixScope, on] of scopes) {
    const one = mixOn(context, a, on)
    const other = mixOn(context, b, on)
    if (one.mix.total < tuning.groups.requestsMin || other.mix.total < tuning.groups.requestsMin) continue
    const cap = Math.log2(Math.max(2, model.world.length))
    const there = model.logProbability(other.mix, one.mix) - other.alternative
    const back = model.logProbability(one.mix, other.mix) - one.alternative
    return { mixBits: Math.max(-20, Math.min(cap, there, back)), mixScope }
  }
  return { mixBits: undefined, mixScope: 'all networks' }
}

function usersInCommon(context: PairContext, a: number, b: number): CommonUsers | undefined {
  const { snapshot, userRequests, tuning } = context
  const [mine, others] = [userRequests[a], userRequests[b]]
  const [one, other] = [snapshot.apps[a], snapshot.apps[b]]
  if (mine === undefined || others === undefined || one === undefined || other === undefined) return undefined
  if (one.user_requests === 0 || other.user_requests === 0) return undefined
  let users = 0
  let sharedA = 0
  let sharedB = 0
  let expected = 0
  // P(app has the user) = 1 - exp(-d_app d_user / E): E = edges of the app-user graph of shared users.
  const edges = Math.max(
    1,
    context.userRequests.reduce((sum, map) => sum + map.size, 0),
  )
  for (const [user, requests] of mine) {
    const theirs = others.get(user)
    const degree = snapshot.users[user]?.apps.length ?? 0
    // Given that the user is in a: the chance of being in b too, through the other slots.
    expected += 1 - Math.exp((-others.size * Math.max(0, degree - 1)) / edges)
    if (theirs === undefined) continue
    users += 1
    sharedA += requests
    sharedB += theirs
  }
  if (users === 0) return { users, expected, p: 1, share: 0 }
  const share = Math.min(sharedA / one.user_requests, sharedB / other.user_requests)
  return { users, expected, p: poissonUpperTail(users, Math.max(expected, tuning.users.expectedMin)), share }
}

function commonAgent(context: PairContext, one: Counts, other: Counts): Pick<PairFacts, 'agentBits' | 'agent'> {
  const { snapshot, agentDegree, isDefaultAgent, tuning } = context
  const theirs = new Map([...other.keys].map((key, i) => [key, (other.counts[i] ?? 0) / Math.max(1, other.total)]))
  let agentBits = 0
  let agent: string | undefined
  for (const [i, key] of one.keys.entries()) {
    const share = Math.min((one.counts[i] ?? 0) / Math.max(1, one.total), theirs.get(key) ?? 0)
    const degree = agentDegree.get(key) ?? snapshot.apps.length
    if (share < tuning.userAgents.shareMin || degree > tuning.userAgents.appsMax || isDefaultAgent(key)) continue
    const bits = -Math.log2(degree / snapshot.apps.length) * share
    if (bits > agentBits) {
      agentBits = bits
      agent = snapshot.agents[key]
    }
  }
  return { agentBits, agent }
}

export function pairFacts(context: PairContext, a: number, b: number): PairFacts {
  const { snapshot, residences, places, stemDegree, domainDegree, tuning } = context
  const [one, other] = [snapshot.apps[a], snapshot.apps[b]]
  if (one === undefined || other === undefined) throw new Error('a pair of unknown apps')
  const common: CommonPlace[] = []
  const agentsA: Counts[] = []
  const agentsB: Counts[] = []
  for (const [id, stream] of residences[a] ?? []) {
    const theirs = residences[b]?.get(id)
    const place = places[id]
    if (theirs === undefined || place === undefined) continue
    common.push({ place, shareA: stream.share, shareB: theirs.share })
    agentsA.push(stream.agents)
    agentsB.push(theirs.agents)
  }
  const agents = common.length > 0 ? [pool(agentsA), pool(agentsB)] : [one.agents, other.agents]
  const [mine, theirs] = agents
  const rarity = (degree: number | undefined): number =>
    degree === undefined || degree > tuning.registry.appsMax ? 0 : -Math.log2(degree / snapshot.apps.length)
  const domain = one.domains.find((name) => other.domains.includes(name))
  return {
    a,
    b,
    isSameOwner: one.owner_id !== '' && one.owner_id === other.owner_id,
    areOwnersKnown: one.owner_id !== '' && other.owner_id !== '',
    places: common,
    users: usersInCommon(context, a, b),
    ...mixFacts(
      context,
      a,
      b,
      common.map(({ place }) => place.id),
    ),
    ...commonAgent(context, mine ?? one.agents, theirs ?? other.agents),
    stemBits: one.stem !== '' && one.stem === other.stem ? rarity(stemDegree.get(one.stem)) : 0,
    domainBits: domain === undefined ? 0 : rarity(domainDegree.get(domain)),
  }
}
