/** Fills the working tables of a run from the rollups and proposes pairs. All of it is SQL; nothing is read back here. */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Tuning } from '../tuning.ts'
import { dateTimeParam, RunParams, type Window } from './window.ts'

const WindowParams = RunParams.extend({ from: z.string(), to: z.string() })

export async function prepareTables(
  clickhouse: ClickHouse,
  runId: string,
  window: Window,
  tuning: Tuning,
): Promise<void> {
  const params = { run_id: runId, from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  const { emptyWords, emptyDomains, hostingSuffixes, defaultUserAgents } = tuning.patterns
  await clickhouse.run(
    {
      name: 'run/prepare-apps',
      params: WindowParams.extend({ empty_words: z.string(), empty_domains: z.string(), hosting_suffixes: z.string() }),
    },
    { ...params, empty_words: emptyWords, empty_domains: emptyDomains, hosting_suffixes: hostingSuffixes },
  )
  await clickhouse.run(
    { name: 'run/prepare-app-networks', params: WindowParams.extend({ line_users_max: z.int() }) },
    { ...params, line_users_max: tuning.networks.lineUsersMax },
  )
  for (const name of ['run/prepare-app-users', 'run/prepare-app-routes']) {
    await clickhouse.run({ name, params: WindowParams }, params)
  }
  await clickhouse.run(
    {
      name: 'run/prepare-app-user-agents',
      params: WindowParams.extend({ default_user_agents: z.string(), apps_max: z.int() }),
    },
    { ...params, default_user_agents: defaultUserAgents, apps_max: tuning.userAgents.appsMax },
  )
}

const CandidateParams = RunParams.extend({ pairs_max: z.int() })

/** Blocking: pairs by a union of rules, each capped, never all pairs; and the control pairs. */
export async function proposePairs(clickhouse: ClickHouse, runId: string, tuning: Tuning): Promise<void> {
  const { blocking } = tuning
  const base = { run_id: runId, pairs_max: blocking.pairsPerRuleMax }
  await clickhouse.run(
    {
      name: 'blocking/candidates-shared-networks',
      params: CandidateParams.extend({ low_degree_max: z.int(), overlap_min: z.number() }),
    },
    { ...base, low_degree_max: blocking.lowDegreeMax, overlap_min: blocking.overlapMin },
  )
  await clickhouse.run(
    {
      name: 'blocking/candidates-co-residents',
      params: CandidateParams.extend({
        low_degree_max: z.int(),
        resident_share_min: z.number(),
        residents_max: z.int(),
      }),
    },
    {
      ...base,
      low_degree_max: blocking.lowDegreeMax,
      resident_share_min: blocking.residentShareMin,
      residents_max: blocking.residentsMax,
    },
  )
  await clickhouse.run(
    {
      name: 'blocking/candidates-shared-users',
      params: CandidateParams.extend({ user_degree_max: z.int(), overlap_min: z.number() }),
    },
    { ...base, user_degree_max: blocking.userDegreeMax, overlap_min: blocking.overlapMin },
  )
  for (const name of ['blocking/candidates-registry', 'blocking/candidates-user-agent']) {
    await clickhouse.run(
      { name, params: CandidateParams.extend({ group_max: z.int() }) },
      { ...base, group_max: blocking.groupMax },
    )
  }
  await proposeControls(clickhouse, runId, tuning)
}

async function proposeControls(clickhouse: ClickHouse, runId: string, { blocking }: Tuning): Promise<void> {
  await clickhouse.run(
    {
      name: 'blocking/candidates-control',
      params: CandidateParams.extend({ seed: z.int(), apps_max: z.int(), bin_apps: z.int() }),
    },
    {
      run_id: runId,
      pairs_max: blocking.controlPairs,
      seed: blocking.controlSeed,
      apps_max: blocking.controlApps,
      bin_apps: blocking.controlBinApps,
    },
  )
}
