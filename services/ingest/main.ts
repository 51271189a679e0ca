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
import { Session } from './kafka/session.ts'
import { createPartitionStores } from './kafka/store.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createReachability, type Reachability, type Side } from './reachability.ts'
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

interface Run {
  readonly config: IngestConfig
  readonly log: Logger
  readonly metrics: Metrics
  readonly reachability: Reachability
  readonly clock: Clock
  readonly clickhouse: ClickHouse
}

/** What the consumers of both topics are given. */
interface Shared extends Omit<Run, 'config' | 'reachability'> {
  readonly kafka: Kafka
  readonly sessionTimeoutMs: number
  readonly onAnswer: (side: Side, problem: string | undefined) => void
}

function requestsConsumer({ config }: Run, shared: Shared, endedSources: EndedSources): LivesOptions['begin'] {
  const { clickhouse, metrics, log, clock, onAnswer } = shared
  const { groupId, limits, ledgerBehind: behind, topicRequests: topic } = config
  const insertsInFlight = clickhouse.kind === 'embedded' ? 1 : config.insertsInFlight
  const decodeAt = decoderOf(config)
  return (onReady) => {
    const pool = createRowPool(config.bufferBytesMax)
    const begun = { clickhouse, pool, metrics, log, clock, groupId, limits, behind, decodeAt, endedSources }
    return new Session({
      ...shared,
      topic,
      groupId,
      insertsInFlight,
      pool,
      onReady,
      begin: async (options) => {
        const { membership } = options
        const { steadyMs } = clock
        const about = { clickhouse, membership, metrics, log, steadyMs, onAnswer }
        return await beginPartitions({ ...begun, stores: createPartitionStores(about) }, options)
      },
    })
  }
}

/** The consumers side by side, until stopped or until one of them cannot go on. Resolves to whether all that was read was stored. */
async function runConsumers(run: Run, stop: AbortSignal, onReady: (isReady: boolean) => void): Promise<boolean> {
  const { config, log, metrics, reachability, clock, clickhouse } = run
  const { topicRequests, topicApps, groupId, sessionTimeoutMs } = config
  const { brokers, sasl } = config.kafka
  const kafka = createKafka({ ...config.kafka, clientId: 'sidestep-ingest' }, log)
  const onAnswer: Shared['onAnswer'] = (side, problem) => reachability.report(side, problem)
  const shared = { kafka, clickhouse, metrics, log, clock, sessionTimeoutMs, onAnswer }
  const endedSources = new EndedSources()
  const over = new AbortController()
  const ready = new Set<string>()
  const expected = topicApps === undefined ? 1 : 2
  const consume = async (topic: string, group: string, begin: LivesOptions['begin']): Promise<boolean> => {
    try {
      return await live({
        begin,
        onReady(isReady) {
          if (isReady) ready.add(topic)
          else ready.delete(topic)
          onReady(ready.size === expected)
        },
        finalFailure: (end, wasReady) =>
          finalFailure(end, wasReady, { brokers, username: sasl?.username, topic, groupId: group }),
        onEnd(end) {
          if (end instanceof TopicRenewedError) endedSources.add(end.key)
          else reachability.report('kafka', errorMessage(end))
        },
        backoff: BACKOFF,
        stop: AbortSignal.any([stop, over.signal]),
        stopMs: STOP_MS,
      })
    } finally {
      over.abort()
    }
  }
  const consumers = [consume(topicRequests, groupId, requestsConsumer(run, shared, endedSources))]
  if (topicApps !== undefined) {
    const options = { ...shared, topic: topicApps, groupId: `${groupId}-apps` }
    const begin: LivesOptions['begin'] = (onTopicReady) => new RegistryTopic({ ...options, onReady: onTopicReady })
    consumers.push(consume(options.topic, options.groupId, begin))
  }
  const ends = await Promise.allSettled(consumers)
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
      const run = { config, log, metrics, reachability, clock, clickhouse }
      const complete = await runConsumers(run, stop, (isReady) => {
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
