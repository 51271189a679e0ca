/**
 * The innocent explanation "a move from an old app to its successor": one app comes after the other, at once or user by user.
 *
 * Rotation, failover and sharding use both apps side by side; a move does not. Tested for linked pairs only.
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Tuning } from '../tuning.ts'
import { dateTimeParam, type Window } from '../run/window.ts'

export const pairSuccessionQuery = {
  name: 'clusters/pair-succession',
  params: z.object({
    apps_a: z.array(z.string()),
    apps_b: z.array(z.string()),
    from: z.string(),
    to: z.string(),
  }),
  row: z.object({
    app_a: z.string(),
    app_b: z.string(),
    precedence: z.number(),
    trend: z.number(),
    common_users: z.number(),
    moved_ab: z.number(),
    moved_ba: z.number(),
    undecided: z.number(),
  }),
} as const
export type SuccessionRow = z.infer<typeof pairSuccessionQuery.row>

/** Whether one app of the pair is the successor of the other. */
export function isSuccession(row: SuccessionRow, { succession }: Tuning): boolean {
  const ordered = Math.max(row.precedence, 1 - row.precedence) >= succession.precedenceMin
  const decided = row.common_users - row.undecided
  const moved = Math.max(row.moved_ab, row.moved_ba)
  return (
    ordered ||
    Math.abs(row.trend) >= succession.trendMin ||
    (decided >= succession.usersMin && moved >= succession.usersMovedMin * decided)
  )
}

/** Names a pair of apps by ids, which are any strings. */
export function successionKey(a: string, b: string): string {
  return JSON.stringify([a, b])
}

/** Pairs asked at once: their ids travel as a parameter. */
const PAIRS_PER_QUERY = 500

export async function successions(
  clickhouse: ClickHouse,
  pairs: readonly { readonly a: string; readonly b: string }[],
  window: Window,
  tuning: Tuning,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (let i = 0; i < pairs.length; i += PAIRS_PER_QUERY) {
    const some = pairs.slice(i, i + PAIRS_PER_QUERY)
    const rows = await clickhouse.query(pairSuccessionQuery, {
      apps_a: some.map((pair) => pair.a),
      apps_b: some.map((pair) => pair.b),
      from: dateTimeParam(window.fromMs),
      to: dateTimeParam(window.toMs),
    })
    for (const row of rows) if (isSuccession(row, tuning)) found.add(successionKey(row.app_a, row.app_b))
  }
  return found
}
