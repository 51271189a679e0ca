/**
 * One life of the Kafka consumer: from joining the group until it is stopped or fails.
 *
 * kafkajs brings batches and tells of joins; a timer only signals. Whatever belongs to an epoch is thrown away when the next one begins: the
 * intents in Kafka say what is to be recovered.
 */
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import type { Logger } from 'pino'

import { insertErrorKind } from '#lib/engine-error.ts'
import { errorMessage } from '#lib/errors.ts'

import type { Begun, BeginOptions } from './begin.ts'
import type { Side } from '../reachability.ts'
import { LogShortenedError, StalledError } from './session-errors.ts'
import { createMembership, FencedError, type Epoch, type Membership } from './epoch.ts'
import type { Metrics } from '../metrics.ts'
import type { RowPool } from './row-pool.ts'
import { Scheduler, type Slot } from './scheduler.ts'

export interface SessionOptions {
  readonly kafka: Kafka
  readonly topics: readonly string[]
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly insertsInFlight: number
  readonly pool: RowPool
  readonly metrics: Metrics
  readonly log: Logger
  /** Builds the partitions that a join has given. Rejects when Kafka or ClickHouse is away. */
  readonly begin: (options: BeginOptions) => Promise<readonly Begun[]>
  readonly onAnswer: (of: Side, problem: string | undefined) => void
  /** Told when partitions are assigned and their starts are known, and when that ends. */
  readonly onReady: (isReady: boolean) => void
}

/** Of one fetch, as it is sent. kafkajs holds all of it as objects at once: packed five to one, 2 MB become 30,000 records and 40 MB. */
const FETCH_BYTES_MAX = 2 * 1024 * 1024
/** Small beside the whole, because a broker fills a fetch in the order of its partitions: the last ones must get something too. */
const PARTITION_BYTES_MAX = FETCH_BYTES_MAX / 8
/** Also how long kafkajs sleeps when every partition is paused, and how long a commit may wait behind a fetch. */
const FETCH_WAIT_MS = 100
const TICK_MS = 100
const STALL_MS_MIN = 60_000
const HEARTBEAT_MS_MAX = 3000
/** kafkajs has been told to leave; a broker that does not answer must not hold the process. */
const LEAVE_MS = 4000

export class Session {
  /** Resolves with what ended the session, when that was not `stop`. */
  readonly failed: Promise<unknown>
  private readonly options: SessionOptions
  private readonly consumer: Consumer
  private readonly admin: Admin
  private readonly membership: Membership
  private readonly scheduler: Scheduler
  private readonly fail: (error: unknown) => void
  private timer: NodeJS.Timeout | undefined
  private lastSignMs = performance.now()
  private lastTickMs = performance.now()
  private isStopping = false
  private isClosed = false
  private beginning: Promise<void> = Promise.resolve()

