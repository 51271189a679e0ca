/**
 * The ingest service: Kafka to ClickHouse, effectively once. Wiring, and one loop that begins a new consumer whenever the last one failed for a
 * reason that may pass. What cannot pass is thrown, and the process ends non-zero.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { z } from 'zod'

import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { engineErrorCode, insertErrorKind } from '#lib/engine-error.ts'
import { errorMessage, SidestepError } from '#lib/errors.ts'
import { kafkaErrorKind, kafkaFailure } from '#lib/kafka-error.ts'
import { createKafka } from '#lib/kafka.ts'
import { migrate } from '#lib/migrate.ts'

import { beginPartitions } from './kafka/begin.ts'
import { createBlockPorts } from './kafka/store.ts'
import type { IngestConfig } from './config.ts'
import { LogShortenedError, StalledError } from './kafka/session-errors.ts'
import { Session, type SessionOptions } from './kafka/session.ts'
import type { DecodeOptions } from './decode/decode.ts'
import { FORMATS } from './decode/formats/index.ts'
import { loadMappingFile } from './decode/formats/mapping-file.ts'
import { startStatusServer } from '#lib/status-server.ts'
import { createInsertGate } from './recovery/insert-gate.ts'
import { createLinks, type Links } from './reachability.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createRowPool } from './kafka/row-pool.ts'

/** Kubernetes and Docker wait 30 s and 10 s by default before they kill; the issue grants 25 s, of which the rest is for leaving. */
const STOP_MS = 20_000
const FIRST_PAUSE_MS = 500
const PAUSE_MAX_MS = 15_000
/** An insert ends well before the broker gives this member up, so that the next owner finds it done or dead. */
const INSERT_SHARE_OF_SESSION = 2 / 3
const DAY_MS = 86_400_000

/** Event times that are believed in a block opened at a time: too old and too far ahead are dead letters. */
function decoderOf(config: IngestConfig): (openedAtMs: number) => DecodeOptions {
  const format = config.mapping === undefined ? FORMATS[config.format] : loadMappingFile(config.mapping)
  const { trustedHops, forwardedHeader, eventSpanDays } = config
  const header = forwardedHeader === undefined ? {} : { forwardedHeader }
  return (openedAtMs) => ({
    format,
    trustedHops,
    ...header,
    earliestMs: openedAtMs - eventSpanDays * DAY_MS,
    latestMs: openedAtMs + DAY_MS,
  })
}

async function pauseOrStop(milliseconds: number, stop: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal: stop }).catch(() => undefined)
}

const SchemaRow = z.object({ tables: z.coerce.number() })

/** Opens it and checks that it has the schema. Waits as long as it is away. */
async function openStore(config: IngestConfig, links: Links, stop: AbortSignal): Promise<ClickHouse | undefined> {
  const { clickhouseUrl: url, dataDir, sessionTimeoutMs } = config
  const requestTimeoutMs = Math.floor(sessionTimeoutMs * INSERT_SHARE_OF_SESSION)
  for (let pauseMs = FIRST_PAUSE_MS; !stop.aborted; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
    try {
      const clickhouse = await openClickHouse({ url, dataDir, requestTimeoutMs })
      if (clickhouse.kind === 'embedded') await migrate(clickhouse)
      const [schema] = await clickhouse.select(
        `SELECT count() AS tables FROM system.tables WHERE database = currentDatabase() AND name IN ('landing', 'ingest_ledger', 'apps')`,
        SchemaRow,
      )
      if (schema?.tables !== 3) {
        throw new SidestepError(
          'failure',
          'ClickHouse has no sidestep schema: run `sidestep migrate` with the same CLICKHOUSE_URL first',
        )
      }
      links.note('clickhouse', undefined)
      return clickhouse
    } catch (error) {
      if (insertErrorKind(error) !== 'passing') throw error
      links.note('clickhouse', errorMessage(error))
    }
    await pauseOrStop(pauseMs, stop)
  }
  return undefined
}

/** True when the client tried it several times, or says itself that it may pass: a broker that restarts answers all sorts of things. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.name === 'KafkaJSNumberOfRetriesExceeded' || Reflect.get(error, 'retriable') === true) return true
  return mayPass(error.cause)
}

/** Why retrying cannot help, or undefined when it may. */
function finalFailure(error: unknown, config: IngestConfig, wasReady: boolean): Error | undefined {
  if (error instanceof LogShortenedError) return undefined
  if (error instanceof StalledError || error instanceof SidestepError) return error
  const { brokers, sasl } = config.kafka
  const topic = [config.topicRequests, config.topicApps].filter((name) => name !== undefined).join(' or ')
  const failure = kafkaFailure(error, { brokers, username: sasl?.username, topic, groupId: config.groupId })
  switch (kafkaErrorKind(error)) {
    case 'unreachable':
      return undefined
    case 'unknown-topic':
      return wasReady ? undefined : failure
    case 'other':
      return mayPass(error) ? undefined : asFailure(error, failure)
    case 'tls':
    case 'authentication':
    case 'permission':
      break
  }
  return failure
}

