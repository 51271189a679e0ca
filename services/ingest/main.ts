/** The ingest service: Kafka to ClickHouse, effectively once. Wiring only; what cannot pass is thrown, and the process ends non-zero. */
import type { Kafka } from 'kafkajs'
import type { Logger } from 'pino'
import { z } from 'zod'

import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import type { Clock } from '#lib/clock.ts'
import { isPassing } from '#lib/engine-error.ts'
import { errorMessage, SidestepError } from '#lib/errors.ts'
import { createKafka } from '#lib/kafka.ts'
import { migrate } from '#lib/migrate.ts'
import { retry, StoppedError } from '#lib/retry.ts'
import type { SqlQuery } from '#lib/sql-query.ts'
import { startStatusServer } from '#lib/status-server.ts'

import type { IngestConfig } from './config.ts'
import type { DecodeOptions } from './decode/decode.ts'
import { FORMATS } from './decode/formats/index.ts'
import { loadMappingFile } from './decode/formats/mapping-file.ts'
import { beginPartitions } from './kafka/begin.ts'
import { live, type LivesOptions } from './kafka/consumer.ts'
import { finalFailure } from './kafka/failure.ts'
import { EndedSources, TopicRenewedError } from './kafka/incarnation.ts'
import { createRowPool } from './kafka/row-pool.ts'
import { Session, type SessionOptions } from './kafka/session.ts'
import { createPartitionStores } from './kafka/store.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createReachability, type Reachability } from './reachability.ts'
import { RegistryTopic } from './registry/topic.ts'

/** Kubernetes and Docker wait 30 s and 10 s by default before they kill; the issue grants 25 s, of which the rest is for leaving. */
const STOP_MS = 20_000
const BACKOFF = { firstPauseMs: 500, pauseMaxMs: 15_000 } as const
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

const NoParams = z.object({})
const SchemaRow = z.object({ tables: z.coerce.number() })
export const schemaTablesQuery: SqlQuery<typeof NoParams, typeof SchemaRow> = {
  name: 'ingest/schema-tables',
  params: NoParams,
  row: SchemaRow,
}

async function openOnce({ clickhouseUrl: url, dataDir, sessionTimeoutMs }: IngestConfig): Promise<ClickHouse> {
  const requestTimeoutMs = Math.floor(sessionTimeoutMs * INSERT_SHARE_OF_SESSION)
  const clickhouse = await openClickHouse({ url, dataDir, requestTimeoutMs })
  if (clickhouse.kind === 'embedded') await migrate(clickhouse)
  const [schema] = await clickhouse.query(schemaTablesQuery, {})
  if (schema?.tables === 3) return clickhouse
  const text = 'ClickHouse has no sidestep schema: run `sidestep migrate` with the same CLICKHOUSE_URL first'
  throw new SidestepError('failure', text)
}

/** Opens ClickHouse and checks that it has the schema. Waits as long as it is away; undefined when stopped meanwhile. */
async function openStore(
  config: IngestConfig,
  reachability: Reachability,
  stop: AbortSignal,
): Promise<ClickHouse | undefined> {
  try {
    const clickhouse = await retry(async () => await openOnce(config), {
      ...BACKOFF,
      mayPass: isPassing,
      onRetry: (error) => reachability.report('clickhouse', errorMessage(error)),
      signal: stop,
    })
    reachability.report('clickhouse', undefined)
    return clickhouse
  } catch (error) {
    if (error instanceof StoppedError) return undefined
    throw error
  }
}

/** What the consumers of both topics are given. */
interface Shared {
  readonly kafka: Kafka
  readonly clickhouse: ClickHouse
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly sessionTimeoutMs: number
  readonly onAnswer: Reachability['report']
}

function requestsConsumer(config: IngestConfig, shared: Shared, endedSources: EndedSources): LivesOptions['begin'] {
  const { clickhouse, clock } = shared
  const { groupId, limits, ledgerBehind: behind, topicRequests: topic } = config
  const insertsInFlight = clickhouse.kind === 'embedded' ? 1 : config.insertsInFlight
  const decodeAt = decoderOf(config)
  return (onReady) => {
    const pool = createRowPool(config.bufferBytesMax)
    const begin: SessionOptions['begin'] = async (options) => {
      const stores = createPartitionStores({ ...shared, membership: options.membership, steadyMs: clock.steadyMs })
      return await beginPartitions(
        { ...shared, pool, groupId, limits, behind, decodeAt, endedSources, stores },
        options,
      )
    }
    return new Session({ ...shared, topic, groupId, insertsInFlight, pool, onReady, begin })
  }
}

