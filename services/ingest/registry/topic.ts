/**
 * The app registry topic (compacted): the newest record of each app into `apps`, a tombstone as a deletion. A plain consumer in a group of its own.
 *
 * At least once is enough: a row is replaced by the one with the greatest version, so reading again changes nothing, and an offset gets one dead letter
 * only (in a topic made anew, one whose offset has a dead letter of the earlier topic is counted and logged, not stored). What is read is stored, then
 * committed; whoever has the partition next goes on there.
 *
 * Kafka's order is the order: app-row.ts says which version a row has.
 * One who was frozen while it stored, beyond the end of its session, may still overrule its heir with what it had read: until the app's next record.
 */
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import type { Logger } from 'pino'
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Clock } from '#lib/clock.ts'
import { isPassing } from '#lib/engine-error.ts'
import { errorMessage } from '#lib/errors.ts'
import { pause, retry, StoppedError } from '#lib/retry.ts'
import type { SqlQuery } from '#lib/sql-query.ts'
import type { DeadLetter } from '#schemas/dead-letter.ts'

import { addDead, openBatch } from '../blocks/block.ts'
import { createRowBuffer } from '../blocks/encode.ts'
import { ONE_TRY } from '../blocks/insert.ts'
import { createConsumer, leave, watch, type ConsumerLife } from '../kafka/consumer.ts'
import type { Metrics } from '../metrics.ts'
import type { Side } from '../reachability.ts'
import { createRangeStore } from '../recovery/range-store.ts'
import { recoveryOf } from '../recovery/recovery.ts'
import { APP_COLUMNS, appRow, parseApp, tombstoneRow } from './app-row.ts'

export interface RegistryTopicOptions {
  readonly kafka: Kafka
  readonly topic: string
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly clickhouse: ClickHouse
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly onAnswer: (side: Side, problem: string | undefined) => void
  readonly onReady: (isReady: boolean) => void
}

/** The broker waits so long for more (milliseconds), or for so many bytes: single changes should not each cost an insert. */
const FETCH_WAIT_MS = 500
const FETCH_BYTES_MIN = 64 * 1024
const LOOK_MS = 1000
const FIRST_PAUSE_MS = 250
const PAUSE_MAX_MS = 10_000
/** Dead records are rare. */
const FIRST_DEAD_BYTES = 64 * 1024

const VersionRow = z.object({ version: z.string().regex(/^\d+$/) })
export const appsVersionQuery: SqlQuery<z.ZodObject, typeof VersionRow> = {
  name: 'ingest/apps-version',
  params: z.object({}),
  row: VersionRow,
}

interface DeadApp {
  readonly offset: number
  readonly letter: DeadLetter
  readonly bytes: Buffer
}

const EMPTY = Buffer.alloc(0)

type KafkaBatch = EachBatchPayload['batch']

function letterOf(problem: string): DeadLetter {
  if (problem === 'not JSON') return { reason: 'not_json', detail: 'the app record is not JSON' }
  if (problem === 'not a JSON object') return { reason: 'not_an_object', detail: 'the app record is not a JSON object' }
  return { reason: 'wrong_type', detail: problem.slice(0, 500) }
}

function rowOf(message: KafkaMessage, version: bigint): string | DeadLetter {
  if (message.value === null) {
    const appId = message.key?.toString('utf8') ?? ''
    if (appId === '') return { reason: 'missing_field', detail: 'a tombstone needs the app_id as its key' }
    return tombstoneRow(appId, version)
  }
  const parsed = parseApp(message.value.toString('utf8'))
  if ('problem' in parsed) return letterOf(parsed.problem)
  try {
    return appRow(parsed, version)
  } catch (error) {
    return letterOf(errorMessage(error))
  }
}

/** Rows of `apps` with versions from `first` on, and what is no app. */
function appRows(
  messages: readonly KafkaMessage[],
  first: bigint,
): { readonly rows: readonly string[]; readonly dead: readonly DeadApp[] } {
  const rows: string[] = []
  const dead: DeadApp[] = []
  for (const [index, message] of messages.entries()) {
    const row = rowOf(message, first + BigInt(index))
    if (typeof row === 'string') rows.push(row)
    else dead.push({ offset: Number(message.offset), letter: row, bytes: message.value ?? EMPTY })
  }
  return { rows, dead }
}

export class RegistryTopic implements ConsumerLife {
  readonly failed: Promise<unknown>
  private readonly options: RegistryTopicOptions
  private readonly consumer: Consumer
  private readonly fail: (error: unknown) => void
  private readonly stopping = new AbortController()
  private timer: NodeJS.Timeout | undefined

