/**
 * The audit of the rollups: do they hold what the raw rows say, and if not, is it a fault? Compared are requests by (hour, app) and by key.
 *
 * No faults
 * - Not yet counted: rows that arrived since the last computation. The next one goes through the whole (hour, app).
 * - Outlived: the rollup holds more than the raw table, and raw rows of that hour may have expired. It is right, and left alone.
 *
 * Faults, and what a repair does
 * - The rollup lacks something: the hour is computed; that adds and never lowers.
 * - The rollup holds more, of an hour so young that none of its raw rows can have expired (a row arrives after its time, and is kept for the table's
 *   retention from then on): the hour is replaced, unless raw rows are known to be missing (`mayReplace`). Then the rollup may be all that is left
 *   of them, and it is left as it is.
 *
 * A day is looked at by itself: memory is bounded by the buckets of a day.
 */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { rawRetentionSeconds } from '#lib/raw-retention.ts'
import {
  compareHours,
  computeHours,
  computeSpan,
  LATE_COMMIT_SECONDS,
  rebuildHours,
  rollupProgressQuery,
  type RollupDifference,
} from './hours.ts'
import { dateTimeParam, type Window } from './window.ts'

const HOUR_SECONDS = 3600
const DAY_SECONDS = 86_400

export const storedDaysQuery = {
  name: 'hours/stored-days',
  params: z.object({ kept_from: z.string() }),
  row: z.object({ day_seconds: z.number() }),
} as const

/** A rollup that does not hold what the raw rows say. */
export interface WrongRollup {
  readonly table: string
  /** Buckets (hour, app). */
  readonly buckets: number
  /** Of these, where the rollup holds more than the raw rows. */
  readonly excess: number
  readonly first: RollupDifference
}

export interface RollupAudit {
  /** Buckets (rollup, hour, app) that the next computation goes through. */
  readonly notYetCounted: number
  /** Buckets (rollup, hour, app) of which raw rows have expired. */
  readonly outlived: number
  readonly wrong: readonly WrongRollup[]
  /** What was repaired, in words. */
  readonly repaired: readonly string[]
}

export interface RollupAuditOptions {
  readonly clickhouse: ClickHouse
  readonly isRepair: boolean
  /** No raw row of the retention is known to be missing, so that an hour may be replaced by what its raw rows say. */
  readonly mayReplace: boolean
  /** Names the computations of a repair. */
  readonly runId: string
}

/** Where the two differ; and, for the repair, in which hours. */
interface Comparison extends Omit<RollupAudit, 'repaired'> {
  readonly lackingHours: ReadonlySet<number>
  readonly excessHours: ReadonlySet<number>
}

/** Moments by the clock of the database, epoch seconds. */
interface Limits {
  /** Rows that arrived before it have been gone through. */
  readonly countedBefore: number
  /** No raw row of an hour from here on can have expired. */
  readonly keptFrom: number
}

type Kind = 'not yet counted' | 'outlived' | 'lacking' | 'excess'

export function kindOf(difference: RollupDifference, { countedBefore, keptFrom }: Limits): Kind {
  const { raw_requests: raw, rolled_requests: rolled, hour_seconds: hour, raw_arrived_seconds: arrived } = difference
  if (rolled > raw) return hour < keptFrom ? 'outlived' : 'excess'
  return arrived >= countedBefore ? 'not yet counted' : 'lacking'
}

async function readLimits(clickhouse: ClickHouse): Promise<Limits> {
  const [progress] = await clickhouse.query(rollupProgressQuery, {})
  if (progress === undefined) throw new Error('the database does not tell its time')
  const retention = await rawRetentionSeconds(clickhouse)
  // A day more, for clients whose clocks are ahead of the time of arrival.
  const keptFrom = progress.now_seconds - retention + DAY_SECONDS
  return {
    countedBefore: progress.arrived_before_seconds - LATE_COMMIT_SECONDS,
    keptFrom: Math.max(0, Math.ceil(keptFrom / HOUR_SECONDS) * HOUR_SECONDS),
  }
}

async function compare(clickhouse: ClickHouse): Promise<Comparison> {
  const limits = await readLimits(clickhouse)
  const counts: Record<Kind, number> = { 'not yet counted': 0, outlived: 0, lacking: 0, excess: 0 }
  const hours = { lacking: new Set<number>(), excess: new Set<number>() }
  const wrong = new Map<string, WrongRollup>()
  for (const { day_seconds: day } of await clickhouse.query(storedDaysQuery, {
    kept_from: dateTimeParam(limits.keptFrom * 1000),
  })) {
    for (const difference of await compareHours(clickhouse, spanOf(day, DAY_SECONDS))) {
      const kind = kindOf(difference, limits)
      counts[kind] += 1
      if (kind !== 'lacking' && kind !== 'excess') continue
      hours[kind].add(difference.hour_seconds)
      const { rollup_table: table } = difference
      const known = wrong.get(table) ?? { table, buckets: 0, excess: 0, first: difference }
      const excess = known.excess + (kind === 'excess' ? 1 : 0)
      wrong.set(table, { ...known, buckets: known.buckets + 1, excess })
    }
  }
  return {
    notYetCounted: counts['not yet counted'],
    outlived: counts.outlived,
    wrong: [...wrong.values()],
    lackingHours: hours.lacking,
    excessHours: hours.excess,
  }
}

const spanOf = (fromSeconds: number, seconds: number): Window => ({
  fromMs: fromSeconds * 1000,
  toMs: (fromSeconds + seconds) * 1000,
})

/** Hours (their starts, epoch seconds) as spans, adjacent ones joined. */
export function spansOf(hours: ReadonlySet<number>): Window[] {
  const spans: Window[] = []
  for (const hour of [...hours].toSorted((a, b) => a - b)) {
    const span = spanOf(hour, HOUR_SECONDS)
    const last = spans.at(-1)
    if (last?.toMs === span.fromMs) spans[spans.length - 1] = { fromMs: last.fromMs, toMs: span.toMs }
    else spans.push(span)
  }
  return spans
}

/** Compares, and repairs when asked to; what it returns is how things stand afterwards. */
export async function auditHours(options: RollupAuditOptions): Promise<RollupAudit> {
  const { clickhouse, isRepair, runId } = options
  if (!isRepair) return audited(await compare(clickhouse), [])
  await computeHours(clickhouse, runId)
  const repaired = await repair(options, await compare(clickhouse))
  return audited(await compare(clickhouse), repaired)
}

const audited = ({ notYetCounted, outlived, wrong }: Comparison, repaired: readonly string[]): RollupAudit => {
  return { notYetCounted, outlived, wrong, repaired }
}

async function repair(options: RollupAuditOptions, found: Comparison): Promise<string[]> {
  const { clickhouse, mayReplace, runId } = options
  const repaired: string[] = []
  const counted = spansOf(found.lackingHours)
  for (const [index, span] of counted.entries()) await computeSpan(clickhouse, `${runId}/counted-${index}`, span)
  if (counted.length > 0) repaired.push(`${found.lackingHours.size} hours were counted again`)
  const replaced = mayReplace ? spansOf(found.excessHours) : []
  for (const [index, span] of replaced.entries()) await rebuildHours(clickhouse, `${runId}/replaced-${index}`, span)
  if (replaced.length > 0) repaired.push(`${found.excessHours.size} hours were replaced by what their raw rows say`)
  return repaired
}
