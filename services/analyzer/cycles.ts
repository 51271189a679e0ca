/**
 * The analyzer service: the same step that `detect` takes once, over a window that ends with the present hour, again and again.
 *
 * One cycle at a time; a cycle that fails is logged and tried again at the next turn, because the store may only be away. Stopping waits
 * for the cycle in hand.
 */
import { setTimeout as wait } from 'node:timers/promises'

import { hoursToMilliseconds } from 'date-fns'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { errorMessage } from '#lib/errors.ts'
import { analyse } from './analyse.ts'
import { computeHours } from './run/hours.ts'
import { TUNING } from './tuning.ts'
import type { Window } from './run/window.ts'

const HOUR_MS = hoursToMilliseconds(1)

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
    await runCycle(options, startedMs)
    const restMs = Math.max(0, startedMs + everySeconds * 1000 - options.now())
    await wait(restMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
}

async function runCycle({ clickhouse, windowHours, log, now, onCycle }: AnalyzerOptions, nowMs: number): Promise<void> {
  try {
    const runId = `run-${nowMs}`
    const hours = await computeHours(clickhouse, runId)
    const window = cycleWindow(nowMs, windowHours)
    const { findings, apps, exempt } = await analyse({
      clickhouse,
      window,
      tuning: TUNING,
      runId,
      nowMs,
    })
    const seconds = (now() - nowMs) / 1000
    log.info(
      { event: 'analyzer.cycle', hours, apps, findings: findings.length, exempt: exempt.length, seconds },
      'analysed',
    )
    onCycle(true, seconds, findings.length)
  } catch (error) {
    log.error(
      { event: 'analyzer.cycle_failed', error: errorMessage(error).slice(0, 500) },
      'analysis failed; next try at the next turn',
    )
    onCycle(false, (now() - nowMs) / 1000, 0)
  }
}
