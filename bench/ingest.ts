/**
 * How fast is Kafka ingested? sidestep against ClickHouse's own Kafka engine: the same topic on a real broker, the same engine, the same tables, in
 * alternating rounds; medians. Time runs from the moment the consumer group is formed until every record can be queried in every table that is
 * filled at ingest. The engine runs a second time with rollups filled by views, as users do it.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import Table from 'cli-table3'
import kafkajs, { type Admin, type Kafka } from 'kafkajs'
import { z } from 'zod'

import { openClickHouse } from '#lib/clickhouse.ts'
import { migrate } from '#lib/migrate.ts'
import { createProgress } from '#lib/progress.ts'
import { produce } from '#simulate/kafka.ts'

import { startBroker } from '../rig/broker/broker.ts'
import { startClickHouseFront } from '../rig/clickhouse/front-process.ts'
import { startIngest } from '../rig/ingest-service.ts'
import { quietKafka, uniqueName } from '../rig/kafka-client.ts'
import { until } from '../rig/until.ts'

const { None, GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes
export const CODECS = { none: None, gzip: GZIP, snappy: Snappy, lz4: LZ4, zstd: ZSTD } as const
export type Codec = keyof typeof CODECS

export interface BenchIngest {
  readonly records: number
  readonly rounds: number
  readonly codecs: readonly Codec[]
}

const PARTITIONS = 6
const RUN = fileURLToPath(new URL('ingest-run.ts', import.meta.url))
const REPORT_USAGE = fileURLToPath(new URL('report-usage.ts', import.meta.url))
const FLAGS = ['--disable-warning=TimeoutNegativeWarning', '--disable-warning=ExperimentalWarning']

/**
 * With the engine in the same process: sidestep, and the engine alone, without and with rollups. `service`: sidestep beside an engine that is another
 * process.
 */
const CONTENDERS = ['sidestep', 'peer', 'peer-rollups', 'service'] as const
type Contender = (typeof CONTENDERS)[number]

interface Run {
  readonly seconds: number
  readonly cpuSeconds: number
  /** Computing the rollups of all records once, afterwards; sidestep only. */
  readonly rollupCpuSeconds?: number | undefined
  readonly residentMegabytes: number
}

interface Bench {
  readonly kafka: Kafka
  readonly admin: Admin
  readonly brokers: readonly string[]
  readonly directory: string
}

interface Topic {
  readonly topic: string
  readonly records: number
  readonly bytes: number
}

/** Resolves to the time (epoch milliseconds) at which a consumer group first has its members: from then on it fetches. */
async function formedAt(admin: Admin, group: string): Promise<number> {
  const isFormed = async (): Promise<boolean> => {
    const { groups } = await admin.describeGroups([group])
    return groups[0]?.state === 'Stable'
  }
  await until(isFormed, { what: `the group ${group} is formed`, timeoutMs: 60_000, everyMs: 50 })
  return Date.now()
}

const RunEnd = z.object({
  endedAtMs: z.number(),
  cpuSeconds: z.number(),
  rollupCpuSeconds: z.number().optional(),
  residentMegabytes: z.number(),
})

/** sidestep or a peer, with the engine in its process. */
async function runInProcess(bench: Bench, who: Exclude<Contender, 'service'>, { topic, records }: Topic): Promise<Run> {
  const group = uniqueName('bench')
  const { brokers, directory, admin } = bench
  const dataDir = join(directory, 'data')
  const args = [...FLAGS, RUN, who, dataDir, brokers.join(','), topic, group, String(records)]
  const running = promisify(execFile)(process.execPath, args)
  const [startMs, { stdout }] = await Promise.all([
    Promise.race([formedAt(admin, group), running.then(Date.now)]),
    running,
  ])
  await rm(dataDir, { recursive: true })
  const { endedAtMs, ...usage } = RunEnd.parse(JSON.parse(stdout))
  return { ...usage, seconds: (endedAtMs - startMs) / 1000 }
}

const Stored = z.object({ raw: z.coerce.number() })

