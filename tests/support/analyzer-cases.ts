/** Hand-made violations, findings and stored findings. */
import type { Evidence, Finding } from '#schemas/finding.ts'
import { buildFinding, findingDigest, newFindingUid } from '../../services/analyzer/findings/event.ts'
import type { StoredFinding } from '../../services/analyzer/findings/lifecycle.ts'
import type { AccusedApp, Violation } from '../../services/analyzer/findings/violation.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'

export const NOW_MS = Date.parse('2026-03-02T00:00:00Z')
export const WINDOW = { fromMs: Date.parse('2026-03-01T00:00:00Z'), toMs: NOW_MS } as const

export function accused(id: string, more: Partial<AccusedApp> = {}): AccusedApp {
  return { app_id: id, owner_id: 'owner', name: `App ${id}`, requests: 1000, throttled: 0, ...more }
}

export function evidence(more: Partial<Evidence> = {}): Evidence {
  return {
    signal: 'place',
    family: 'network',
    observed: 0.9,
    expected: null,
    unit: 'share of requests',
    p: 0.001,
    bits: 8,
    statement: 'both run at 192.0.2.7, where no other app runs',
    query: 'sql/queries/snapshot/streams.sql',
    question: 'one_operator',
    ...more,
  }
}

const MIX = evidence({
  signal: 'use_case_mix',
  family: 'behaviour',
  bits: 6,
  question: 'one_use_case',
  statement: '95 % of their requests go to the same routes',
  query: 'sql/queries/snapshot/app-routes.sql',
})

export function violation(ids: readonly string[], more: Partial<Violation> = {}): Violation {
  const probability = 0.97
  return {
    cluster: { apps: ids, probability, memberProbability: new Map(ids.map((id) => [id, probability])) },
    apps: ids.map((id) => accused(id)),
    victims: [],
    notProduction: new Set(),
    policies: ['duplicate_apps_single_owner'],
    exemption: { claimed: false, failures: [], holds: false },
    gain: { value: 2.4, basis: '240 requests to /search in 15 minutes, where one app may send 100', ofOthers: 0 },
    mode: 'round_robin',
    evidence: [evidence(), MIX],
    ledgers: [
      { question: 'one_operator', apps: ids.slice(0, 2), prior_bits: -6, total_bits: 2, is_linked: true },
      { question: 'one_use_case', apps: ids.slice(0, 2), prior_bits: -1.5, total_bits: 4.5, is_linked: true },
    ],
    handOvers: [{ at: '2026-03-01T10:00:00.000Z', from: ids[0] ?? '', to: ids[1] ?? '', gap_seconds: 1.5 }],
    explanations: [{ explanation: 'people behind one address', ruled_out: true, statement: 'nobody else runs there' }],
    closesWhen: ['the use case runs on one app'],
    networks: [{ network: '192.0.2.7', apps: 2, cluster_apps: 2, class: 'these apps only', share: 0.9 }],
    probabilityWithout: { network: 0.5, users: 0.97, behaviour: 0.4, timing: 0.97, registry: 0.97 },
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
