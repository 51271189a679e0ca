/** Hand-made inputs of the analyzer's pure parts: apps, scored pairs, clusters, stored findings. */
import type { EvidenceFamily, Finding } from '#schemas/finding.ts'
import type { App } from '../../services/analyzer/run/apps.ts'
import type { ClusterReads } from '../../services/analyzer/judgement/facts.ts'
import type { Cluster } from '../../services/analyzer/clusters/clusters.ts'
import { scorePair, type PairScore, type SignalEvidence } from '../../services/analyzer/evidence/bits.ts'
import type { StoredFinding } from '../../services/analyzer/findings/lifecycle.ts'
import { buildFinding, findingDigest, newFindingUid, type Violation } from '../../services/analyzer/findings/event.ts'
import { pairKey, type Pair } from '../../services/analyzer/run/pairs.ts'
import { sharedNetworks } from '../../services/analyzer/signals/networks.ts'
import { sameOwner } from '../../services/analyzer/signals/registry.ts'
import { routeMix } from '../../services/analyzer/signals/route-mix.ts'
import type { PairSignal } from '../../services/analyzer/signals/signal.ts'
import { sharedUsers } from '../../services/analyzer/signals/users.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'

export const NOW_MS = Date.parse('2026-03-02T00:00:00Z')
export const WINDOW = { fromMs: Date.parse('2026-03-01T00:00:00Z'), toMs: NOW_MS } as const

export function app(id: string, more: Partial<App> = {}): App {
  return {
    app_id: id,
    requests: 1_000,
    throttled: 0,
    networks: 2,
    users: 0,
    top_user: '',
    top_user_requests: 0,
    user_requests: 0,
    owner_id: 'owner',
    name: `App ${id}`,
    description: '',
    stem: '',
    domains: [],
    created_at_ms: 0,
    ...more,
  }
}

export function pair(a: string, b: string, rules: readonly string[] = ['shared_networks']): Pair {
  const [first = a, second = b] = [a, b].toSorted()
  return { key: pairKey(a, b), a: first, b: second, rules }
}

const SPEAKERS: ReadonlyMap<EvidenceFamily, PairSignal> = new Map([
  ['network', sharedNetworks],
  ['users', sharedUsers],
  ['behaviour', routeMix],
  ['registry', sameOwner],
])

export type Bits = Partial<Record<EvidenceFamily, number>>

/** Evidence of one signal of each family, worth these bits. */
export function evidence(bits: Bits): SignalEvidence[] {
  return [...SPEAKERS].flatMap(([family, signal]) => {
    const worth = bits[family]
    if (worth === undefined) return []
    return [{ signal, bits: worth, measurement: { observed: 3, expected: 0.01, p: 1e-7, level: 'extreme' } }]
  })
}

export const STRONG: Bits = { network: 8, behaviour: 6 }

export function score(a: string, b: string, bits: Bits = STRONG): PairScore {
  return scorePair(pair(a, b), evidence(bits), TUNING)
}

/** Scores of all pairs of the apps. */
export function clique(apps: readonly string[], bits: Bits = STRONG): PairScore[] {
  return apps.flatMap((a, i) => apps.slice(i + 1).map((b) => score(a, b, bits)))
}

export function cluster(ids: readonly string[]): Cluster {
  const scores = clique(ids)
  const probability = scores[0]?.probability ?? 0
  return { apps: ids, scores, memberProbability: new Map(ids.map((id) => [id, probability])), probability }
}

export const READS: ClusterReads = {
  networks: [{ network: '::ffff:192.0.2.7', degree: 2, cluster_apps: 2, class: 'dedicated', requests: 900 }],
  elsewhereShares: [0.1, 0.2],
  effectiveHours: [23, 22],
  sharedUserShare: null,
}

export function violation(ids: readonly string[], more: Partial<Violation> = {}): Violation {
  return {
    cluster: cluster(ids),
    apps: ids.map((id) => app(id)),
    policies: ['duplicate_apps_single_owner'],
    exemption: { claimed: false, failures: [], holds: false },
    reads: READS,
    gain: { value: 2.4, basis: '240 requests to /search in 15 minutes, where one app may send 100' },
    ...more,
  }
}

export function finding(ids: readonly string[], uid: string, revision: number): Finding {
  return buildFinding(violation(ids), { uid, revision }, WINDOW, NOW_MS, TUNING)
}

export function stored(ids: readonly string[], more: Partial<StoredFinding> = {}): StoredFinding {
  const uid = more.uid ?? newFindingUid(ids)
  const revision = more.revision ?? 1
  const digest = findingDigest(violation(ids))
  return { status: 'opened', digest, app_ids: ids, ...more, uid, revision, event: finding(ids, uid, revision) }
}
