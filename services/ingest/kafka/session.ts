/**
 * One life of the consumer of the requests: from joining the group until it is stopped or fails.
 *
 * kafkajs brings batches and tells of joins; a timer only signals. Whatever belongs to an epoch is thrown away when the next one begins: the
 * intents in Kafka say what is to be recovered.
 */
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { Logger } from 'pino'

import type { Clock } from '#lib/clock.ts'
import { isPassing } from '#lib/engine-error.ts'
import { errorMessage } from '#lib/errors.ts'

import type { Metrics } from '../metrics.ts'
import type { Side } from '../reachability.ts'
import type { BeginOptions } from './begin.ts'
import { createConsumer, leave, watch, type ConsumerLife } from './consumer.ts'
import { FencedError, Membership, retryInEpoch, type Epoch } from './epoch.ts'
import { TopicRenewedError } from './incarnation.ts'
import { takeBatch } from './intake.ts'
import type { Partition, PartitionKey } from './partition.ts'
import type { RowPool } from './row-pool.ts'
import { Scheduler } from './scheduler.ts'

export interface SessionOptions {
  readonly kafka: Kafka
  readonly topic: string
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly insertsInFlight: number
  readonly pool: RowPool
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  /** Builds the partitions that a join has given. Rejects when Kafka or ClickHouse is away. */
  readonly begin: (options: BeginOptions) => Promise<readonly Partition[]>
  /** Told after every try whether the other side answered, or what is wrong with it. */
  readonly onAnswer: (side: Side, problem: string | undefined) => void
  /** Told when partitions are assigned and their starts are known, and when that ends. */
  readonly onReady: (isReady: boolean) => void
}

/** Also how long kafkajs sleeps when every partition is paused, and how long a commit may wait behind a fetch. */
const FETCH_WAIT_MS = 100
const TICK_MS = 100
const BEGIN_BACKOFF = { firstPauseMs: 250, pauseMaxMs: 10_000 } as const

export class Session implements ConsumerLife {
  readonly failed: Promise<unknown>
  private readonly options: SessionOptions
  private readonly consumer: Consumer
  private readonly admin: Admin
  private readonly membership: Membership
  private readonly scheduler: Scheduler
  private readonly fail: (error: unknown) => void
  private timer: NodeJS.Timeout | undefined
  private isStopping = false
  private isClosed = false
  private beginning: Promise<void> = Promise.resolve()

  constructor(options: SessionOptions) {
    this.options = options
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.failed = promise
    this.fail = resolve
    const { sessionTimeoutMs, groupId, kafka, insertsInFlight, pool, metrics, log, clock } = options
    const consumer = createConsumer(kafka, sessionTimeoutMs, { groupId, fetchWaitMs: FETCH_WAIT_MS })
    this.consumer = consumer
    this.admin = kafka.admin()
    this.membership = new Membership(() => metrics.retries.inc({ step: 'commit' }))
    this.scheduler = new Scheduler({
      insertsInFlight,
      pool,
      metrics,
      log,
      steadyMs: clock.steadyMs,
      setPaused({ topic, partition }, isPaused) {
        if (isPaused) consumer.pause([{ topic, partitions: [partition] }])
        else consumer.resume([{ topic, partitions: [partition] }])
      },
      onFailure: this.fail,
    })
  }

  async start(): Promise<void> {
    const { consumer, admin, options } = this
    await admin.connect()
    await consumer.connect()
    await consumer.subscribe({ topics: [options.topic], fromBeginning: true })
    const lookForStall = watch({
      consumer,
      sessionTimeoutMs: options.sessionTimeoutMs,
      steadyMs: options.clock.steadyMs,
      onHeard: () => options.onAnswer('kafka', undefined),
      onEnd: this.fail,
    })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.joined(payload.memberAssignment))
    this.timer = setInterval(() => {
      lookForStall()
      this.scheduler.pump()
      this.scheduler.measure()
    }, TICK_MS)
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => await this.takeBatch(payload),
    })
  }

  /** 1. no more records are taken; 2. what is open is stored; 3. the last commits say so; 4. the group is left. */
  async stop(milliseconds: number): Promise<boolean> {
    const { scheduler } = this
    const { steadyMs } = this.options.clock
    this.isStopping = true
    this.options.onReady(false)
    scheduler.stop()
    const deadlineMs = steadyMs() + milliseconds
    while (!scheduler.isDrained() && steadyMs() < deadlineMs) {
      scheduler.pump()
      await scheduler.room(TICK_MS)
    }
    const isDone = scheduler.isDrained()
    await this.close()
    return isDone
  }

  /** Leaves the group and the brokers; what is on its way is fenced and waited for. */
  async close(): Promise<void> {
    this.isClosed = true
    clearInterval(this.timer)
    this.endEpoch()
    await leave(
      this.consumer.disconnect(),
      // A question that is asked after `disconnect` connects again, and would keep the process from ending.
      this.beginning.then(async () => await this.admin.disconnect()),
    )
    await this.scheduler.settle()
  }

  private endEpoch(): void {
    this.membership.end()
    this.scheduler.fence()
  }

  private joined(assignment: Readonly<Record<string, number[]>>): void {
    if (this.isClosed) return
    this.endEpoch()
    this.options.metrics.rebalances.inc()
    const epoch = this.membership.join()
    const assigned = Object.entries(assignment).map(([topic, partitions]) => ({ topic, partitions }))
    this.options.log.info({ event: 'ingest.joined', epoch: epoch.number, assigned }, 'joined the consumer group')
    // Before kafkajs fetches: nothing is taken until it is known where to begin.
    this.consumer.pause(assigned)
    this.options.onReady(false)
    this.beginning = this.begin(epoch, assigned)
  }

  private async begin(epoch: Epoch, assigned: BeginOptions['assigned']): Promise<void> {
    const { options, admin, membership, scheduler } = this
    try {
      // An insert of the last epoch may still be running; what it does must be seen by what recovers it.
      await scheduler.settle()
      if (membership.epoch() !== epoch) return
      const begun = await this.patiently(epoch, async () => await options.begin({ epoch, assigned, admin, membership }))
      if (membership.epoch() !== epoch) return
      for (const partition of begun) {
        this.seek(partition.key, partition.position())
        scheduler.add(partition)
      }
      options.onReady(!this.isStopping)
      scheduler.pump()
    } catch (error) {
      if (!(error instanceof FencedError)) this.fail(error)
    }
  }

  /** Repeats what fails because ClickHouse is away, until the epoch is over. */
  private async patiently<T>(epoch: Epoch, run: () => Promise<T>): Promise<T> {
    const { onAnswer } = this.options
    const result = await retryInEpoch(epoch, run, {
      ...BEGIN_BACKOFF,
      mayPass: isPassing,
      onRetry: (error) => onAnswer('clickhouse', errorMessage(error)),
    })
    onAnswer('clickhouse', undefined)
    return result
  }

  private seek({ topic, partition }: PartitionKey, offset: number): void {
    this.consumer.seek({ topic, partition, offset: String(offset) })
  }

  private async takeBatch(payload: EachBatchPayload): Promise<void> {
    const { scheduler, membership } = this
    const { metrics, log } = this.options
    membership.use(async (offsets) => await payload.commitOffsetsIfNecessary(offsets))
    try {
      await takeBatch({ scheduler, metrics, log, seek: (key, offset) => this.seek(key, offset) }, payload)
    } catch (error) {
      if (!(error instanceof TopicRenewedError)) throw error
      this.fail(error)
    }
    scheduler.pump()
  }
}
