/** One cycle of the analysis over all that the store holds: shared by detect, evaluate and the demonstration. */
import { randomUUID } from 'node:crypto'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { SidestepError } from '#lib/errors.ts'

import { runCycle, type Cycle } from '../services/analyzer/cycles.ts'
import { TUNING, type Part } from '../services/analyzer/tuning.ts'

/** `without`: parts of the detector that are left out. Throws a usage error when the store holds no requests. */
export async function analyseAll(
  clickhouse: ClickHouse,
  nowMs: number,
  onStep?: (step: string) => void,
  without: readonly Part[] = [],
): Promise<Cycle> {
  const runId = `run-${randomUUID()}`
  const cycle = await runCycle({ clickhouse, window: undefined, tuning: TUNING, without, runId, nowMs, onStep })
  if (cycle === undefined) {
    throw new SidestepError(
      'usage',
      'there are no requests to analyse: nothing that was read could be stored. Check the files and --format.',
    )
  }
  return cycle
}
