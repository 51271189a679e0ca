/** Judges draft clusters: who stands in them, what proves one hand, which rule they break or which innocent explanation holds. */
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { DraftCluster } from '../clusters/assemble.ts'
import type { Candidates } from '../clusters/candidates.ts'
import { readRequestTimes, type RequestTimes } from '../run/request-times.ts'
import type { Snapshot, SnapshotApp } from '../run/snapshot.ts'
import { coActivity, type CoActivity } from '../signals/timing/co-activity.ts'
import { isRing, ringOf, type Ring } from '../signals/timing/hand-over.ts'
import { modeOf, type ModeEvidence } from '../signals/timing/mode.ts'
import { oneProcess, outageMinutes, pollsOf, type OneProcess } from '../signals/timing/one-process.ts'
import type { Part, Tuning } from '../tuning.ts'
import { hasProof, isByUsersAlone, isCorroborated } from './proof.ts'
import { judgeExemption, notProduction, type EnvironmentUse, type Exemption } from './exemption.ts'
import { areBorrowed, areKeysOfMany, borrowedKeys, type Borrowed } from './keys.ts'
import { measureGains, type Gain } from './materiality.ts'
import { isOneOwner, isSharded, judge, type Verdict } from './policy.ts'
import { mixesIn, roomOf, surroundings, usersIn } from './room.ts'
import { standing } from './standing.ts'
import { readClusterUsers, sharedUserShare, userJaccard, type ClusterUsers } from './users.ts'

export interface Judged {
  readonly draft: DraftCluster
  /** App numbers that are held to be one, ascending. */
  readonly members: readonly number[]
  readonly victims: readonly number[]
  readonly apps: readonly SnapshotApp[]
  readonly process: OneProcess | undefined
  readonly borrowed: Borrowed | undefined
  readonly ring: Ring | undefined
  /** End users seen on the common places, by app id. */
  readonly usersHere: ReadonlyMap<string, number>
  /** Whether the apps have one rhythm; asked of two apps of one account only. */
  readonly rhythm: CoActivity | undefined
  readonly mode: ModeEvidence
  readonly sharedUserShare: number | null
  readonly environment: EnvironmentUse
  readonly exemption: Exemption
  readonly gain: Gain
  readonly verdict: Verdict
}

export interface VerdictOptions {
  readonly clickhouse: ClickHouse
  readonly snapshot: Snapshot
  readonly candidates: Candidates
  readonly tuning: Tuning
  readonly without: ReadonlySet<Part>
}

function appsOf(snapshot: Snapshot, numbers: readonly number[]): SnapshotApp[] {
  return numbers.flatMap((app) => snapshot.apps[app] ?? [])
}

/** Other residents that tell of outages: so many are enough. */
const OTHERS_MAX = 60

async function processOf(options: VerdictOptions, members: readonly number[]): Promise<OneProcess | undefined> {
  const { clickhouse, snapshot, candidates, tuning } = options
  const { context } = candidates
  const { networks, others } = surroundings(context, roomOf(context, members))
  if (networks.length === 0) return undefined
  const windowMs = snapshot.window.toMs - snapshot.window.fromMs
  const idOf = (app: number): string => snapshot.apps[app]?.app_id ?? ''
  const some = others.slice(0, OTHERS_MAX)
  const times = await readRequestTimes(clickhouse, [...members, ...some].map(idOf), snapshot.window, networks)
  const pollsHere = (app: number): ReturnType<typeof pollsOf> => pollsOf(app, times.get(idOf(app))?.times ?? [], tuning)
  return oneProcess(members.map(pollsHere), outageMinutes(some.map(pollsHere), windowMs), windowMs, tuning)
}

/** Members whose requests are read one by one: a cluster's time is told by the busiest of them. */
const TIMED_MAX = 60

/** What is known of a cluster before its users and its gain are read. */
type Proven = Omit<Judged, 'exemption' | 'gain' | 'verdict' | 'environment' | 'sharedUserShare' | 'mode'> & {
  readonly times: readonly RequestTimes[]
}

