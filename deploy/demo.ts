/**
 * `docker compose run --rm demo [OPTIONS OF simulate]`: sends simulated traffic of the last day through Kafka, waits until it is stored and
 * analysed, and prints the findings.
 *
 * It only looks: at the offsets that ingest has committed, and at the findings that the analyzer has written.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { pino } from 'pino'
import { z } from 'zod'

import { openClickHouse } from '#lib/clickhouse.ts'
import { errorMessage } from '#lib/errors.ts'
import { createKafka } from '#lib/kafka.ts'

import { readIngestConfig, type IngestConfig } from '../services/ingest/config.ts'

const TRAFFIC = ['--apps', '400', '--requests', '100000', '--hours', '24']
const STORED_WITHIN_MS = 300_000
const FOUND_WITHIN_MS = 300_000
const LOOK_EVERY_MS = 2000

const FreshRow = z.object({ fresh: z.coerce.number() })

function say(text: string): void {
  process.stdout.write(`\n${text}\n`)
}

/** Runs a command of the command line with its output shown. Throws when it fails. */
async function sidestep(args: readonly string[]): Promise<void> {
  say(`$ sidestep ${args.join(' ')}`)
  const child = spawn(process.execPath, [...process.execArgv, 'cli/main.ts', ...args], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`sidestep ${args[0] ?? ''} ended with ${String(code)}`)
}

/** Asks until the answer is yes. Throws `otherwise` when the time is up. */
async function until(milliseconds: number, otherwise: string, ask: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + milliseconds
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(otherwise)
    await wait(LOOK_EVERY_MS)
  }
}

/** Everything in the topics is committed, and so stored: ingest commits an offset after what comes before it is in ClickHouse. */
async function waitUntilStored(config: IngestConfig): Promise<void> {
  const { kafka, groupId, topicRequests, topicApps } = config
  const admin = createKafka({ ...kafka, clientId: 'sidestep-demo' }, pino({ level: 'silent' })).admin()
  const topics = topicApps === undefined ? [topicRequests] : [topicRequests, topicApps]
  await admin.connect()
  try {
    const otherwise = 'ingest did not keep up: look at docker compose logs ingest, and at docs/runbook.md, "Lag grows"'
    await until(STORED_WITHIN_MS, otherwise, async () => {
      for (const topic of topics) {
        const [group] = await admin.fetchOffsets({ groupId, topics: [topic] })
        const committed = new Map(group?.partitions.map((one) => [one.partition, Number(one.offset)]))
        const ends = await admin.fetchTopicOffsets(topic)
        if (ends.some((end) => Number(end.high) > Math.max(0, committed.get(end.partition) ?? 0))) return false
      }
      return true
    })
  } finally {
    await admin.disconnect()
  }
}

/** A cycle of the analyzer has written findings since. */
async function waitUntilAnalysed(config: IngestConfig, sinceMs: number): Promise<void> {
  const clickhouse = await openClickHouse({ url: config.clickhouseUrl, dataDir: config.dataDir })
  const sql = 'SELECT count() AS fresh FROM findings WHERE created_at >= fromUnixTimestamp64Milli({since:Int64})'
  try {
    const otherwise = 'the analyzer wrote no finding: look at docker compose logs analyzer'
    await until(FOUND_WITHIN_MS, otherwise, async () => {
      const [row] = await clickhouse.select(sql, FreshRow, { since: sinceMs })
      return (row?.fresh ?? 0) > 0
    })
  } finally {
    await clickhouse.close()
  }
}

async function run(): Promise<void> {
  const config = readIngestConfig()
  await sidestep(['simulate', '--kafka', config.kafka.brokers.join(','), ...TRAFFIC, ...process.argv.slice(2)])
  say('waiting until ingest has stored it …')
  await waitUntilStored(config)
  const storedMs = Date.now()
  say('waiting for the next cycle of the analyzer …')
  await waitUntilAnalysed(config, storedMs)
  await sidestep(['findings'])
  say('more about one of them: docker compose run --rm sidestep explain FINDING')
}

try {
  await run()
} catch (error) {
  process.stderr.write(`demo: ${errorMessage(error)}\n`)
  process.exitCode = 1
}
