/** The apps of a run: traffic totals and what the registry says. */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { RunParams } from './window.ts'

export const App = z.object({
  app_id: z.string(),
  requests: z.number(),
  throttled: z.number(),
  networks: z.number(),
  users: z.number(),
  top_user: z.string(),
  top_user_requests: z.number(),
  user_requests: z.number(),
  /** Empty when the registry lacks the app. */
  owner_id: z.string(),
  name: z.string(),
  description: z.string(),
  stem: z.string(),
  domains: z.array(z.string()),
  created_at_ms: z.number(),
})
export type App = z.infer<typeof App>

const appsQuery = { name: 'run/analysis-apps', params: RunParams, row: App } as const

export async function readApps(clickhouse: ClickHouse, runId: string): Promise<Map<string, App>> {
  const rows = await clickhouse.query(appsQuery, { run_id: runId })
  return new Map(rows.map((app) => [app.app_id, app]))
}

export const isRegistered = (app: App): boolean => app.owner_id !== ''
