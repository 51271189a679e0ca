/** The embedded engine in a directory of its own, with the current schema. One for each test file: it serves one directory a process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { migrate } from '#lib/migrate.ts'

export interface TemporaryEngine {
  readonly clickhouse: ClickHouse
  /** Directory for files of the test; the data is in a directory below it. */
  readonly directory: string
  /** Closes the engine and removes the directory. */
  remove(): Promise<void>
}

export async function openTemporaryEngine(): Promise<TemporaryEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'sidestep-test-'))
  const clickhouse = await openClickHouse({ dataDir: join(directory, 'data') })
  await migrate(clickhouse)
  return {
    clickhouse,
    directory,
    async remove() {
      await clickhouse.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
