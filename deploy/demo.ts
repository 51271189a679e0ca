/**
 * `docker compose run --rm demo [OPTIONS OF simulate]`: sends simulated traffic of the last day through Kafka, waits until it is stored and
 * analysed, and prints the findings. The first argument, which docker-compose.yml gives, is the URL of the analyzer.
 *
 * It only looks: at the offsets that ingest has committed, and at the cycles that the analyzer has counted.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { pino } from 'pino'

import { errorMessage } from '#lib/errors.ts'
import { createKafka } from '#lib/kafka.ts'

import { readIngestConfig, type IngestConfig } from '../services/ingest/config.ts'

const TRAFFIC = ['--apps', '400', '--requests', '100000', '--hours', '24']
const STORED_WITHIN_MS = 300_000
const ANALYSED_WITHIN_MS = 600_000
const LOOK_EVERY_MS = 2000

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

/** How often the analyzer has succeeded, by its metrics. */
async function cycles(analyzer: string): Promise<number> {
  const answer = await fetch(new URL('/metrics', analyzer))
  const line = /^sidestep_analyzer_cycles_total\{result="succeeded"\} (\d+)$/m.exec(await answer.text())
  return Number(line?.[1] ?? 0)
}

/** A whole cycle has passed: the one that was under way may have begun too soon, the next one has not. */
async function waitUntilAnalysed(analyzer: string): Promise<void> {
  const before = await cycles(analyzer)
  const otherwise = 'the analyzer does not get on: look at docker compose logs analyzer'
  await until(ANALYSED_WITHIN_MS, otherwise, async () => (await cycles(analyzer)) >= before + 2)
}

async function run(analyzer: string, options: readonly string[]): Promise<void> {
  const config = readIngestConfig()
  await sidestep(['simulate', '--kafka', config.kafka.brokers.join(','), ...TRAFFIC, ...options])
  say('waiting until ingest has stored it …')
  await waitUntilStored(config)
  say('waiting until the analyzer has been through it: two turns of ANALYZE_EVERY_SECONDS at most …')
  await waitUntilAnalysed(analyzer)
  await sidestep(['findings'])
  say('more about one of them: docker compose run --rm sidestep explain FINDING')
}

try {
  const [analyzer, ...options] = process.argv.slice(2)
  if (analyzer === undefined) throw new Error('the URL of the analyzer is missing')
  await run(analyzer, options)
} catch (error) {
  process.stderr.write(`demo: ${errorMessage(error)}\n`)
  process.exitCode = 1
}
