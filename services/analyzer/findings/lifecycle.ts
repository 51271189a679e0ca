/**
 * The life of findings over analyses: what was stored and what was found now, to the revisions that follow. Pure.
 *
 * - A finding keeps its uid while its cluster lives: best Jaccard similarity of members with an earlier one, at least a half.
 * - It gets a new revision only when something that counts changed (findingDigest): the same content is the same revision.
 * - One that is no longer found is closed, once; it opens again under its uid when its cluster is back.
 *
 * Who may say so when several analyzers are at work: run/runs.ts.
 */
import type { Finding } from '#schemas/finding.ts'
import type { Window } from '../run/window.ts'
import type { Tuning } from '../tuning.ts'
import { buildFinding, findingDigest, newFindingUid, type Identity } from './event.ts'
import type { Violation } from './violation.ts'

/** The latest revision of a finding, as it was stored. */
export interface StoredFinding {
  readonly uid: string
  readonly revision: number
  readonly status: string
  readonly digest: string
  readonly app_ids: readonly string[]
  readonly event: Finding
}

/** What an analysis adds to the life of a finding. */
export interface Revision {
  readonly finding: Finding
  readonly digest: string
  readonly status: 'opened' | 'updated' | 'closed'
}

export interface Life {
  /** All that is open now, unchanged ones included, riskiest first. */
  readonly open: readonly Finding[]
  /** What changed, closed ones included: to be stored, and to be told. */
  readonly revisions: readonly Revision[]
}

export interface LifeContext {
  readonly window: Window
  readonly tuning: Tuning
  /** Time of the revisions, epoch milliseconds. */
  readonly nowMs: number
}

export function lifecycle(
  stored: readonly StoredFinding[],
  violations: readonly Violation[],
  { window, tuning, nowMs }: LifeContext,
): Life {
  const found = violations.map((violation) => ({
    violation,
    apps: violation.cluster.apps,
    digest: findingDigest(violation),
  }))
  const identities = matchFindings(found, stored)
  const known = new Map(stored.map((finding) => [`${finding.uid}:${finding.revision}`, finding.event]))
  const open: Finding[] = []
  const revisions: Revision[] = []
  for (const [index, { violation, digest }] of found.entries()) {
    const identity = identities[index]
    if (identity === undefined) throw new Error('a violation was given no identity')
    const same = known.get(`${identity.uid}:${identity.revision}`)
    const finding = same ?? buildFinding(violation, identity, window, nowMs, tuning)
    open.push(finding)
    if (same === undefined) revisions.push({ finding, digest, status: identity.revision === 1 ? 'opened' : 'updated' })
  }
  const alive = new Set(identities.map(({ uid }) => uid))
  for (const { uid, status, event, digest, revision } of stored) {
    if (status === 'closed' || alive.has(uid)) continue
    revisions.push({ finding: closed(event, revision + 1, nowMs), digest, status: 'closed' })
  }
  return { open: riskiestFirst(open), revisions }
}

/** The life of findings of which nothing new is known. */
export function unchanged(stored: readonly StoredFinding[]): Life {
  const open = stored.filter(({ status }) => status !== 'closed').map(({ event }) => event)
  return { open: riskiestFirst(open), revisions: [] }
}

const rank = ({ data }: Finding): number => data.risk_score + data.confidence_score / 1000
const riskiestFirst = (open: readonly Finding[]): Finding[] => open.toSorted((x, y) => rank(y) - rank(x))

function closed(event: Finding, revision: number, nowMs: number): Finding {
  return {
    ...event,
    id: `${event.data.finding_info.uid}:${revision}`,
    type: 'dev.sidestep.finding.closed.v1',
    time: new Date(nowMs).toISOString(),
    data: {
      ...event.data,
      activity_id: 3,
      type_uid: 200_403,
      time: nowMs,
      unmapped: { ...event.data.unmapped, revision },
    },
  }
}

export const jaccard = (a: readonly string[], b: readonly string[]): number => {
  const one = new Set(a)
  const common = b.filter((item) => one.has(item)).length
  return common / (one.size + b.length - common)
}

const SAME_CLUSTER_JACCARD = 0.5

/** Which earlier finding each cluster continues: best similarity first, each earlier finding at most once. */
export function matchFindings(
  clusters: readonly { readonly apps: readonly string[]; readonly digest: string }[],
  stored: readonly StoredFinding[],
): Identity[] {
  const proposals = clusters
    .flatMap((cluster, index) =>
      stored.map((finding) => ({ index, finding, similarity: jaccard(cluster.apps, finding.app_ids) })),
    )
    .filter(({ similarity }) => similarity >= SAME_CLUSTER_JACCARD)
    .toSorted((x, y) => y.similarity - x.similarity || (x.finding.uid < y.finding.uid ? -1 : 1))
  const taken = new Set<string>()
  const chosen = new Map<number, StoredFinding>()
  for (const { index, finding } of proposals) {
    if (chosen.has(index) || taken.has(finding.uid)) continue
    chosen.set(index, finding)
    taken.add(finding.uid)
  }
  return clusters.map((cluster, index) => {
    const earlier = chosen.get(index)
    if (earlier === undefined) return { uid: freshUid(cluster.apps, stored), revision: 1 }
    const isSame = earlier.digest === cluster.digest && earlier.status !== 'closed'
    return { uid: earlier.uid, revision: isSame ? earlier.revision : earlier.revision + 1 }
  })
}

/** An id from the members, salted while an earlier finding of other members holds it. */
function freshUid(apps: readonly string[], stored: readonly StoredFinding[]): string {
  const taken = new Set(stored.map((finding) => finding.uid))
  let salt = 0
  let uid = newFindingUid(apps)
  while (taken.has(uid)) uid = newFindingUid([...apps, String(++salt)])
  return uid
}
