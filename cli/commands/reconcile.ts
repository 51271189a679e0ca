/** `sidestep reconcile`: the audit of what ingest has stored, and its repair. */
import { randomUUID } from 'node:crypto'

import { Command } from 'commander'
import { pino } from 'pino'

import { openClickHouse } from '#lib/clickhouse.ts'
import { kafkaErrorKind, kafkaFailure } from '#lib/kafka-error.ts'
import { createKafka } from '#lib/kafka.ts'

import { auditHours, type RollupAudit, type WrongRollup } from '../../services/analyzer/run/audit-hours.ts'
import { readIngestConfig } from '../../services/ingest/config.ts'
import { reconcile, type Reconciled, type ReconcileOptions } from '../../services/ingest/reconcile.ts'
import { readConfig } from '../config.ts'

const EXAMPLE = `
Examples:
  $ KAFKA_BROKERS=localhost:9092 CLICKHOUSE_URL=http://default:@localhost:8123/default sidestep reconcile
  $ sidestep reconcile --tables-only --repair        (embedded engine in DATA_DIR; no Kafka)

Exit code 0: nothing is wrong (any more). 1: something is wrong. To repair gaps, stop the ingest service first: its group is moved back.
To repair rollups, stop the analyzer first: an hour that is replaced is empty for a moment.
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
    ...found.repaired.map((text) => `repaired: ${text}`),
  ]
}

/** What is wrong with the rollups, after a repair if there was one. */
function rollupFaults({ wrong }: RollupAudit, isLeft: boolean): string[] {
  return wrong.map((rollup) => {
    const left = isLeft && rollup.excess > 0 ? `; ${rollup.excess} hold more, left as they are: raw rows are gone` : ''
    return `rollup: ${rollup.table} differs from the raw rows in ${rollup.buckets} hours of apps, first ${example(rollup)}${left}`
  })
}

function example({ first }: WrongRollup): string {
  const hour = new Date(first.hour_seconds * 1000).toISOString().slice(0, 13)
  return `${first.app_id} at ${hour}h: ${first.raw_requests} raw, ${first.rolled_requests} in the rollup`
}

/** What looks like a difference and is none. */
function rollupNotes({ notYetCounted, outlived, repaired }: RollupAudit): string[] {
  return [
    ...(notYetCounted === 0
      ? []
      : [`not yet counted: ${notYetCounted} buckets of the rollups; the analyzer counts them in its next cycle`]),
    ...(outlived === 0
      ? []
      : [`expired: raw rows of ${outlived} buckets of the rollups, which hold more and are left as they are`]),
    ...repaired.map((text) => `repaired: ${text}`),
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
    const common = { clickhouse, isRepair: options.repair === true }
    const found =
      config === undefined ? await reconcile({ ...common, kafka: undefined }) : await withKafka(config, common)
    // Where raw rows are gone, rollups may be all that is left of them.
    const mayReplace = found.short.length === 0
    const rollups = await auditHours({ ...common, mayReplace, runId: `reconcile-${randomUUID()}` })
    const lines = report(found)
    const faults = rollupFaults(rollups, !mayReplace)
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ...found, rollups })}\n`)
    else {
      const verdict = lines.length + faults.length === 0 ? ['nothing is wrong'] : []
      process.stdout.write(
        [...lines, ...faults, ...rollupNotes(rollups), ...verdict].map((line) => `${line}\n`).join(''),
      )
    }
    // A repair brings back what Kafka can still fill; without Kafka it brings back no rows.
    const isRepaired = found.repaired.length > 0 && found.doubles.length === 0
    if ((lines.length > 0 && !isRepaired) || faults.length > 0) process.exitCode = 1
  } finally {
    await clickhouse.close()
  }
}

export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description(
      'Audit what was ingested: gaps and doubles of offsets, rows against the ledger, ClickHouse against Kafka, rollups against rows.',
    )
    .option('--repair', 'move the group back to the first gap that Kafka can fill; count rollups again')
    .option('--tables-only', 'look at the tables and not at Kafka')
    .option('--json', 'print the result as one JSON object')
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => await run(options))
}
