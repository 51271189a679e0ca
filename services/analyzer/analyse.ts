/**
 * The analysis: (store, window, tuning) -> what was found. It reads the store and writes nothing; what becomes of a violation as a finding is
 * decided in findings/lifecycle.ts, and cycles.ts puts the two together.
 *
 *   1. snapshot    apps, streams, programs and users in common, from the rollups
 *   2. candidates  places and their groups, hand-overs in time, pairs with their two ledgers; assembled to draft clusters
 *   3. verdicts    who stands in each, what proves one hand, exemption, materiality, rule
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { findCandidates, type Candidates } from './clusters/candidates.ts'
import { violationOf, type Violation } from './findings/violation.ts'
import { judgeDrafts, type Judged } from './judgement/verdicts.ts'
import { readSnapshot, type Snapshot } from './run/snapshot.ts'
import type { Window } from './run/window.ts'
import { JUDGEMENT_PARTS, type Part, type Tuning } from './tuning.ts'

export interface Analysis {
  /** Clusters that break a rule. */
  readonly violations: readonly Violation[]
  /** Compliant dev/staging/prod groups: app ids of each. */
  readonly exempt: readonly (readonly string[])[]
  /** Clusters with an innocent explanation: app ids of each. */
  readonly innocent: readonly (readonly string[])[]
  readonly apps: number
  /** Streams on networks that several apps use. */
  readonly streams: number
  /** Groups of apps that are alike at one place. */
  readonly groups: number
  /** Pairs looked at; a pair may be proposed by several rules. */
  readonly pairs: number
  /** Pairs proposed by each blocking rule. */
  readonly pairsByRule: ReadonlyMap<string, number>
  /** Rules that proposed more pairs than their cap, with how many. */
  readonly cappedRules: ReadonlyMap<string, number>
  /** What it went through. */
  readonly investigation: Investigation
}

export interface AnalyseOptions {
  readonly clickhouse: ClickHouse
  readonly window: Window
  readonly tuning: Tuning
  /** Parts of the detector that are left out, for ablation. */
  readonly without?: readonly Part[] | undefined
  /** Of the same window, tuning and store, with no part more left out: what it read, and what the parts do not touch, is not done again. */
  readonly earlier?: Investigation | undefined
  readonly onStep?: ((step: string) => void) | undefined
}

const WindowRow = z.object({ minutes: z.number(), from_seconds: z.number(), to_seconds: z.number() })
export const analysisWindowQuery = { name: 'run/analysis-window', params: z.object({}), row: WindowRow } as const

/** The whole span that the store holds, on whole hours; undefined when it holds no requests. */
export async function storedWindow(clickhouse: ClickHouse): Promise<Window | undefined> {
  const [row] = await clickhouse.query(analysisWindowQuery, {})
  if (row === undefined || row.minutes === 0) return undefined
  return { fromMs: row.from_seconds * 1000, toMs: row.to_seconds * 1000 }
}

/** What an analysis went through, for explanations of what was not found. */
export interface Investigation {
  readonly snapshot: Snapshot
  readonly candidates: Candidates
  readonly judged: readonly Judged[]
}

export async function investigate(options: AnalyseOptions): Promise<Investigation> {
  const { clickhouse, window, tuning, onStep, earlier } = options
  const without = new Set(options.without)
  onStep?.('reading what the apps do')
  const snapshot = earlier?.snapshot ?? (await readSnapshot(clickhouse, window, tuning))
  const candidates =
    earlier !== undefined && without.isSubsetOf(JUDGEMENT_PARTS)
      ? earlier.candidates
      : await findCandidates({ clickhouse, snapshot, tuning, without, onStep })
  onStep?.('judging')
  const judged = await judgeDrafts({ clickhouse, snapshot, candidates, tuning, without })
  return { snapshot, candidates, judged }
}

export async function analyse(options: AnalyseOptions): Promise<Analysis> {
  const investigation = await investigate(options)
  const { snapshot, candidates, judged } = investigation
  const idsOf = (kind: Judged['verdict']['kind']): string[][] =>
    judged.filter(({ verdict }) => verdict.kind === kind).map(({ apps }) => apps.map((app) => app.app_id))
  return {
    violations: judged.flatMap((one) => violationOf(one, candidates, options.tuning) ?? []),
    exempt: idsOf('exempt'),
    innocent: idsOf('innocent'),
    apps: snapshot.apps.length,
    streams: snapshot.streamsOf.reduce((sum, streams) => sum + streams.length, 0),
    groups: candidates.groups.length,
    pairs: candidates.blocked.pairs.size,
    pairsByRule: candidates.blocked.countByRule,
    cappedRules: candidates.blocked.capped,
    investigation,
  }
}
