/** `sidestep migrate`: brings a ClickHouse to the current schema. */
import { Command } from 'commander'

import { openClickHouse } from '#lib/clickhouse.ts'
import { migrate } from '#lib/migrate.ts'

import { readConfig } from '../config.ts'

const EXAMPLE = `
Examples:
  $ CLICKHOUSE_URL=http://default:@localhost:8123/default sidestep migrate
  $ sidestep migrate --data-dir ./data
`

interface Options {
  readonly dataDir?: string
}

async function run(options: Options): Promise<void> {
  const config = readConfig()
  const dataDir = options.dataDir ?? config.dataDir
  const url = options.dataDir === undefined ? config.clickhouseUrl : undefined
  const clickhouse = await openClickHouse({ url, dataDir })
  try {
    const applied = await migrate(clickhouse)
    for (const name of applied) process.stdout.write(`applied ${name}\n`)
    if (applied.length === 0) process.stdout.write('nothing to do: the schema is current\n')
  } finally {
    await clickhouse.close()
  }
}

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Bring a ClickHouse server, or an embedded data directory, to the current schema. Safe to repeat.')
    .option(
      '--data-dir <dir>',
      'embedded data directory, whatever CLICKHOUSE_URL says (default: DATA_DIR, else ./data)',
    )
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => await run(options))
}
