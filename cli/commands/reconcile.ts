/** `sidestep reconcile`: the audit of what ingest has stored, and its repair. */
import { Command } from 'commander'
import { pino } from 'pino'

import { openClickHouse } from '#lib/clickhouse.ts'
import { kafkaErrorKind, kafkaFailure } from '#lib/kafka-error.ts'
import { createKafka } from '#lib/kafka.ts'

import { readIngestConfig } from '../../services/ingest/config.ts'
import { reconcile, type Reconciled, type ReconcileOptions } from '../../services/ingest/reconcile.ts'
import { readConfig } from '../config.ts'

const EXAMPLE = `
Examples:
  $ KAFKA_BROKERS=localhost:9092 CLICKHOUSE_URL=http://default:@localhost:8123/default sidestep reconcile
  $ sidestep reconcile --tables-only --repair        (embedded engine in DATA_DIR; rollups only, no Kafka)

Exit code 0: nothing is wrong (any more). 1: something is wrong. To repair gaps, stop the ingest service first: its group is moved back.
`

interface Options {
  readonly repair?: true
  readonly tablesOnly?: true
  readonly json?: true
}

function report(found: Reconciled): string[] {
  return [
    ...found.gaps.map((gap) => {
      const what = gap.isInKafka
        ? 'Kafka still has them (transaction markers are no records)'
        : 'Kafka does not have them any more'
      return `gap: ${gap.source}/${gap.partition} offsets ${gap.from}-${gap.to} are not in the ledger; ${what}`
    }),
    ...found.behind.map(
      (one) =>
        `behind: partition ${one.partition} is committed to ${one.committed}, ClickHouse has it to ${one.ledgerEnd}`,
    ),
    ...found.short.map(
      (one) =>
        `short: ${one.source}/${one.partition} block ${one.from}-${one.to} has ${one.recorded} records in the ledger, ${one.stored} in the tables`,
    ),
    ...found.doubles.map(
      (one) => `double: ${one.source}/${one.partition} ${one.rows - one.offsets} rows are stored twice`,
    ),
    ...found.differences.map(
      (one) =>
        `rollup: ${one.rollup} differs in ${one.buckets} buckets (hour, app): ${one.missing} requests missing, ${one.extra} too many`,
    ),
    ...found.repaired.map((text) => `repaired: ${text}`),
    ...found.left.map((text) => `left as it is: ${text}`),
  ]
}

async function withKafka(
  config: ReturnType<typeof readIngestConfig>,
  options: Omit<ReconcileOptions, 'kafka'>,
): Promise<Reconciled> {
  const { kafka, groupId, topicRequests: topic } = config
  const admin = createKafka({ ...kafka, clientId: 'sidestep-reconcile' }, pino({ level: 'silent' })).admin()
  try {
    await admin.connect()
    return await reconcile({ ...options, kafka: { admin, groupId, topic } })
  } catch (error) {
    if (kafkaErrorKind(error) === 'other') throw error
    throw kafkaFailure(error, { brokers: kafka.brokers, username: kafka.sasl?.username, topic, groupId })
  } finally {
    await admin.disconnect()
  }
}

async function run(options: Options): Promise<void> {
  const config = options.tablesOnly === true ? undefined : readIngestConfig()
  const { clickhouseUrl: url, dataDir } = readConfig()
  const clickhouse = await openClickHouse({ url, dataDir })
  try {
    const common = { clickhouse, isRepair: options.repair === true, nowMs: Date.now() }
    const found =
      config === undefined ? await reconcile({ ...common, kafka: undefined }) : await withKafka(config, common)
    const lines = report(found)
    if (options.json === true) process.stdout.write(`${JSON.stringify(found)}\n`)
    else process.stdout.write(lines.length === 0 ? 'nothing is wrong\n' : `${lines.join('\n')}\n`)
    const isRepaired = options.repair === true && found.doubles.length === 0 && found.left.length === 0
    if (lines.length > 0 && !isRepaired) process.exitCode = 1
  } finally {
    await clickhouse.close()
  }
}

export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description(
      'Audit what was ingested: gaps and doubles of offsets, rollups against raw rows, ClickHouse against Kafka.',
    )
    .option('--repair', 'rebuild rollup buckets that differ; move the group back to the first gap that Kafka can fill')
    .option('--tables-only', 'look at the tables and not at Kafka')
    .option('--json', 'print the result as one JSON object')
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => await run(options))
}
