/** Opens the store that `findings` and `explain` read: a data directory, else CLICKHOUSE_URL, else DATA_DIR. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { SidestepError } from '#lib/errors.ts'
import { migrate } from '#lib/migrate.ts'

import type { StoredFinding } from '../services/analyzer/findings/lifecycle.ts'
import { readFindings } from '../services/analyzer/findings/store.ts'
import { readConfig } from './config.ts'

/** Runs `use` on the store. Throws a usage error where there is none. */
export async function withStore<Result>(
  option: string | undefined,
  use: (clickhouse: ClickHouse) => Promise<Result>,
): Promise<Result> {
  const config = readConfig()
  const dataDir = option ?? config.dataDir
  const url = option === undefined ? config.clickhouseUrl : undefined
  if (url === undefined && !existsSync(join(dataDir, 'metadata'))) {
    throw new SidestepError(
      'usage',
      `there is no database in ${dataDir}. Name the directory that detect used: --data-dir DIR (detect keeps one only with --data-dir).`,
    )
  }
  const clickhouse = await openClickHouse({ url, dataDir })
  try {
    // On a server the reader may not change the schema; `sidestep migrate` has made it.
    if (clickhouse.kind === 'embedded') await migrate(clickhouse)
    return await use(clickhouse)
  } finally {
    await clickhouse.close()
  }
}

/** Latest revisions, strongest first, closed ones last. Throws a usage error where there is no store. */
export async function storedFindings(option: string | undefined): Promise<StoredFinding[]> {
  return await withStore(option, readFindings)
}