async function prove(options: VerdictOptions, draft: DraftCluster): Promise<Proven> {
  const { clickhouse, snapshot, candidates, tuning, without } = options
  const borrowed = borrowedKeys(candidates.context, mixesIn(roomOf(candidates.context, draft.apps)))
  const { members, victims } = without.has('standing')
    ? { members: draft.apps, victims: [] }
    : standing(candidates.context, draft, areBorrowed(borrowed, tuning))
  const apps = appsOf(snapshot, members)
  const busiest = members
    .toSorted((x, y) => (snapshot.apps[y]?.requests ?? 0) - (snapshot.apps[x]?.requests ?? 0) || x - y)
    .slice(0, TIMED_MAX)
  const times = await readRequestTimes(
    clickhouse,
    appsOf(snapshot, busiest).map((app) => app.app_id),
    snapshot.window,
  )
  const usersHere = usersIn(candidates.context, roomOf(candidates.context, members))
  const isKeys = areKeysOfMany(apps, usersHere, tuning) && !isOneOwner(apps)
  const process = isKeys && !without.has('one_process') ? await processOf(options, busiest) : undefined
  const spells = members.flatMap((app) => candidates.spells.get(app) ?? [])
  const windowMs = snapshot.window.toMs - snapshot.window.fromMs
  const ring =
    spells.length >= 2 && spells.length <= tuning.spells.ringAppsMax
      ? ringOf(spells, tuning.gain.windowSeconds * 1000, windowMs, tuning)
      : undefined
  const timesByKey = [...times.values()].map((one) => one.times)
  // Two products of one account are all that it decides about, and it is dear.
  const isAsked = isOneOwner(apps) && draft.apps.length === 2
  const rhythm = !isAsked ? undefined : coActivity(timesByKey, tuning.gain.windowSeconds * 1000, windowMs, tuning)
  return { draft, members, victims, apps, usersHere, process, borrowed, ring, rhythm, times: [...times.values()] }
}

export async function judgeDrafts(options: VerdictOptions): Promise<Judged[]> {
  const { clickhouse, snapshot, candidates, tuning } = options
  const proven = []
  for (const draft of candidates.drafts) proven.push(await prove(options, draft))
  const clusters = proven.map(({ apps }) => apps.map((app) => app.app_id))
  const users = await readClusterUsers(clickhouse, clusters, snapshot.window)
  const gains = await measureGains(
    clickhouse,
    proven.map(({ apps }) => {
      const limits = new Map<string, number>()
      for (const app of apps)
        for (const [route, limit] of app.limits) limits.set(route, Math.max(limit, limits.get(route) ?? 0))
      return { apps: apps.map((app) => app.app_id), notProduction: notProduction(apps), limits }
    }),
    snapshot.window,
    tuning,
  )
  return proven.map((one, i) => {
    const gain = gains[i]
    if (gain === undefined) throw new Error('a cluster without a gain')
    return judgeOne(options, one, gain, users[i] ?? [])
  })
}

/** Exemption, mode and rule of one cluster. */
function judgeOne(
  { snapshot, tuning, without }: VerdictOptions,
  proven: Proven,
  gain: Gain,
  users: ClusterUsers,
): Judged {
  const { times, ...one } = proven
  const jaccard = userJaccard(users, notProduction(one.apps))
  const environment: EnvironmentUse = { gain: gain.value, gainOfOthers: gain.ofOthers, userJaccard: jaccard }
  const shared = sharedUserShare(users)
  const mode = modeOf(
    times,
    one.ring,
    one.ring !== undefined && isRing(one.ring, tuning),
    isSharded(one.apps, shared, tuning),
    tuning.gain.windowSeconds * 1000,
    snapshot.window.toMs - snapshot.window.fromMs,
    tuning,
  )
  const exemption = judgeExemption(one.apps, environment, tuning)
  const known = { ...one, mode }
  const facts = {
    apps: one.apps,
    exemption,
    gain: without.has('materiality') ? { ...gain, value: Number.POSITIVE_INFINITY } : gain,
    sharedUserShare: shared,
    usersHere: one.usersHere,
    isByUsersAlone: isByUsersAlone(known, tuning),
    isCorroborated: isCorroborated(known, tuning),
    hasProof: hasProof(known, without, tuning),
  }
  return { ...known, sharedUserShare: shared, environment, exemption, gain, verdict: judge(facts, tuning) }
}
