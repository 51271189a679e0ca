/**
 * From a snapshot to draft clusters: places and groups, hand-overs in time, pairs with their two ledgers, and what these assemble to.
 */
import type { ClickHouse } from '#lib/clickhouse.ts'
import { isOne, measureBackground, openLedgers, type PairLedgers } from '../evidence/ledgers.ts'
import { pairContext, pairFacts, type PairContext, type PairFacts } from '../evidence/pair-facts.ts'
import { audienceOf, MixModel, temper, withAudience } from '../evidence/route-mix.ts'
import { blockPairs, type BlockedPairs } from '../run/blocking.ts'
import { findPlaces } from '../run/places.ts'
import { readRequestTimes } from '../run/request-times.ts'
import type { Snapshot } from '../run/snapshot.ts'
import { alternates, alternation } from '../signals/timing/alternation.ts'
import { handOver, offWindowShifts, spellsOf, type HandOver, type Spells } from '../signals/timing/hand-over.ts'
import type { Part, Tuning } from '../tuning.ts'
import { assemble, mergeGroups, type DraftCluster } from './assemble.ts'
import { groupsOf, type Group } from './groups.ts'
import { ringDrafts } from './rings.ts'
import { successionKey, successions } from './succession.ts'

export interface Candidates {
  readonly context: PairContext
  readonly drafts: readonly DraftCluster[]
  readonly blocked: BlockedPairs
  /** All pairs looked at, with their ledgers, by `a b`. */
  readonly ledgers: ReadonlyMap<string, PairLedgers>
  readonly groups: readonly Group[]
  /** Of each app asked, when it was at work. */
  readonly spells: ReadonlyMap<number, Spells>
  readonly handOvers: ReadonlyMap<string, HandOver>
}

export interface CandidateOptions {
  readonly clickhouse: ClickHouse
  readonly snapshot: Snapshot
  readonly tuning: Tuning
  /** Parts of the detector that are left out, for ablation. */
  readonly without: ReadonlySet<Part>
  readonly onStep?: ((step: string) => void) | undefined
}

const key = (a: number, b: number): string => (a < b ? `${a} ${b}` : `${b} ${a}`)

/** Apps that stand for the platform: every k-th of those with enough requests, in the order of their ids. */
function worldOf(snapshot: Snapshot, { routeMix, groups }: Tuning): number[] {
  const active = snapshot.apps.flatMap((app, i) => (app.requests >= 2 * groups.requestsMin ? [i] : []))
  const step = Math.max(1, Math.ceil(active.length / routeMix.worldApps))
  return active.filter((_, i) => i % step === 0)
}

/** Apps without users of their own to be known by: the busiest of them are compared by time. */
function timedApps(snapshot: Snapshot, { spells, groups }: Tuning): number[] {
  return snapshot.apps
    .flatMap((app, i) => (app.users <= 1 && app.requests >= 4 * groups.requestsMin ? [i] : []))
    .toSorted((x, y) => (snapshot.apps[y]?.requests ?? 0) - (snapshot.apps[x]?.requests ?? 0) || x - y)
    .slice(0, spells.appsMax)
}

async function handOversOf(
  { clickhouse, snapshot, tuning }: CandidateOptions,
  context: PairContext,
): Promise<Pick<Candidates, 'spells' | 'handOvers'>> {
  const apps = timedApps(snapshot, tuning)
  const idOf = (app: number): string => snapshot.apps[app]?.app_id ?? ''
  const times = await readRequestTimes(clickhouse, apps.map(idOf), snapshot.window)
  const spells = new Map<number, Spells>()
  for (const app of apps) {
    const found = spellsOf(app, times.get(idOf(app))?.times ?? [], tuning)
    if (found.starts.length >= tuning.spells.hitsMin) spells.set(app, found)
  }
  const windowMs = snapshot.window.toMs - snapshot.window.fromMs
  const shifts = offWindowShifts(tuning.spells.shifts, tuning.gain.windowSeconds * 1000, 4_099)
  const handOvers = new Map<string, HandOver>()
  const all = [...spells.values()].toSorted((x, y) => x.app - y.app)
  for (const [i, one] of all.entries()) {
    for (const other of all.slice(i + 1)) {
      if (!shareARoute(context, one.app, other.app)) continue
      const found = handOver(one, other, shifts, windowMs, tuning)
      if (found !== undefined && found.bits >= tuning.spells.linkBits) handOvers.set(key(one.app, other.app), found)
    }
  }
  return { spells, handOvers }
}

