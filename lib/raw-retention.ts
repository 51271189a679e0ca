/** How long raw rows are kept: read from the table, because who runs the database may change it. */
import { z } from 'zod'

import type { ClickHouse } from './clickhouse.ts'

/** Longer than any row has been there. */
const FOREVER_SECONDS = 100 * 366 * 86_400

export const rawRetentionQuery = {
  name: 'ingest/raw-retention',
  params: z.object({}),
  row: z.object({ expires: z.number(), kept_seconds: z.coerce.number() }),
} as const

/** Seconds from the arrival of a row until it may be gone. Throws when the table has a TTL of another shape. */
export async function rawRetentionSeconds(clickhouse: ClickHouse): Promise<number> {
  const [row] = await clickhouse.query(rawRetentionQuery, {})
  if (row === undefined) throw new Error('there is no table requests: run `sidestep migrate` first')
  if (row.expires === 0) return FOREVER_SECONDS
  if (row.kept_seconds === 0)
    throw new Error('the TTL of requests is not `ingested_at + INTERVAL n DAY`: how long raw rows are kept is unknown')
  return row.kept_seconds
}
