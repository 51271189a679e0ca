/** The embedded engine for a test file. */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { openTemporaryEngine } from './temporary-engine.ts'

export interface Engine {
  readonly clickhouse: ClickHouse
  /** Empties every table but the list of migrations. */
  readonly empty: () => Promise<void>
  readonly close: () => Promise<void>
}

/** One data directory serves one process: a test file opens one engine and empties it between tests. */
export async function openEngine(): Promise<Engine> {
  const temporary = await openTemporaryEngine()
  const { clickhouse } = temporary
  return {
    clickhouse,
    async empty() {
      const tables = await clickhouse.select(
        `SELECT name FROM system.tables
         WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations' ORDER BY name`,
        z.object({ name: z.string() }),
      )
      for (const { name } of tables) await clickhouse.command(`TRUNCATE TABLE ${name}`)
    },
    close: async () => await temporary.remove(),
  }
}
