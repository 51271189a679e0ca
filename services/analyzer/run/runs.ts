/**
 * The runs of all analyzers on one store. There may be several at once: a rolling deploy, a second replica, a person's `detect` beside the service.
 * A run reads the rollups and keeps what it needs in memory; what it writes are hours (run/hours.ts) and findings, and this file says whose word
 * on the findings holds.
 *
 * - Runs are ordered by when they began, because a run knows what had arrived by then; by the database's clock, which all share. The run that began
 *   last has the say: one that is overtaken, because a later one has finished, adds nothing to the findings. So a slow run neither closes what a
 *   later one has opened nor opens it again under other members, and its findings are those that the later one left.
 * - Two runs that look at the findings at the same moment, before either has written, see the same: matching depends on members only, a uid comes
 *   from the members, a revision's number from the one before it. What is the same content is then the same row (uid, revision) and merges into one;
 *   unchanged findings are no rows at all. Of two contents under one number the later run's is kept (`findings` merges by the run's time).
 * - What is left is two runs in the same milliseconds with different data (rows arrived between their beginnings) that open one ring under different
 *   members, hence two uids. The next cycle of either matches the ring to the nearer one and closes the other.
 * - Analyzers of different tuning disagree for as long as both run, and each says so in its revisions (`tuning_hash`); a deploy ends that.
 * - A run that broke off has begun and never finished: it overtakes nobody.
 */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { RunParams } from './window.ts'

const NOTE_RUN = { name: 'run/note-run', params: RunParams.extend({ state: z.enum(['begun', 'finished']) }) } as const

export const runStandingQuery = {
  name: 'run/run-standing',
  params: RunParams,
  row: z.object({ later_runs: z.coerce.number() }),
} as const

/** A run takes its place among the runs, before it reads anything. */
export async function beginRun(clickhouse: ClickHouse, runId: string): Promise<void> {
  await clickhouse.run(NOTE_RUN, { run_id: runId, state: 'begun' })
}

/** Whether a run that began later has finished: to be asked before anything is said of findings. */
export async function isOvertaken(clickhouse: ClickHouse, runId: string): Promise<boolean> {
  const [standing] = await clickhouse.query(runStandingQuery, { run_id: runId })
  if (standing === undefined) throw new Error('the database does not tell how the run stands')
  return standing.later_runs > 0
}

/** What the run has to say is stored. */
export async function finishRun(clickhouse: ClickHouse, runId: string): Promise<void> {
  await clickhouse.run(NOTE_RUN, { run_id: runId, state: 'finished' })
}
