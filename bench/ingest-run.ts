/**
 * One measured run in a process of its own: node ingest-run.ts sidestep|peer|peer-rollups DATA_DIR BROKERS TOPIC GROUP RECORDS. Waits until all records
 * can be queried in every table that is filled at ingest, and prints one JSON line.
 *
 * All have the engine in their process, fill the same tables from the same topic, and are watched in the same way. The peer is what a user would pick
 * instead: ClickHouse's own Kafka engine, two consumers on a thread each. It validates nothing, keeps no dead letters, and delivers at least once.
 * `peer-rollups` also fills rollups by views in each insert, as users do it: those of 002_rollups.sql, which sidestep had before it computed its own
 * from raw rows. What that takes is measured after sidestep's run.
 */
import { setTimeout as delay } from 'node:timers/promises'

import { pino } from 'pino'
import { z } from 'zod'

import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { migrate, readMigrations } from '#lib/migrate.ts'

import { computeHours } from '../services/analyzer/run/hours.ts'
import { readIngestConfig } from '../services/ingest/config.ts'
import { runIngest } from '../services/ingest/main.ts'

/**
 * The fields of a record with the types of `landing`, so that the engine parses each once. Texts are plain: LowCardinality builds a dictionary a message,
 * which costs the peer a third of its speed (measured; so do smaller blocks and one consumer).
 */
const PEER_COLUMNS = `timestamp DateTime64(3, 'UTC'), app_id String, client_ip IPv6, method String,
  route String, status_code UInt16, user_id String, user_agent String, request_id String, credential_id String,
  ratelimit_limit Nullable(UInt32), ratelimit_remaining Nullable(UInt32), ratelimit_reset Nullable(UInt32), duration_ms Nullable(Float32),
  request_bytes Nullable(UInt64), response_bytes Nullable(UInt64), host String, region String,
  gateway String, trace_id String`

const Stored = z.object({ raw: z.coerce.number(), rolled: z.coerce.number(), ledger: z.coerce.number() })

/** `rollups`: tables of which each must sum to the records. */
async function stored(clickhouse: ClickHouse, rollups: readonly string[]): Promise<z.infer<typeof Stored>> {
  const sums = ['SELECT count() AS sums FROM requests', ...rollups.map((table) => `SELECT sum(requests) FROM ${table}`)]
  const [row] = await clickhouse.select(
    `SELECT (SELECT count() FROM requests) AS raw, (SELECT min(sums) FROM (${sums.join(' UNION ALL ')})) AS rolled,
       (SELECT sum(records) FROM ingest_ledger) AS ledger`,
    Stored,
  )
  if (row === undefined) throw new Error('no counts')
  return row
}

const LOOK_EVERY_MS = 100
const GIVE_UP_MS = 600_000

/** Rows of the raw table are a count that costs nothing; the other tables are asked when it is full. */
async function untilStored(clickhouse: ClickHouse, records: number, rollups: readonly string[] = []): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS
  const Count = z.object({ raw: z.coerce.number() })
  while (performance.now() < giveUpAt) {
    const [row] = await clickhouse.select('SELECT count() AS raw FROM requests', Count)
    if ((row?.raw ?? 0) >= records) {
      const { raw, rolled, ledger } = await stored(clickhouse, rollups)
      if (raw === records && rolled === records && ledger === records) return
      if (raw > records) throw new Error(`${raw} rows of ${records} records`)
    }
    await delay(LOOK_EVERY_MS)
  }
  throw new Error(
    `after ${GIVE_UP_MS / 1000} s: ${JSON.stringify(await stored(clickhouse, rollups))} of ${records} records`,
  )
}

interface Given {
  readonly clickhouse: ClickHouse
  readonly dataDir: string
  readonly brokers: string
  readonly topic: string
  readonly group: string
  readonly records: number
}

/** Tables of 002_rollups.sql that hold every record once. */
const VIEW_ROLLUPS = ['app_network_hourly', 'app_route_hourly', 'app_user_agent_hourly', 'app_minute'] as const

/** The schema in which views fill the rollups. */
async function migrateToViews(clickhouse: ClickHouse): Promise<void> {
  for (const { name, statements } of await readMigrations()) {
    if (/^00[12]_/.test(name)) for (const statement of statements) await clickhouse.command(statement)
  }
}

async function runPeer(
  { clickhouse, brokers, topic, group, records }: Given,
  rollups: readonly string[],
): Promise<void> {
  await clickhouse.command(
    `CREATE TABLE kafka_requests (${PEER_COLUMNS}) ENGINE = Kafka
     SETTINGS kafka_broker_list = '${brokers}', kafka_topic_list = '${topic}', kafka_group_name = '${group}', kafka_format = 'JSONEachRow',
       kafka_num_consumers = 2, kafka_thread_per_consumer = 1, date_time_input_format = 'best_effort'`,
  )
  await clickhouse.command(
    `CREATE MATERIALIZED VIEW kafka_requests_view TO landing AS
     SELECT _topic AS source, toUInt32(_partition) AS partition, _offset AS offset, * FROM kafka_requests`,
  )
  await untilStored(clickhouse, records, rollups)
}

async function runSidestep({ clickhouse, dataDir, brokers, topic, group, records }: Given): Promise<void> {
  const config = readIngestConfig({
    KAFKA_BROKERS: brokers,
    TOPIC_REQUESTS: topic,
    TOPIC_APPS: 'none',
    GROUP_ID: group,
    DATA_DIR: dataDir,
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: '0',
  })
  const stop = new AbortController()
  const running = runIngest(config, pino({ level: 'warn' }, pino.destination(2)), stop.signal)
  await Promise.race([untilStored(clickhouse, records), running])
  measure()
  stop.abort()
  await running
}

const startedAt = performance.now()
let cpuBefore = process.cpuUsage()
let usage: object | undefined

/** What the run has used until now; only the first call counts. */
function measure(): void {
  const { user, system } = process.cpuUsage(cpuBefore)
  usage ??= {
    endedAtMs: Date.now(),
    cpuSeconds: (user + system) / 1e6,
    rollupCpuSeconds: 0,
    residentMegabytes: process.resourceUsage().maxRSS / 1024,
    seconds: (performance.now() - startedAt) / 1000,
  }
}

/** What it takes to compute the rollups of everything that was stored, once. */
async function measureRollups(clickhouse: ClickHouse): Promise<number> {
  const before = process.cpuUsage()
  await computeHours(clickhouse, 'bench')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

const [who = '', dataDir = '', brokers = '', topic = '', group = '', records = ''] = process.argv.slice(2)
const clickhouse = await openClickHouse({ dataDir })
if (who === 'peer-rollups') await migrateToViews(clickhouse)
else await migrate(clickhouse)
cpuBefore = process.cpuUsage()
const given = { clickhouse, dataDir, brokers, topic, group, records: Number(records) }
if (who === 'sidestep') await runSidestep(given)
else await runPeer(given, who === 'peer-rollups' ? VIEW_ROLLUPS : [])
measure()
if (who === 'sidestep') usage = { ...usage, rollupCpuSeconds: await measureRollups(clickhouse) }
process.stdout.write(`${JSON.stringify(usage)}\n`, () => process.exit(0))