/** The service as it is deployed, its engine a process of its own behind HTTP: what it needs itself, without the engine. */
async function runService(bench: Bench, { topic, records }: Topic): Promise<Run> {
  const group = uniqueName('bench')
  const { brokers, directory, admin } = bench
  const dataDir = join(directory, 'data')
  const usageFile = join(directory, 'usage.json')
  const front = await startClickHouseFront({ dataDir })
  const clickhouse = await openClickHouse({ url: front.url, dataDir: '' })
  try {
    await migrate(clickhouse)
    const service = await startIngest({
      KAFKA_BROKERS: brokers.join(','),
      CLICKHOUSE_URL: front.url,
      TOPIC_REQUESTS: topic,
      TOPIC_APPS: 'none',
      GROUP_ID: group,
      BATCH_SECONDS: '2',
      SESSION_TIMEOUT_MS: '45000',
      LOG_LEVEL: 'info',
      BENCH_USAGE: usageFile,
      // As docker-compose.yml starts it.
      NODE_OPTIONS: `--max-semi-space-size=8 --import=${REPORT_USAGE}`,
    })
    const startMs = await formedAt(admin, group)
    const isStored = async (): Promise<boolean> => {
      const [row] = await clickhouse.select('SELECT count() AS raw FROM requests', Stored)
      return row?.raw === records
    }
    await until(isStored, { what: `${records} records are stored`, timeoutMs: 600_000, everyMs: 200 })
    const seconds = (Date.now() - startMs) / 1000
    service.signal('SIGTERM')
    const code = await service.ended()
    if (code !== 0) throw new Error(`the service ended with ${code}: ${service.errors()}`)
    const usage = RunEnd.omit({ endedAtMs: true }).parse(JSON.parse(await readFile(usageFile, 'utf8')))
    return { ...usage, seconds }
  } finally {
    await clickhouse.close()
    await front.kill()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** The simulator ends with the session that reaches the number asked for, so a few more. */
async function produceTopic(kafka: Kafka, codec: Codec, records: number): Promise<Topic> {
  const topic = uniqueName(`bench-${codec}`)
  const progress = createProgress({ label: `produce ${codec}`, total: records, unit: 'records' })
  const hours = 24
  const { requests, bytes } = await produce({
    kafka,
    topicRequests: topic,
    topicApps: uniqueName('bench-apps'),
    partitions: PARTITIONS,
    compression: CODECS[codec],
    seed: 7,
    requests: records,
    hours,
    start: new Date(Date.now() - hours * 3_600_000).toISOString(),
    onProgress: (done) => progress.update(done),
  })
  progress.finish()
  return { topic, records: requests, bytes }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

type Runs = Readonly<Record<Contender, Run[]>>

async function measureCodec(bench: Bench, topic: Topic, codec: Codec, rounds: number): Promise<Runs> {
  const { records, bytes } = topic
  process.stderr.write(`${codec}: ${records} records of ${Math.round(bytes / records)} bytes\n`)
  const runs: Runs = { sidestep: [], peer: [], 'peer-rollups': [], service: [] }
  for (let round = 1; round <= rounds; round += 1) {
    for (const who of CONTENDERS) {
      const run = who === 'service' ? await runService(bench, topic) : await runInProcess(bench, who, topic)
      runs[who].push(run)
      process.stderr.write(
        `${codec}, round ${round}: ${who} ${(records / run.seconds / 1000).toFixed(1)} k records/s, ${run.cpuSeconds.toFixed(1)} CPU s, ${run.residentMegabytes.toFixed(0)} MB\n`,
      )
    }
  }
  return runs
}

function rowsOf(codec: Codec, runs: Runs, records: number): string[][] {
  const { sidestep, peer, 'peer-rollups': rolled, service } = runs
  const speed = (run: Run): number => records / run.seconds / 1000
  const cpu = (run: Run): number => (run.cpuSeconds * 1e6) / records
  const memory = (run: Run): number => run.residentMegabytes
  const row = (name: string, measure: (run: Run) => number, digits: number): string[] => {
    const middle = (all: readonly Run[]): number => median(all.map(measure))
    const own = middle(sidestep)
    const others = [peer, rolled].flatMap((all) => [middle(all).toFixed(digits), (own / middle(all)).toFixed(2)])
    return [name, own.toFixed(digits), ...others, middle(service).toFixed(digits)]
  }
  const ratios = (others: readonly Run[]): string =>
    sidestep.map((run, round) => (speed(run) / speed(others[round] ?? run)).toFixed(2)).join(' ')
  const rollups = median(sidestep.map((run) => ((run.rollupCpuSeconds ?? 0) * 1e6) / records))
  return [
    row(`${codec}: k records/s`, speed, 1),
    ['  ratio of each round', '', '', ratios(peer), '', ratios(rolled), ''],
    row('  CPU s a million', cpu, 1),
    ['  CPU s a million, rollups once', rollups.toFixed(1), '', '', '', '', ''],
    row('  peak memory, MB', memory, 0),
  ]
}

/** Prints the table. Needs about 2 GB of temporary disk for 2 M records. */
export async function benchIngest({ records, rounds, codecs }: BenchIngest): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sidestep-bench-'))
  const broker = await startBroker()
  const kafka = quietKafka({ brokers: broker.brokers })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const table = new Table({
      head: [
        'medians',
        'sidestep',
        "ClickHouse's Kafka engine",
        'ratio',
        'with rollups by views',
        'ratio',
        'service alone (engine apart)',
      ],
      style: { head: [], border: [] },
    })
    for (const codec of codecs) {
      const topic = await produceTopic(kafka, codec, records)
      const runs = await measureCodec({ kafka, admin, brokers: broker.brokers, directory }, topic, codec, rounds)
      await admin.deleteTopics({ topics: [topic.topic] })
      table.push(...rowsOf(codec, runs, topic.records))
    }
    process.stdout.write(`${table.toString()}\n`)
  } finally {
    await admin.disconnect()
    await broker.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
