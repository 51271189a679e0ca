/** Runs the analysis over all that the store holds: shared by detect, evaluate and the demonstration. */
import type { ClickHouse } from '#lib/clickhouse.ts'
import { SidestepError } from '#lib/errors.ts'
import { analyse, storedWindow, type Analysis } from '../services/analyzer/analyse.ts'
import { computeHours } from '../services/analyzer/run/hours.ts'
import { TUNING } from '../services/analyzer/tuning.ts'

/** Throws a usage error when the store holds no requests. */
export async function analyseAll(
  clickhouse: ClickHouse,
  nowMs: number,
  onStep?: (step: string) => void,
): Promise<Analysis> {
  onStep?.('counting hours')
  const runId = `run-${nowMs}`
  await computeHours(clickhouse, runId)
  const window = await storedWindow(clickhouse)
  if (window === undefined) {
    throw new SidestepError(
      'usage',
      'there are no requests to analyse: nothing that was read could be stored. Check the files and --format.',
    )
  }
  return await analyse({
    clickhouse,
    window,
    tuning: TUNING,
    runId,
    nowMs,
    ...(onStep === undefined ? {} : { onStep }),
  })
}
