/** `sidestep ingest`: the long-running service from Kafka to ClickHouse. */
import { Command } from 'commander'
import { pino } from 'pino'

import { runUntilStopped } from '#lib/shutdown.ts'

import { readIngestConfig } from '../../services/ingest/config.ts'
import { runIngest } from '../../services/ingest/main.ts'

const EXAMPLE = `
Example:
  $ KAFKA_BROKERS=localhost:9092 CLICKHOUSE_URL=http://default:@localhost:8123/default sidestep ingest

Everything is set by environment variables; what is missing or wrong is reported at once. Secrets may come as files: KAFKA_SASL_PASSWORD_FILE,
CLICKHOUSE_URL_FILE. SIGTERM stops it in order within 25 seconds.
`

/** Beyond this (milliseconds) a stop is cut off: what is not stored is in Kafka, and the next start recovers it. */
const STOP_MAX_MS = 25_000
/** A consumer of kafkajs that is told to leave while it is joining lingers with its sockets (milliseconds). */
const LINGER_MS = 1000

async function run(): Promise<void> {
  const config = readIngestConfig()
  const log = pino({ level: config.logLevel, base: { service: 'ingest' } }, pino.destination({ sync: true }))
  const onStop = (signal: NodeJS.Signals): void =>
    log.info({ event: 'ingest.stopping', signal }, 'stopping: what is open is stored and committed')
  const onCutOff = (): void =>
    log.error({ event: 'ingest.stop_cut_off' }, 'the stop took too long and is cut off; the next start recovers')
  const cutOff = { afterMs: STOP_MAX_MS, onCutOff }
  try {
    await runUntilStopped({ onStop, cutOff }, async (stop) => await runIngest(config, log, stop))
  } finally {
    // Fires only if something holds the process: all is stored, or the error is on its way to be told.
    setTimeout(() => process.exit(), LINGER_MS).unref()
  }
}

export function ingestCommand(): Command {
  return new Command('ingest')
    .description('Run the service that streams requests and apps from Kafka into ClickHouse, each once.')
    .addHelpText('after', EXAMPLE)
    .action(async () => await run())
}
