/** What one analysis looks at. */
import { z } from 'zod'

/** Half-open: from <= t < to, both on the hour because rollups are hourly. Epoch milliseconds. */
export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

/** Parameters that every query of a run takes. */
export const RunParams = z.object({ run_id: z.string() })

/** `YYYY-MM-DD hh:mm:ss` in UTC, as ClickHouse reads a DateTime parameter. */
export function dateTimeParam(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}
