/**
 * What a signal is: it measures every pair of a run, says at which level each stands, and knows nothing of other signals.
 *
 * A pair that is absent from the result was not measurable (no users, no registry entry): it gets 0 bits, not "different".
 */
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { EvidenceFamily } from '#schemas/finding.ts'
import type { App } from '../run/apps.ts'
import type { Pair, PairKey } from '../run/pairs.ts'
import type { PairSignalName, Tuning } from '../tuning.ts'

export interface Measurement<Level extends string = string> {
  /** The effect, in the signal's unit. */
  readonly observed: number
  /** The same under the null; null where the null is a rank. */
  readonly expected: number | null
  /** Probability of at least this effect under the null. */
  readonly p: number | null
  readonly level: Level
  /** What was shared, for the explanation: a user agent, a domain, a name stem. */
  readonly note?: string
}

export interface SignalContext {
  readonly clickhouse: ClickHouse
  readonly runId: string
  readonly tuning: Tuning
  readonly apps: ReadonlyMap<string, App>
  readonly pairs: readonly Pair[]
}

export interface PairSignal {
  readonly name: PairSignalName
  readonly family: EvidenceFamily
  readonly unit: string
  /** File under sql/queries that shows it. */
  readonly query: string
  readonly measure: (context: SignalContext) => Promise<ReadonlyMap<PairKey, Measurement>>
  /** The measurement in words, for the accused. */
  readonly describe: (measurement: Measurement) => string
}
