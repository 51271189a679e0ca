/**
 * The analysis: (store, window, tuning) -> what was found. It reads the store and writes its run's working tables, nothing else; what becomes
 * of a violation as a finding is decided in findings/lifecycle.ts, and cycles.ts puts the two together.
 *
 *   1. prepare   working tables from the rollups; pairs by blocking rules; control pairs
 *   2. behaviour route mixes and user agents of every pair
 *   3. networks  first with default classes, to find communities; then each network's class by corroboration
 *   4. score     all signals under the classes, in bits; link pairs
 *   5. clusters  drop links that are a move to a successor; Louvain; trim
 *   6. judge     exemption, rule, materiality
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { readApps, type App } from './run/apps.ts'
import { readClusters } from './judgement/facts.ts'
import { findClusters, type Cluster } from './clusters/clusters.ts'
import { communities } from './clusters/communities.ts'
import { isLinked, scorePairs, type PairScore, type SignalResult } from './evidence/bits.ts'
import { judgeExemption } from './judgement/exemption.ts'
import type { Violation } from './findings/event.ts'
import { measureGains } from './judgement/materiality.ts'
import { classifyNetworks } from './evidence/network-classes.ts'
import { isCandidate, readPairs, type PairKey } from './run/pairs.ts'
import { judge } from './judgement/policy.ts'
import { prepareTables, proposePairs } from './run/working-tables.ts'
import { BEHAVIOUR_SIGNALS, NETWORK_SIGNALS, REGISTRY_SIGNALS, USER_SIGNALS } from './signals/index.ts'
import type { PairSignal, SignalContext } from './signals/signal.ts'
import { successions } from './clusters/succession.ts'
import type { Tuning } from './tuning.ts'
import type { Window } from './run/window.ts'

export interface Analysis {
  /** Clusters that break a rule. */
  readonly violations: readonly Violation[]
  /** Compliant dev/staging/prod groups: app ids of each. */
  readonly exempt: readonly (readonly string[])[]
  /** Clusters with an innocent explanation: app ids of each. */
  readonly innocent: readonly (readonly string[])[]
  readonly apps: number
  /** Pairs proposed by each blocking rule. */
  readonly pairsByRule: ReadonlyMap<string, number>
}

export interface AnalyseOptions {
  readonly clickhouse: ClickHouse
  readonly window: Window
  readonly tuning: Tuning
  /** Names the run in the working tables; no other run has it. */
  readonly runId: string
  readonly onStep?: (step: string) => void
}

const WindowRow = z.object({ minutes: z.number(), from_seconds: z.number(), to_seconds: z.number() })
export const analysisWindowQuery = { name: 'run/analysis-window', params: z.object({}), row: WindowRow } as const

/** The whole span that the store holds, on whole hours; undefined when it holds no requests. */
export async function storedWindow(clickhouse: ClickHouse): Promise<Window | undefined> {
  const [row] = await clickhouse.query(analysisWindowQuery, {})
  if (row === undefined || row.minutes === 0) return undefined
  return { fromMs: row.from_seconds * 1000, toMs: row.to_seconds * 1000 }
}

export async function analyse(options: AnalyseOptions): Promise<Analysis> {
  const { clickhouse, window, tuning, runId, onStep } = options
  onStep?.('preparing')
  await prepareTables(clickhouse, runId, window, tuning)
  await proposePairs(clickhouse, runId, tuning)
  const context: SignalContext = {
    clickhouse,
    runId,
    tuning,
    apps: await readApps(clickhouse, runId),
    pairs: await readPairs(clickhouse, runId),
  }
  onStep?.('scoring')
  const scores = await scoreRun(context)
  onStep?.('clustering')
  const linked = scores.filter((score) => isLinked(score, tuning))
  const moves = await successions(
    clickhouse,
    linked.map((score) => score.pair),
    window,
    tuning,
  )
  const clusters = findClusters(
    scores.filter((score) => !moves.has(score.pair.key)),
    tuning,
  )
  onStep?.('judging')
  const judged = await judgeClusters(options, context.apps, clusters)
  return {
    ...judged,
    apps: context.apps.size,
    pairsByRule: countRules(context),
  }
}

