/** Times of single requests of the few apps that timing is asked of, from raw rows. */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { dateTimeParam, type Window } from './window.ts'

export const requestTimesQuery = {
  name: 'snapshot/request-times',
  params: z.object({ apps: z.array(z.string()), networks: z.array(z.string()), from: z.string(), to: z.string() }),
  row: z.object({
    app_id: z.string(),
    times: z.array(z.number()),
    refusals: z.array(z.number()),
  }),
} as const

/** Requests of one app in the order of time. Milliseconds from the start of the window. */
export interface RequestTimes {
  readonly times: readonly number[]
  /** 1 where the answer was 429. */
  readonly refusals: readonly number[]
}

/** Apps asked at once: their ids travel as a parameter, their rows as arrays. */
const APPS_PER_QUERY = 200

/** `networks`: only requests from these; none for all. */
export async function readRequestTimes(
  clickhouse: ClickHouse,
  apps: readonly string[],
  window: Window,
  networks: readonly string[] = [],
): Promise<Map<string, RequestTimes>> {
  const found = new Map<string, RequestTimes>()
  const span = { from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  for (let from = 0; from < apps.length; from += APPS_PER_QUERY) {
    const some = apps.slice(from, from + APPS_PER_QUERY)
    for (const { app_id, ...row } of await clickhouse.query(requestTimesQuery, {
      ...span,
      apps: some,
      networks: [...networks],
    })) {
      found.set(app_id, row)
    }
  }
  return found
}
