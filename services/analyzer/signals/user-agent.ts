/**
 * User agent: do two apps name the same program? Effect: sum over common user agents of the lesser share times -log2 of how many
 * apps send it. Defaults of SDKs and browsers name nobody: 0 bits. Not measured where an app names no program.
 */
import { z } from 'zod'
import { pairKey } from '../run/pairs.ts'
import { RunParams } from '../run/window.ts'
import type { PairSignal } from './signal.ts'

export const pairUserAgentsQuery = {
  name: 'signals/pair-user-agents',
  params: RunParams,
  row: z.object({ app_a: z.string(), app_b: z.string(), common_bits: z.number(), user_agent: z.string() }),
} as const

export const appNamedAgentsQuery = {
  name: 'run/app-named-agents',
  params: RunParams,
  row: z.object({ app_id: z.string(), named_share: z.number() }),
} as const

/** An app that names its program in less than this share of requests is taken as unnamed. */
const NAMED_SHARE_MIN = 0.2

function levelOf(bits: number): 'same_rare' | 'same_uncommon' | 'partly' | 'different' {
  if (bits >= 5) return 'same_rare'
  if (bits >= 2.5) return 'same_uncommon'
  return bits >= 0.5 ? 'partly' : 'different'
}

export const userAgent: PairSignal = {
  name: 'user_agent',
  family: 'behaviour',
  unit: 'bits of common rare user agent',
  query: 'signals/pair-user-agents',
  async measure({ clickhouse, runId, pairs }) {
    const common = new Map(
      (await clickhouse.query(pairUserAgentsQuery, { run_id: runId })).map((row) => [
        pairKey(row.app_a, row.app_b),
        row,
      ]),
    )
    const named = new Map(
      (await clickhouse.query(appNamedAgentsQuery, { run_id: runId })).map((row) => [row.app_id, row.named_share]),
    )
    const isNamed = (appId: string) => (named.get(appId) ?? 0) >= NAMED_SHARE_MIN
    return new Map(
      pairs
        .filter((pair) => isNamed(pair.a) && isNamed(pair.b))
        .map((pair) => {
          const row = common.get(pair.key)
          const observed = row?.common_bits ?? 0
          const note = row?.user_agent ?? ''
          return [pair.key, { observed, expected: null, p: null, level: levelOf(observed), note }]
        }),
    )
  },
  describe: ({ observed, note }) =>
    observed >= 0.5
      ? `the same user agent "${note ?? ''}", which few other apps send`
      : 'their user agents name different programs',
}