/** Both send a good part of their requests to one route. */
function shareARoute({ snapshot }: PairContext, a: number, b: number): boolean {
  const [one, other] = [snapshot.apps[a]?.mix, snapshot.apps[b]?.mix]
  if (one === undefined || other === undefined) return false
  const shares = new Map([...one.keys].map((route, i) => [route, (one.counts[i] ?? 0) / one.total]))
  return [...other.keys].some(
    (route, i) => (shares.get(route) ?? 0) >= 0.2 && (other.counts[i] ?? 0) / other.total >= 0.2,
  )
}

/**
 * Exclusivity: anyone can move in where strangers live. On a place of four and more where the others are unlike, evidence counts only for a group
 * that is at least half of the residents, or too surprising to be strangers.
 */
function isCrowdedOut(facts: PairFacts, groupAt: ReadonlyMap<string, Group>, { groups }: Tuning): boolean {
  if (facts.places.length === 0) return false
  return facts.places.every(({ place }) => {
    const group = groupAt.get(`${place.id} ${facts.a}`)
    const isTogether = group !== undefined && group === groupAt.get(`${place.id} ${facts.b}`)
    if (place.residents.length < groups.crowdMin) return false
    return !isTogether || (group.apps.length * 2 < group.residents && group.surpriseBits < groups.surpriseMin)
  })
}

/** Pairs that lack little are followed request by request: exact alternation is nothing that strangers do. */
async function followNearPairs(
  { clickhouse, snapshot, tuning, without }: CandidateOptions,
  ledgers: Map<string, PairLedgers>,
  reopen: (facts: PairFacts, alternationBits: number) => PairLedgers,
): Promise<void> {
  if (without.has('alternation')) return
  const missing = ({ operatorBits, useCaseBits }: PairLedgers): number =>
    Math.max(0, tuning.ledgers.operatorBitsMin - operatorBits) +
    Math.max(0, tuning.ledgers.useCaseBitsMin - useCaseBits)
  const near = [...ledgers.values()]
    .filter((pair) => !isOne(pair, without, tuning) && missing(pair) <= tuning.alternation.nearBits)
    .filter(({ facts }) => (facts.mixBits ?? 0) > tuning.ledgers.vetoBits)
    .toSorted((x, y) => missing(x) - missing(y) || x.facts.a - y.facts.a || x.facts.b - y.facts.b)
    .slice(0, tuning.alternation.pairsMax)
  const idOf = (app: number): string => snapshot.apps[app]?.app_id ?? ''
  const apps = [...new Set(near.flatMap(({ facts }) => [facts.a, facts.b]))]
  const times = await readRequestTimes(clickhouse, apps.map(idOf), snapshot.window)
  const windowMs = snapshot.window.toMs - snapshot.window.fromMs
  for (const { facts } of near) {
    const pair = [times.get(idOf(facts.a))?.times ?? [], times.get(idOf(facts.b))?.times ?? []]
    const found = alternation(pair, tuning)
    if (!alternates(pair, found, tuning.gain.windowSeconds * 1000, windowMs, tuning)) continue
    const bits = Math.min(tuning.alternation.capBits, (found.z * found.z) / 2 / Math.LN2)
    ledgers.set(key(facts.a, facts.b), reopen(facts, bits))
  }
}

/** How likely a mix is for another app than the one it is compared with. */
function modelOf(snapshot: Snapshot, worldApps: readonly number[], tuning: Tuning): MixModel {
  const routes = snapshot.routes.length
  const world = worldApps.flatMap((app) => {
    const one = snapshot.apps[app]
    if (one === undefined) return []
    const mix = withAudience(one.mix, audienceOf(one.users), routes, tuning.routeMix.audienceRequests)
    return [temper(mix, tuning.routeMix.temper)]
  })
  return new MixModel({ world, routes, ...tuning.routeMix })
}