  constructor(options: SessionOptions) {
    this.options = options
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.failed = promise
    this.fail = resolve
    const { sessionTimeoutMs, groupId, kafka, insertsInFlight, pool, metrics, log } = options
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(60_000, sessionTimeoutMs),
      heartbeatInterval: Math.min(HEARTBEAT_MS_MAX, Math.floor(sessionTimeoutMs / 4)),
      maxWaitTimeInMs: Math.min(FETCH_WAIT_MS, Math.floor(sessionTimeoutMs / 4)),
      maxBytes: FETCH_BYTES_MAX,
      maxBytesPerPartition: PARTITION_BYTES_MAX,
      allowAutoTopicCreation: false,
      // Whoever runs sessions begins a new one: a consumer that restarts itself would keep what it knows.
      retry: { restartOnFailure: async () => await Promise.resolve(false) },
    })
    this.consumer = consumer
    this.admin = kafka.admin()
    this.membership = createMembership(() => metrics.retries.inc({ of: 'commit' }))
    const setPaused = (topic: string, partition: number, isPaused: boolean): void => {
      if (isPaused) consumer.pause([{ topic, partitions: [partition] }])
      else consumer.resume([{ topic, partitions: [partition] }])
    }
    this.scheduler = new Scheduler({ insertsInFlight, pool, metrics, log, setPaused, onFailure: this.fail })
  }

  /** Joins the group. Rejects when Kafka is away or refuses. */
  async start(): Promise<void> {
    const { consumer, admin } = this
    const { events } = consumer
    await admin.connect()
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true })
    consumer.on(events.CRASH, ({ payload }) => this.fail(payload.error))
    consumer.on(events.GROUP_JOIN, ({ payload }) => this.joined(payload.memberAssignment))
    for (const event of [events.HEARTBEAT, events.FETCH, events.START_BATCH_PROCESS] as const) {
      consumer.on(event, () => this.sign())
    }
    this.timer = setInterval(() => this.tick(), TICK_MS)
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => await this.takeBatch(payload),
    })
  }

  /**
   * Stops in order, within `milliseconds`: 1. no more records are taken; 2. what is open is stored; 3. the last commits say so; 4. the group is
   * left. Resolves to false when the time was up before everything was stored: the rest stays in Kafka, for the next owner.
   */
  async stop(milliseconds: number): Promise<boolean> {
    const { scheduler } = this
    this.isStopping = true
    this.options.onReady(false)
    scheduler.stop()
    const deadline = performance.now() + milliseconds
    while (!scheduler.isDrained() && performance.now() < deadline) {
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
    const leaving = Promise.allSettled([
      this.consumer.disconnect(),
      // A question that is asked after `disconnect` connects again, and would keep the process from ending.
      this.beginning.then(async () => await this.admin.disconnect()),
    ])
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => resolve(undefined), LEAVE_MS)
    await Promise.race([leaving, late])
    clearTimeout(timer)
    await this.scheduler.settle()
  }

  private sign(): void {
    this.lastSignMs = performance.now()
    this.options.onAnswer('kafka', undefined)
  }

  private endEpoch(): void {
    this.membership.end()
    this.scheduler.fence()
  }

  private joined(assignment: Readonly<Record<string, number[]>>): void {
    if (this.isClosed) return
    this.sign()
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
      for (const { ingest, high } of begun) {
        const { topic, partition } = ingest.key
        this.consumer.seek({ topic, partition, offset: String(ingest.position()) })
        scheduler.add(ingest, high)
      }
      options.onReady(!this.isStopping)
      this.pump()
    } catch (error) {
      if (!(error instanceof FencedError)) this.fail(error)
    }
  }

  /** Repeats what fails because ClickHouse is away, until the epoch is over. */
  private async patiently<T>(epoch: Epoch, run: () => Promise<T>): Promise<T> {
    for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 10_000)) {
      try {
        const result = await run()
        this.options.onAnswer('clickhouse', undefined)
        return result
      } catch (error) {
        if (insertErrorKind(error) !== 'passing') throw error
        this.options.onAnswer('clickhouse', errorMessage(error))
      }
      await epoch.pause(pauseMs)
    }
  }

  private async takeBatch(payload: EachBatchPayload): Promise<void> {
    this.membership.use(async (offsets) => await payload.commitOffsetsIfNecessary(offsets))
    const { batch } = payload
    const slot = this.scheduler.get(batch.topic, batch.partition)
    // A batch that an earlier epoch had fetched: kafkajs fetches again, from the offset that was sought.
    if (slot === undefined || slot.isPaused || this.isStopping || payload.isStale()) return
    const { ingest } = slot
    slot.high = Number(batch.highWatermark)
    // Not in the types of kafkajs: the offset that was asked for.
    const fetchedAt = Number(Reflect.get(batch, 'fetchedOffset'))
    if (fetchedAt !== ingest.position() && !this.isJump(slot, fetchedAt)) return
    slot.jumpedTo = undefined
    await this.takeMessages(slot, payload, await this.checked(slot, batch.messages))
    await payload.heartbeat()
    this.pump()
  }

  /**
   * kafkajs brings another offset than the next one wanted. That ranges are missing, or that the log is another one, is believed when the same comes
   * after it was told to go back: a batch that was fetched for an earlier epoch does not come twice.
   */
  private isJump(slot: Slot, fetchedAt: number): boolean {
    const { topic, partition } = slot.ingest.key
    const position = slot.ingest.position()
    if (slot.jumpedTo !== fetchedAt) {
      slot.jumpedTo = fetchedAt
      this.consumer.seek({ topic, partition, offset: String(position) })
      return false
    }
    if (fetchedAt > position) {
      this.noteGap(slot, fetchedAt)
      return true
    }
    // Only a log that is shorter than it was makes kafkajs go back.
    this.fail(new LogShortenedError(slot.ingest.key, position, fetchedAt))
    return false
  }

  /** Kafka has nothing from the position to `offset`: control records, which kafkajs passes over, or records that retention has deleted. */
  private noteGap(slot: Slot, offset: number): void {
    const { topic, partition } = slot.ingest.key
    const offsets = offset - slot.ingest.position()
    this.options.metrics.gaps.inc({ topic }, offsets)
    const line = { event: 'ingest.gap', topic, partition, from: slot.ingest.position(), to: offset, offsets }
    this.options.log.warn(
      line,
      'Kafka has no records between these offsets: transaction markers, or retention was faster than ingest',
    )
    slot.ingest.advance(offset)
  }

  /** The messages; none when the first of them, which should be known, is another record than the one that is stored. */
  private async checked(slot: Slot, messages: readonly KafkaMessage[]): Promise<readonly KafkaMessage[]> {
    const [first] = messages
    if (first === undefined || (await slot.ingest.isSameTopic(first))) return messages
    this.fail(new LogShortenedError(slot.ingest.key, slot.ingest.position(), Number(first.offset)))
    return []
  }

  private async takeMessages(slot: Slot, payload: EachBatchPayload, all: readonly KafkaMessage[]): Promise<void> {
    const { ingest } = slot
    let messages = all
    for (;;) {
      const taken = ingest.take(messages)
      if (taken.skipped > 0) this.options.metrics.skipped.inc({ topic: ingest.key.topic }, taken.skipped)
      if (taken.last !== undefined) payload.resolveOffset(String(taken.last))
      if (!taken.isHeldBack) {
        ingest.advance(Number(payload.batch.lastOffset()) + 1)
        return
      }
      messages = messages.slice(taken.taken)
      this.pump()
      // Nothing was taken, and the full block cannot go on its way yet: others go on meanwhile, and the rest is fetched again later.
      if (taken.taken === 0) break
    }
    this.scheduler.pause(slot)
  }

  private tick(): void {
    const now = performance.now()
    // A process that was stopped itself has not been let down by Kafka.
    if (now - this.lastTickMs > 50 * TICK_MS) this.lastSignMs = now
    this.lastTickMs = now
    const stallMs = Math.max(STALL_MS_MIN, 3 * this.options.sessionTimeoutMs)
    if (now - this.lastSignMs > stallMs) this.fail(new StalledError(`nothing was heard of Kafka for ${stallMs} ms`))
    this.pump()
    this.scheduler.measure()
  }

  private pump(): void {
    if (this.membership.epoch() !== undefined) this.scheduler.pump()
  }
}