/** What is not of Kafka is ClickHouse's, or a bug. */
function asFailure(error: unknown, ofKafka: SidestepError): Error {
  if (error instanceof Error && error.name.startsWith('KafkaJS')) return ofKafka
  const code = engineErrorCode(error)
  if (code === undefined) return error instanceof Error ? error : ofKafka
  return new SidestepError('failure', `ClickHouse refuses: ${errorMessage(error)}. Retrying cannot help.`, {
    cause: error,
  })
}

interface Run {
  readonly config: IngestConfig
  readonly log: Logger
  readonly metrics: Metrics
  readonly links: Links
  readonly stop: AbortSignal
  readonly onReady: (isReady: boolean) => void
}

function sessionOptions(run: Run, clickhouse: ClickHouse, renewed: Map<string, string>): SessionOptions {
  const { config, log, metrics, links } = run
  const { topicRequests, topicApps, groupId, sessionTimeoutMs, limits } = config
  const insertsInFlight = clickhouse.kind === 'embedded' ? 1 : config.insertsInFlight
  const kafka = createKafka({ ...config.kafka, clientId: 'sidestep-ingest' }, log)
  const pool = createRowPool(config.bufferBytesMax)
  const decodeAt = decoderOf(config)
  const gate = createInsertGate()
  const onAnswer: SessionOptions['onAnswer'] = (of, problem) => links.note(of, problem)
  return {
    kafka,
    topics: topicApps === undefined ? [topicRequests] : [topicRequests, topicApps],
    groupId,
    sessionTimeoutMs,
    insertsInFlight,
    pool,
    metrics,
    log,
    onAnswer,
    onReady: run.onReady,
    begin: async (options) => {
      const { membership } = options
      const ports = createBlockPorts({
        clickhouse,
        gate,
        membership,
        metrics,
        log,
        onAnswer: (problem) => onAnswer('clickhouse', problem),
      })
      const behind = config.ledgerBehind
      return await beginPartitions(
        { clickhouse, ports, pool, metrics, log, groupId, topicApps, limits, behind, decodeAt, renewed },
        options,
      )
    },
  }
}

/** Sessions one after the other, until stopped. Throws what retrying cannot mend. */
async function runSessions(run: Run, clickhouse: ClickHouse): Promise<void> {
  const { config, log, links, stop } = run
  // Partitions whose log was found to be another one, with the source that is over.
  const renewed = new Map<string, string>()
  let wasReady = false
  let pauseMs = FIRST_PAUSE_MS
  while (!stop.aborted) {
    const options = sessionOptions(run, clickhouse, renewed)
    const onReady = (isReady: boolean): void => {
      if (isReady) {
        wasReady = true
        pauseMs = FIRST_PAUSE_MS
      }
      run.onReady(isReady)
    }
    const session = new Session({ ...options, onReady })
    const { promise: stopped, resolve } = Promise.withResolvers<'stopped'>()
    stop.addEventListener('abort', () => resolve('stopped'), { once: true })
    const started = session.start().then(
      async () => await session.failed,
      (error: unknown) => error,
    )
    const end = stop.aborted ? 'stopped' : await Promise.race([started, stopped])
    if (end === 'stopped') {
      const isDone = await session.stop(STOP_MS)
      log.info(
        { event: 'ingest.stopped', complete: isDone },
        isDone ? 'stopped' : 'stopped in time; the rest is left in Kafka',
      )
      return
    }
    run.onReady(false)
    await session.close()
    const final = finalFailure(end, config, wasReady)
    if (final !== undefined) throw final
    if (end instanceof LogShortenedError) {
      renewed.set(end.partition, end.source)
      continue
    }
    links.note('kafka', errorMessage(end))
    await pauseOrStop(pauseMs, stop)
    pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)
  }
}

/** Runs until `stop`. Throws SidestepError, or a bug, when it cannot go on; what was read and not stored is still in Kafka. */
export async function runIngest(config: IngestConfig, log: Logger, stop: AbortSignal): Promise<void> {
  const metrics = createMetrics()
  const links = createLinks(log, metrics, () => performance.now())
  let isAssigned = false
  const notReady = (): string[] => {
    const problems = stop.aborted ? ['stopping'] : isAssigned ? [] : ['no partitions assigned yet']
    for (const side of ['kafka', 'clickhouse'] as const) if (!links.isUp(side)) problems.push(`${side} does not answer`)
    return problems
  }
  const http = await startStatusServer({
    host: config.httpHost,
    port: config.httpPort,
    registry: metrics.registry,
    notReady,
  })
  log.info({ event: 'ingest.listening', port: http.port }, 'serving /healthz, /readyz and /metrics')
  try {
    const clickhouse = await openStore(config, links, stop)
    if (clickhouse === undefined) return
    const onReady = (isReady: boolean): void => {
      isAssigned = isReady
    }
    try {
      await runSessions({ config, log, metrics, links, stop, onReady }, clickhouse)
    } finally {
      await clickhouse.close()
    }
  } finally {
    await http.close()
  }
}