async function measureAll(signals: readonly PairSignal[], context: SignalContext): Promise<SignalResult[]> {
  const results: SignalResult[] = []
  for (const signal of signals) results.push({ signal, measurements: await signal.measure(context) })
  return results
}

/** Scores of the candidate pairs under all signals, networks classified on the way. */
export async function scoreRun(context: SignalContext): Promise<PairScore[]> {
  const { clickhouse, runId, pairs, tuning } = context
  const behaviour = await measureAll(BEHAVIOUR_SIGNALS, context)
  const users = await measureAll(USER_SIGNALS, context)
  const alike = new Set<PairKey>(
    scorePairs(pairs, behaviour, tuning)
      .filter((score) => (score.familyBits.get('behaviour') ?? 0) >= tuning.networks.alikeBits)
      .map((score) => score.pair.key),
  )
  const lowDegree = scorePairs(pairs, [...(await measureAll(NETWORK_SIGNALS, context)), ...users], tuning)
  const membership = communities(
    lowDegreeEdges(lowDegree, tuning),
    tuning.clusters.louvainSeed,
    tuning.clusters.resolution,
  )
  await classifyNetworks(clickhouse, runId, { alike, community: (app) => membership.get(app) }, tuning)
  const networks = await measureAll(NETWORK_SIGNALS, context)
  const registry = await measureAll(REGISTRY_SIGNALS, context)
  return scorePairs(pairs, [...networks, ...users, ...behaviour, ...registry], tuning).filter((score) =>
    isCandidate(score.pair),
  )
}

function lowDegreeEdges(scores: readonly PairScore[], tuning: Tuning) {
  return scores.flatMap(({ pair, familyBits }) => {
    const weight = Math.max(familyBits.get('network') ?? 0, familyBits.get('users') ?? 0)
    return weight >= tuning.evidence.familySpeaksBits ? [{ a: pair.a, b: pair.b, weight }] : []
  })
}

async function judgeClusters(
  { clickhouse, runId, window, tuning }: AnalyseOptions,
  apps: ReadonlyMap<string, App>,
  clusters: readonly Cluster[],
): Promise<{ violations: Violation[]; exempt: string[][]; innocent: string[][] }> {
  const facts = await readClusters(
    clickhouse,
    runId,
    clusters.map((cluster) => cluster.apps),
    window,
    tuning,
  )
  const suspects: Omit<Violation, 'gain'>[] = []
  const exempt: string[][] = []
  const innocent: string[][] = []
  for (const [index, cluster] of clusters.entries()) {
    const members = cluster.apps.flatMap((id) => apps.get(id) ?? [])
    const reads = facts[index]
    if (reads === undefined) throw new Error('facts were not read for every cluster')
    const exemption = judgeExemption(members, tuning)
    const verdict = judge({ apps: members, exemption, ...reads }, tuning)
    if (verdict.kind === 'exempt') exempt.push([...cluster.apps])
    else if (verdict.kind === 'innocent') innocent.push([...cluster.apps])
    else suspects.push({ cluster, apps: members, policies: verdict.policies, exemption, reads })
  }
  const gains = await measureGains(
    clickhouse,
    suspects.map(({ cluster }) => cluster.apps),
    window,
    tuning,
  )
  const violations = suspects.flatMap((suspect, index) => {
    const gain = gains[index]
    return gain === undefined ? [] : [{ ...suspect, gain }]
  })
  return { violations, exempt, innocent }
}

function countRules({ pairs }: SignalContext): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const pair of pairs) for (const rule of pair.rules) counts.set(rule, (counts.get(rule) ?? 0) + 1)
  return counts
}