type Timing = Pick<Candidates, 'spells' | 'handOvers'>

/** Opens the ledgers of all blocked pairs; those that lack little are followed through time. */
async function comparePairs(
  options: CandidateOptions,
  context: PairContext,
  blocked: BlockedPairs,
  { handOvers }: Timing,
  groups: readonly Group[],
): Promise<Map<string, PairLedgers>> {
  const { snapshot, tuning, without } = options
  const groupAt = new Map(
    groups.flatMap((group) => group.apps.map((app) => [`${group.place.id} ${app}`, group] as const)),
  )
  const all = [...blocked.pairs.values()].map(({ a, b }) => pairFacts(context, a, b))
  const n = snapshot.apps.length
  const background = measureBackground(all, Math.max(1, (n * (n - 1)) / 2), tuning)
  const open = (facts: PairFacts, alternationBits: number): PairLedgers => {
    const time = handOvers.get(key(facts.a, facts.b))
    const isMutual = time !== undefined && time.back >= tuning.spells.backMin
    const timing = { handOverBits: isMutual ? time.bits : 0, alternationBits }
    return openLedgers(facts, timing, background, n, isCrowdedOut(facts, groupAt, tuning), without, tuning)
  }
  const ledgers = new Map(all.map((facts) => [key(facts.a, facts.b), open(facts, 0)]))
  await followNearPairs(options, ledgers, open)
  return ledgers
}

/** Accepted pairs but for those of an app and its successor. */
async function linksOf(
  { clickhouse, snapshot, tuning, without }: CandidateOptions,
  ledgers: ReadonlyMap<string, PairLedgers>,
): Promise<PairLedgers[]> {
  const idOf = (app: number): string => snapshot.apps[app]?.app_id ?? ''
  const accepted = [...ledgers.values()].filter((pair) => isOne(pair, without, tuning))
  const pairs = accepted.map(({ facts: { a, b } }) => ({ a: idOf(a), b: idOf(b) }))
  const moves = await successions(clickhouse, pairs, snapshot.window, tuning)
  return accepted.filter(({ facts: { a, b } }) => !moves.has(successionKey(idOf(a), idOf(b))))
}

/** Too surprising to be strangers. */
function isSurprising({ apps, residents, surpriseBits, fitBits }: Group, { groups }: Tuning): boolean {
  const least = apps.length === residents ? groups.exclusiveSurpriseMin : groups.surpriseMin
  return apps.length >= 3 && surpriseBits >= least && fitBits.values().reduce((sum, bits) => sum + bits, 0) > 0
}

export async function findCandidates(options: CandidateOptions): Promise<Candidates> {
  const { snapshot, tuning, without, onStep } = options
  const worldApps = worldOf(snapshot, tuning)
  const model = modelOf(snapshot, worldApps, tuning)
  const places = findPlaces(snapshot, tuning.places.alikeMin)
  const context = pairContext(snapshot, places, model, worldApps, tuning)
  onStep?.('comparing what runs at one place')
  const scope = { model, tuning, worldApps, routes: snapshot.routes.length }
  const groups = without.has('groups') ? [] : places.flatMap((place) => groupsOf(place, scope))
  onStep?.('following keys through time')
  const nothing: Timing = { spells: new Map(), handOvers: new Map() }
  const timing = without.has('hand_over') ? nothing : await handOversOf(options, context)
  onStep?.('comparing pairs')
  const blocked = blockPairs(snapshot, places, [...timing.handOvers.values()], tuning)
  const ledgers = await comparePairs(options, context, blocked, timing, groups)
  const windowMs = snapshot.window.toMs - snapshot.window.fromMs
  const rings = ringDrafts(windowMs, timing.spells, timing.handOvers, ledgers, tuning)
  const surprising = mergeGroups(
    groups.filter((group) => isSurprising(group, tuning)),
    model,
    tuning,
  )
  const drafts = assemble(surprising, rings, await linksOf(options, ledgers), tuning.clusters.linkShareMin)
  return { context, drafts, blocked, ledgers, groups, ...timing }
}
