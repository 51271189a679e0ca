/** The embedded engine for a test file, and what the analyzer measures on the traffic stored in it. */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { readApps } from '../../services/analyzer/run/apps.ts'
import { scorePairs, scorePair, type PairScore, type SignalEvidence } from '../../services/analyzer/evidence/bits.ts'
import { isCandidate, pairKey, readPairs } from '../../services/analyzer/run/pairs.ts'
import { prepareTables, proposePairs } from '../../services/analyzer/run/working-tables.ts'
import { scoreRun } from '../../services/analyzer/analyse.ts'
import type { PairSignal, SignalContext } from '../../services/analyzer/signals/signal.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { WINDOW } from './analyzer-traffic.ts'
import { openTemporaryEngine } from './temporary-engine.ts'

export interface Engine {
  readonly clickhouse: ClickHouse
  /** Empties every table but the list of migrations. */
  readonly empty: () => Promise<void>
  readonly close: () => Promise<void>
}

/** One data directory serves one process: a test file opens one engine and empties it between tests. */
export async function openEngine(): Promise<Engine> {
  const temporary = await openTemporaryEngine()
  const { clickhouse } = temporary
  return {
    clickhouse,
    async empty() {
      const tables = await clickhouse.select(
        `SELECT name FROM system.tables
         WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations' ORDER BY name`,
        z.object({ name: z.string() }),
      )
      for (const { name } of tables) await clickhouse.command(`TRUNCATE TABLE ${name}`)
    },
    close: async () => await temporary.remove(),
  }
}

export const RUN = 'run'

/** Prepares a run over what is stored. `watched` pairs are measured whether a rule proposes them or not. */
export async function prepareRun(
  clickhouse: ClickHouse,
  watched: readonly (readonly [string, string])[] = [],
): Promise<SignalContext> {
  await prepareTables(clickhouse, RUN, WINDOW, TUNING)
  await proposePairs(clickhouse, RUN, TUNING)
  for (const [a, b] of watched) {
    const [first, second] = [a, b].toSorted()
    await clickhouse.command(
      `INSERT INTO analysis_pair (run_id, app_a, app_b, rule) SELECT '${RUN}', '${first}', '${second}', 'watched'`,
    )
  }
  return {
    clickhouse,
    runId: RUN,
    tuning: TUNING,
    apps: await readApps(clickhouse, RUN),
    pairs: await readPairs(clickhouse, RUN),
  }
}

export interface Measured {
  readonly context: SignalContext
  /** What a signal says of a pair under the classes of all networks; undefined when it could not be measured. */
  readonly of: (a: string, b: string, signal: string) => SignalEvidence | undefined
  /** Bits of that, 0 when it could not be measured. */
  readonly bits: (a: string, b: string, signal: string) => number
  readonly score: (a: string, b: string) => PairScore
}

/** All signals as an analysis measures them. */
export async function measure(
  clickhouse: ClickHouse,
  watched: readonly (readonly [string, string])[] = [],
): Promise<Measured> {
  const context = await prepareRun(clickhouse, watched)
  const scores = new Map((await scoreRun(context)).map((score) => [score.pair.key, score]))
  const score = (a: string, b: string): PairScore =>
    scores.get(pairKey(a, b)) ?? scorePair({ key: pairKey(a, b), a, b, rules: [] }, [], TUNING)
  const of: Measured['of'] = (a, b, name) => score(a, b).evidence.find(({ signal }) => signal.name === name)
  return { context, score, of, bits: (a, b, name) => of(a, b, name)?.bits ?? 0 }
}

/** One signal by itself, networks taken by their degree alone. */
export async function measureAlone(context: SignalContext, signal: PairSignal): Promise<readonly PairScore[]> {
  const result = { signal, measurements: await signal.measure(context) }
  return scorePairs(context.pairs, [result], TUNING).filter(({ pair }) => isCandidate(pair))
}
