/**
 * The runs of all analyzers on one store. There may be several at once: a rolling deploy, a second replica, a person's `detect` beside the service.
 *
 * Working tables
 * - A run has an id of its own and is a partition of its own in every working table; it reads and writes that one only. Nothing is truncated.
 * - Dropped are: finished runs but the latest (the one that began last, so that the evidence of the latest findings can be reproduced by SQL), and
 *   runs that began more than RUN_SECONDS_MAX ago and have not finished.
 * - A run that may be under way is never among them unless it exceeds that time, and then it is safe to lose its tables: it is marked `given_up`
 *   before they are dropped, and it looks for that mark after it has read them for the last time and before it says anything. So it either read whole
 *   tables, or it throws. All of it by the database's clock and the database's order; the clocks of the processes do not matter.
 *
 * Findings
 * - Runs are ordered by when they began, because a run knows what had arrived by then. The run that began last has the say: one that is overtaken,
 *   because a later one has finished, adds nothing to the findings. So a slow run neither closes what a later one has opened nor opens it again
 *   under other members, and its findings are those that the later one left.
 * - Two runs that look at the findings at the same moment, before either has written, see the same: matching depends on members only, a uid comes
 *   from the members, a revision's number from the one before it. What is the same content is then the same row (uid, revision) and merges into one;
 *   unchanged findings are no rows at all. Of two contents under one number the later run's is kept (`findings` merges by the run's time).
 * - What is left is two runs in the same milliseconds with different data (rows arrived between their beginnings) that open one ring under different
 *   members, hence two uids. The next cycle of either matches the ring to the nearer one and closes the other.
 * - Analyzers of different tuning disagree for as long as both run, and each says so in its revisions (`tuning_hash`); a deploy ends that.
 */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { RunParams } from './window.ts'

/** An analysis of millions of requests takes minutes. */
const RUN_SECONDS_MAX = 3600

/** Each is partitioned by run_id. */
export const WORKING_TABLES = [
  'analysis_app',
  'analysis_app_network',
  'analysis_network',
  'analysis_app_user',
  'analysis_app_route',
  'analysis_app_user_agent',
  'analysis_pair',
] as const

const NOTE_RUN = {
  name: 'run/note-run',
  params: RunParams.extend({ state: z.enum(['begun', 'finished', 'given_up', 'dropped']) }),
} as const

export const runStandingQuery = {
  name: 'run/run-standing',
  params: RunParams,
  row: z.object({ given_up_runs: z.coerce.number(), later_runs: z.coerce.number() }),
} as const

export const oldRunsQuery = {
  name: 'run/old-runs',
  params: RunParams.extend({ run_seconds_max: z.int() }),
  row: z.object({ run_id: z.string(), is_finished: z.number() }),
} as const

/** A run takes its place among the runs, before it reads anything, and drops the old ones. */
export async function beginRun(clickhouse: ClickHouse, runId: string): Promise<void> {
  await clickhouse.run(NOTE_RUN, { run_id: runId, state: 'begun' })
  for (const old of await clickhouse.query(oldRunsQuery, { run_id: runId, run_seconds_max: RUN_SECONDS_MAX })) {
    if (old.is_finished === 0) await clickhouse.run(NOTE_RUN, { run_id: old.run_id, state: 'given_up' })
    await dropRun(clickhouse, old.run_id)
  }
}

/**
 * To be asked after the last read of the working tables and before anything is said of findings.
 * @returns whether a run that began later has finished
 * Throws when this run was given up.
 */
export async function isOvertaken(clickhouse: ClickHouse, runId: string): Promise<boolean> {
  const [standing] = await clickhouse.query(runStandingQuery, { run_id: runId })
  if (standing === undefined) throw new Error('the database does not tell how the run stands')
  if (standing.given_up_runs > 0) {
    // It may have written after another dropped it.
    await dropRun(clickhouse, runId)
    throw new Error(
      `the analysis took longer than ${RUN_SECONDS_MAX} s and was given up by another analyzer on this store: give the database more room, or take a shorter window`,
    )
  }
  return standing.later_runs > 0
}

/** What the run has to say is stored. */
export async function finishRun(clickhouse: ClickHouse, runId: string): Promise<void> {
  await clickhouse.run(NOTE_RUN, { run_id: runId, state: 'finished' })
}

async function dropRun(clickhouse: ClickHouse, runId: string): Promise<void> {
  for (const table of WORKING_TABLES) {
    await clickhouse.command(
      `ALTER TABLE ${table} DROP PARTITION {run_id:String} SETTINGS log_comment = 'run/drop-run'`,
      { run_id: runId },
    )
  }
  await clickhouse.run(NOTE_RUN, { run_id: runId, state: 'dropped' })
}