  constructor(options: RegistryTopicOptions) {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const { kafka, sessionTimeoutMs, groupId } = options
    this.options = options
    this.failed = promise
    this.fail = resolve
    const fetch = { fetchWaitMs: FETCH_WAIT_MS, minBytes: FETCH_BYTES_MIN }
    this.consumer = createConsumer(kafka, sessionTimeoutMs, { groupId, ...fetch })
  }

  async start(): Promise<void> {
    const { consumer } = this
    const { topic, log, onReady, onAnswer, sessionTimeoutMs, clock } = this.options
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const { steadyMs } = clock
    const onHeard = (): void => onAnswer('kafka', undefined)
    this.timer = setInterval(watch({ consumer, sessionTimeoutMs, steadyMs, onHeard, onEnd: this.fail }), LOOK_MS)
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      log.info(
        { event: 'ingest.registry_joined', assigned: payload.memberAssignment },
        'joined the group of the registry',
      )
      onReady(!this.stopping.signal.aborted)
    })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => await this.takeBatch(payload),
    })
  }

  /** What is in hand is read again by whoever is next. */
  async stop(): Promise<boolean> {
    await this.close()
    return true
  }

  async close(): Promise<void> {
    this.stopping.abort()
    clearInterval(this.timer)
    this.options.onReady(false)
    await leave(this.consumer.disconnect())
    this.options.metrics.lag.remove({ topic: this.options.topic })
  }

  private async takeBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, metrics } = this.options
    const { batch } = payload
    const { partition } = batch
    if (payload.isStale() || !(await this.storePatiently(payload))) return
    const next = Number(batch.lastOffset()) + 1
    payload.resolveOffset(batch.lastOffset())
    await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(next) }] }] })
    metrics.commits.inc()
    metrics.lag.set({ topic, partition: String(partition) }, Math.max(0, Number(batch.highWatermark) - next))
  }

  /** Tries while ClickHouse is away. False when it is not stored: the consumer stops, or fails. Rejects with what Kafka has to say. */
  private async storePatiently(payload: EachBatchPayload): Promise<boolean> {
    const { sessionTimeoutMs, onAnswer, metrics } = this.options
    try {
      await retry(async () => await this.store(payload.batch), {
        firstPauseMs: FIRST_PAUSE_MS,
        pauseMaxMs: Math.min(PAUSE_MAX_MS, sessionTimeoutMs / 4),
        mayPass: isPassing,
        onRetry: (error) => {
          metrics.retries.inc({ step: 'insert' })
          onAnswer('clickhouse', errorMessage(error))
        },
        pause: async (milliseconds) => {
          await pause(milliseconds, this.stopping.signal)
          await payload.heartbeat()
        },
      })
    } catch (error) {
      if (error instanceof StoppedError) return false
      // A heartbeat was refused: kafkajs knows what to do.
      if (error instanceof Error && error.name.startsWith('KafkaJS')) throw error
      payload.pause()
      this.fail(error)
      return false
    }
    onAnswer('clickhouse', undefined)
    return true
  }

  private async store(batch: KafkaBatch): Promise<void> {
    const { partition, messages } = batch
    const { clickhouse, topic, metrics, log, clock } = this.options
    const [newest] = await clickhouse.query(appsVersionQuery, {})
    const afterNewest = BigInt(newest?.version ?? 0) + 1n
    const nowMs = BigInt(Math.floor(clock.wallMs()))
    const version = afterNewest > nowMs ? afterNewest : nowMs
    const { rows, dead } = appRows(messages, version)
    if (dead.length > 0) await this.storeDead(partition, dead)
    const [from, to] = [batch.firstOffset() ?? '0', batch.lastOffset()]
    if (rows.length > 0) {
      const body = Buffer.from(rows.join(''), 'utf8')
      const token = `${topic}/${partition}/${from}-${to}/${version}`
      await clickhouse.insertBlock({ table: 'apps', columns: APP_COLUMNS, body, token })
    }
    metrics.read.inc({ topic }, messages.length)
    metrics.rows.inc({ topic }, rows.length)
    for (const { letter } of dead) metrics.dead.inc({ topic, reason: letter.reason })
    const line = { event: 'ingest.registry_stored', topic, partition, from, to, apps: rows.length, dead: dead.length }
    log.info(line, 'stored a block of the registry')
  }

  /** Stores the dead letters whose offsets have none yet: what is read again may have been cut into other blocks before. */
  private async storeDead(partition: number, dead: readonly DeadApp[]): Promise<void> {
    const { clickhouse, topic } = this.options
    const batch = openBatch({ source: topic, partition }, createRowBuffer(FIRST_DEAD_BYTES))
    for (const { offset, letter, bytes } of dead) addDead(batch, offset, letter, bytes, bytes.length)
    await recoveryOf(createRangeStore(clickhouse, ONE_TRY), batch, {
      isSameRange: false,
      pause: async (milliseconds) => await pause(milliseconds, this.stopping.signal),
      onRepair: () => undefined,
    })()
  }
}
