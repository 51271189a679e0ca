/**
 * One cycle: count the hours, analyse, let the findings live on, store what changed. The one path of `detect`, `evaluate`, the demonstration and the
 * service, which takes it again and again over a window that ends with the present hour.
 *
 * The service runs one cycle at a time; one that fails is logged and tried again at the next turn, because the store may only be away. Stopping
 * waits for the cycle in hand.
 */
import { setTimeout as wait } from 'node:timers/promises'

import { hoursToMilliseconds } from 'date-fns'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { errorMessage } from '#lib/errors.ts'
import type { Finding } from '#schemas/finding.ts'
import { analyse, storedWindow, type Analysis } from './analyse.ts'
import { lifecycle, unchanged, type Revision } from './findings/lifecycle.ts'
import { readFindings, storeRevisions } from './findings/store.ts'
import { computeHours } from './run/hours.ts'
import { beginRun, finishRun, isOvertaken } from './run/runs.ts'
import { TUNING, type Part, type Tuning } from './tuning.ts'
import type { Window } from './run/window.ts'

const HOUR_MS = hoursToMilliseconds(1)

export interface CycleOptions {
  readonly clickhouse: ClickHouse
  /** undefined: all that the store holds. */
  readonly window: Window | undefined
  readonly tuning: Tuning
  /** Parts of the detector that are left out, for ablation. */
  readonly without?: readonly Part[] | undefined
  /** No other cycle of any process has it. */
  readonly runId: string
  /** Epoch milliseconds. */
  readonly nowMs: number
  readonly onStep?: ((step: string) => void) | undefined
}

export interface Cycle extends Analysis {
  /** (hour, app) that were counted. */
  readonly hours: number
  /** All findings that are open now, riskiest first. */
  readonly findings: readonly Finding[]
  /** The revisions that it added, closed ones included. */
  readonly revisions: readonly Revision[]
  /** A cycle that began later has finished: this one added nothing (run/runs.ts). */
  readonly isOvertaken: boolean
}

/** Takes one cycle; undefined when no window is given and the store holds no requests. */
export async function runCycle(options: CycleOptions): Promise<Cycle | undefined> {
  const { clickhouse, tuning, runId, nowMs, onStep } = options
  onStep?.('counting hours')
  await beginRun(clickhouse, runId)
  const hours = await computeHours(clickhouse, runId)
  const window = options.window ?? (await storedWindow(clickhouse))
  if (window === undefined) return undefined
  const analysis = await analyse({ clickhouse, window, tuning, without: options.without, onStep })
  const overtaken = await isOvertaken(clickhouse, runId)
  const stored = await readFindings(clickhouse)
  const life = overtaken ? unchanged(stored) : lifecycle(stored, analysis.violations, { window, tuning, nowMs })
  await storeRevisions(clickhouse, life.revisions, runId)
  await finishRun(clickhouse, runId)
  return { ...analysis, hours, findings: life.open, revisions: life.revisions, isOvertaken: overtaken }
}

export interface CycleLog {
  readonly info: (fields: Readonly<Record<string, unknown>>, message: string) => void
  readonly error: (fields: Readonly<Record<string, unknown>>, message: string) => void
}

export interface AnalyzerOptions {
  readonly clickhouse: ClickHouse
  readonly everySeconds: number
  readonly windowHours: number
  readonly log: CycleLog
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Names a cycle, unlike any other of any process. */
  readonly newRunId: () => string
  readonly signal: AbortSignal
  /** Told after each cycle whether it succeeded. */
  readonly onCycle: (succeeded: boolean, seconds: number, findings: number) => void
}

/** The window of a cycle at `nowMs`: whole hours, the present one included. */
export function cycleWindow(nowMs: number, hours: number): Window {
  const toMs = (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS
  return { fromMs: toMs - hoursToMilliseconds(hours), toMs }
}

/** Runs cycles until the signal is set. */
export async function runAnalyzer(options: AnalyzerOptions): Promise<void> {
  const { everySeconds, signal } = options
  while (!signal.aborted) {
    const startedMs = options.now()
    await tryCycle(options, startedMs)
    const restMs = Math.max(0, startedMs + everySeconds * 1000 - options.now())
    await wait(restMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
}

async function tryCycle(options: AnalyzerOptions, nowMs: number): Promise<void> {
  const { clickhouse, log, now, onCycle } = options
  const secondsSince = (): number => (now() - nowMs) / 1000
  try {
    const window = cycleWindow(nowMs, options.windowHours)
    const cycle = await runCycle({ clickhouse, window, tuning: TUNING, runId: options.newRunId(), nowMs })
    const findings = cycle?.findings.length ?? 0
    log.info({ event: 'analyzer.cycle', ...counts(cycle), seconds: secondsSince() }, 'analysed')
    onCycle(true, secondsSince(), findings)
  } catch (error) {
    log.error(
      { event: 'analyzer.cycle_failed', error: errorMessage(error).slice(0, 500) },
      'analysis failed; next try at the next turn',
    )
    onCycle(false, secondsSince(), 0)
  }
}

function counts(cycle: Cycle | undefined): Readonly<Record<string, number | boolean>> {
  if (cycle === undefined) return {}
  const { apps, streams, groups, pairs, exempt, hours, findings, revisions } = cycle
  const by = (status: Revision['status']): number => revisions.filter((revision) => revision.status === status).length
  const changes = { opened: by('opened'), updated: by('updated'), closed: by('closed') }
  const compared = { apps, streams, groups, pairs, cappedRules: cycle.cappedRules.size }
  return {
    hours,
    ...compared,
    findings: findings.length,
    ...changes,
    exempt: exempt.length,
    overtaken: cycle.isOvertaken,
  }
}