interface Consumer {
  readonly topic: string
  readonly groupId: string
  readonly begin: LivesOptions['begin']
}

function consumersOf(config: IngestConfig, shared: Shared, endedSources: EndedSources): readonly Consumer[] {
  const { topicRequests, topicApps, groupId } = config
  const requests = { topic: topicRequests, groupId, begin: requestsConsumer(config, shared, endedSources) }
  if (topicApps === undefined) return [requests]
  const registry = { topic: topicApps, groupId: `${groupId}-apps` }
  return [requests, { ...registry, begin: (onReady) => new RegistryTopic({ ...shared, ...registry, onReady }) }]
}

/** The consumers side by side, until stopped or until one of them cannot go on. Resolves to whether all that was read was stored. */
async function runConsumers(
  config: IngestConfig,
  shared: Shared,
  stop: AbortSignal,
  onReady: (isReady: boolean) => void,
): Promise<boolean> {
  const { brokers, sasl } = config.kafka
  const endedSources = new EndedSources()
  const over = new AbortController()
  const ready = new Set<string>()
  const consumers = consumersOf(config, shared, endedSources)
  const lives = consumers.map(async ({ topic, groupId, begin }) => {
    const place = { brokers, username: sasl?.username, topic, groupId }
    const ended = live({
      begin,
      onReady(isReady) {
        if (isReady) ready.add(topic)
        else ready.delete(topic)
        onReady(ready.size === consumers.length)
      },
      finalFailure: (end, wasReady) => finalFailure(end, wasReady, place),
      onEnd(end) {
        if (end instanceof TopicRenewedError) endedSources.add(end.key)
        else shared.onAnswer('kafka', errorMessage(end))
      },
      backoff: BACKOFF,
      stop: AbortSignal.any([stop, over.signal]),
      stopMs: STOP_MS,
    })
    return await ended.finally(() => over.abort())
  })
  const ends = await Promise.allSettled(lives)
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return ends.every((end) => end.status === 'fulfilled' && end.value)
}

/** Runs until `stop`. Throws SidestepError, or a bug, when it cannot go on; what was read and not stored is still in Kafka. */
export async function runIngest(config: IngestConfig, log: Logger, stop: AbortSignal): Promise<void> {
  const clock: Clock = { wallMs: () => Date.now(), steadyMs: () => performance.now() }
  const metrics = createMetrics()
  const reachability = createReachability(log, metrics, clock.steadyMs)
  let isAssigned = false
  const notReady = (): string[] => {
    const problems = stop.aborted ? ['stopping'] : isAssigned ? [] : ['no partitions assigned yet']
    for (const side of ['kafka', 'clickhouse'] as const)
      if (!reachability.isUp(side)) problems.push(`${side} does not answer`)
    return problems
  }
  const { httpHost: host, httpPort } = config
  const http = await startStatusServer({ host, port: httpPort, registry: metrics.registry, notReady })
  log.info({ event: 'ingest.listening', port: http.port }, 'serving /healthz, /readyz and /metrics')
  try {
    const clickhouse = await openStore(config, reachability, stop)
    if (clickhouse === undefined) return
    try {
      const { sessionTimeoutMs } = config
      const kafka = createKafka({ ...config.kafka, clientId: 'sidestep-ingest' }, log)
      const onAnswer: Shared['onAnswer'] = (side, problem) => reachability.report(side, problem)
      const shared = { kafka, clickhouse, metrics, log, clock, sessionTimeoutMs, onAnswer }
      const complete = await runConsumers(config, shared, stop, (isReady) => {
        isAssigned = isReady
      })
      const text = complete ? 'stopped' : 'stopped in time; the rest is left in Kafka'
      log.info({ event: 'ingest.stopped', complete }, text)
    } finally {
      await clickhouse.close()
    }
  } finally {
    await http.close()
  }
}
