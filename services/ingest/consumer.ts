/**
 * One life of the Kafka consumer: from joining the group until it is stopped or fails.
 *
 * One loop owns the state: kafkajs's batches, answers to effects and a timer all end in `pump`, which sends due blocks on their way and pauses
 * or resumes partitions. Whatever belongs to an epoch is thrown away when the next one begins; the intents in Kafka say what to recover.
 */
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { Logger } from 'pino'

import { insertErrorKind } from '#lib/engine-error.ts'
import { errorMessage } from '#lib/errors.ts'

import { beginPartitions, type BeginOptions } from './begin-partitions.ts'
import { createMembership, FencedError, type Epoch, type Membership } from './membership.ts'
import type { Metrics } from './metrics.ts'
import type { Block, PartitionIngest } from './partition-ingest.ts'
import type { RowPool } from './row-pool.ts'

export interface SessionOptions {
  readonly kafka: Kafka
  readonly topics: readonly string[]
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly insertsInFlight: number
  readonly pool: RowPool
  readonly metrics: Metrics
  readonly log: Logger
  /** Builds the partitions that a join has given. */
  readonly begin: (options: BeginOptions) => ReturnType<typeof beginPartitions>
  readonly onAnswer: (of: 'kafka' | 'clickhouse', problem: string | undefined) => void
  /** Told when partitions are assigned and their starts are known, and when that ends. */
  readonly onReady: (isReady: boolean) => void
}

/** One fetch, packed or not; what comes of it in memory is several times as much. */
const FETCH_BYTES_MAX = 8 * 1024 * 1024
const FETCH_WAIT_MS = 500
const TICK_MS = 100
/** How long a batch waits for room before its partition is paused and the rest of the batch fetched again later. */
const ROOM_WAIT_MS = 2000
/** A partition that has rested so long gets a commit without intent. */
const REST_MS = 3000
const STALL_MS_MIN = 60_000

interface Slot {
  readonly ingest: PartitionIngest
  high: number
  isPaused: boolean
  lastFlushMs: number
}

export class Session {
  readonly failed: Promise<unknown>
  private readonly options: SessionOptions
  private readonly consumer: Consumer
  private readonly admin: Admin
  private readonly membership: Membership
  private readonly slots = new Map<string, Slot>()
  private readonly flights = new Set<Promise<void>>()
  private readonly fail: (error: unknown) => void
  private timer: NodeJS.Timeout | undefined
  private lastSignMs = performance.now()
  private lastTickMs = performance.now()
  private isStopping = false
  private roomWanted = Promise.withResolvers<undefined>()

  constructor(options: SessionOptions) {
    this.options = options
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.failed = promise
    this.fail = resolve
    const { sessionTimeoutMs, groupId, kafka } = options
    this.consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(60_000, sessionTimeoutMs),
      heartbeatInterval: Math.min(3000, Math.floor(sessionTimeoutMs / 4)),
      maxWaitTimeInMs: Math.min(FETCH_WAIT_MS, Math.floor(sessionTimeoutMs / 4)),
      maxBytes: FETCH_BYTES_MAX,
      maxBytesPerPartition: FETCH_BYTES_MAX / 4,
      allowAutoTopicCreation: false,
      // Whoever runs sessions begins a new one: a consumer that restarts itself would keep what it knows.
      retry: { restartOnFailure: async () => await Promise.resolve(false) },
    })
    this.admin = kafka.admin()
    this.membership = createMembership(() => options.metrics.retries.inc({ of: 'commit' }))
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
    this.isStopping = true
    this.options.onReady(false)
    const deadline = performance.now() + milliseconds
    for (const slot of this.slots.values()) this.pause(slot)
    while (!this.isDrained() && performance.now() < deadline && this.membership.epoch() !== undefined) {
      this.pump()
      await Promise.race([this.roomWanted.promise, new Promise((resolve) => setTimeout(resolve, TICK_MS))])
    }
    const isDone = this.isDrained()
    await this.close()
    return isDone
  }

  /** Leaves the group and the brokers, without waiting for what is on its way. */
  async close(): Promise<void> {
    clearInterval(this.timer)
    this.endEpoch()
    const { consumer, admin, options } = this
    const closing = Promise.allSettled([consumer.disconnect(), admin.disconnect()])
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 4000).unref())])
    await Promise.allSettled(this.flights)
    options.metrics.lag.reset()
  }

  private sign(): void {
    this.lastSignMs = performance.now()
    this.options.onAnswer('kafka', undefined)
  }

  private endEpoch(): void {
    this.membership.end()
    for (const slot of this.slots.values()) slot.ingest.fence()
    this.slots.clear()
    this.giveRoom()
  }

  private joined(assignment: Readonly<Record<string, number[]>>): void {
    this.sign()
    this.endEpoch()
    this.options.metrics.rebalances.inc()
    const epoch = this.membership.join()
    const assigned = Object.entries(assignment).map(([topic, partitions]) => ({ topic, partitions }))
    this.options.log.info({ event: 'ingest.joined', epoch: epoch.number, assigned }, 'joined the consumer group')
    // Before kafkajs fetches: nothing is taken until it is known where to begin.
    this.consumer.pause(assigned)
    this.options.onReady(false)
    void this.begin(epoch, assigned)
  }

  private async begin(epoch: Epoch, assigned: BeginOptions['assigned']): Promise<void> {
    try {
      // An insert of the last epoch may still be running; what it does must be seen by what recovers it.
      await Promise.allSettled(this.flights)
      const { options, admin, membership } = this
      const started = await this.patiently(epoch, async () => await options.begin({ epoch, assigned, admin, membership }))
      if (this.membership.epoch() !== epoch) return
      for (const { ingest, high } of started) {
        const { topic, partition } = ingest.key
        this.consumer.seek({ topic, partition, offset: String(ingest.position()) })
        this.slots.set(`${topic}/${partition}`, { ingest, high, isPaused: true, lastFlushMs: performance.now() })
      }
      options.onReady(!this.isStopping)
      this.pump()
    } catch (error) {
      if (!(error instanceof FencedError)) this.fail(error)
    }
  }

  /** Repeats what fails because the other side is away, until the epoch is over. */
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
    this.membership.use(payload.commitOffsetsIfNecessary)
    const { batch } = payload
    const slot = this.slots.get(`${batch.topic}/${batch.partition}`)
    // A batch that an earlier epoch had fetched: kafkajs fetches again from the offset that was sought.
    if (slot === undefined || slot.isPaused || this.isStopping || payload.isStale()) return
    const { ingest } = slot
    slot.high = Number(batch.highWatermark)
    const fetchedAt = Number(Reflect.get(batch, 'fetchedOffset'))
    if (fetchedAt < ingest.position()) {
      // Only a log that is shorter than it was makes kafkajs go back.
      this.fail(new LogShortenedError(`${batch.topic}/${batch.partition}`, ingest.position(), fetchedAt))
      return
    }
    this.skipTo(slot, fetchedAt)
    await this.takeMessages(slot, payload)
    await payload.heartbeat()
    this.pump()
  }

  /** Kafka has nothing between the position and `offset`: control records, or records that retention has deleted. */
  private skipTo(slot: Slot, offset: number): void {
    slot.ingest.advance(offset)
  }

  private async takeMessages(slot: Slot, payload: EachBatchPayload): Promise<void> {
    const { ingest } = slot
    const { metrics } = this.options
    let messages = payload.batch.messages
    let waitedMs = 0
    for (;;) {
      const taken = ingest.take(messages)
      if (taken.skipped > 0) metrics.skipped.inc({ topic: ingest.key.topic }, taken.skipped)
      if (taken.last !== undefined) payload.resolveOffset(String(taken.last))
      if (!taken.isHeldBack) {
        ingest.advance(Number(payload.batch.lastOffset()) + 1)
        return
      }
      this.pump()
      const { last } = taken
      if (last !== undefined) messages = messages.filter((message) => Number(message.offset) > last)
      if (waitedMs >= ROOM_WAIT_MS) break
      const startedAt = performance.now()
      if (last === undefined) await this.waitForRoom()
      waitedMs += performance.now() - startedAt
      if (this.slots.get(`${ingest.key.topic}/${ingest.key.partition}`) !== slot || this.isStopping) return
      await payload.heartbeat()
    }
    this.pause(slot)
  }

  /** Until a block was stored, or a moment has passed. */
  private async waitForRoom(): Promise<void> {
    await Promise.race([this.roomWanted.promise, new Promise((resolve) => setTimeout(resolve, 250))])
  }

  private giveRoom(): void {
    this.roomWanted.resolve(undefined)
    this.roomWanted = Promise.withResolvers<undefined>()
  }

  private pause(slot: Slot): void {
    if (slot.isPaused) return
    const { topic, partition } = slot.ingest.key
    slot.isPaused = true
    this.consumer.pause([{ topic, partitions: [partition] }])
  }

  private resume(slot: Slot): void {
    const { topic, partition } = slot.ingest.key
    slot.isPaused = false
    this.consumer.resume([{ topic, partitions: [partition] }])
  }

  private tick(): void {
    const now = performance.now()
    // A process that was stopped itself has not been let down by Kafka.
    if (now - this.lastTickMs > 50 * TICK_MS) this.lastSignMs = now
    this.lastTickMs = now
    const stallMs = Math.max(STALL_MS_MIN, 3 * this.options.sessionTimeoutMs)
    if (now - this.lastSignMs > stallMs) this.fail(new StalledError(`nothing was heard of Kafka for ${stallMs} ms`))
    this.pump()
    this.measure()
  }

  private measure(): void {
    const { metrics, pool } = this.options
    let paused = 0
    for (const { ingest, high, isPaused } of this.slots.values()) {
      const { topic, partition } = ingest.key
      metrics.lag.set({ topic, partition: String(partition) }, Math.max(0, high - Math.max(ingest.storedTo(), 0)))
      if (isPaused) paused += 1
    }
    metrics.pausedPartitions.set(paused)
    metrics.bufferBytes.set(pool.bytes())
  }

  private isDrained(): boolean {
    return this.slots
      .values()
      .every(({ ingest }) => ingest.isIdle() && !ingest.isDue(true) && !ingest.isResting())
  }

  /** Sends what is due on its way, the largest first, and lets partitions go on that were held back. */
  private pump(): void {
    if (this.membership.epoch() === undefined) return
    const idle = [...this.slots.values()].filter(({ ingest }) => ingest.isIdle())
    const due = idle.filter(({ ingest }) => ingest.isDue(this.isStopping))
    for (const slot of due.toSorted((one, other) => other.ingest.openBytes() - one.ingest.openBytes())) {
      if (this.flights.size < this.options.insertsInFlight) this.fly(slot)
    }
    const now = performance.now()
    for (const slot of idle) {
      const hasRested = this.isStopping || now - slot.lastFlushMs > REST_MS
      if (hasRested && slot.ingest.isResting()) this.fly(slot)
    }
    if (!this.isStopping) this.resumeSome()
  }

  private resumeSome(): void {
    // Ranges that must be built again go whole whatever the memory, so only a few of them at a time.
    let rebuilding = [...this.slots.values()].filter(({ ingest, isPaused }) => !isPaused && ingest.isRebuilding()).length
    for (const slot of this.slots.values()) {
      if (!slot.isPaused || slot.ingest.isDue(false)) continue
      if (slot.ingest.isRebuilding()) {
        if (rebuilding >= this.options.insertsInFlight) continue
        rebuilding += 1
      } else if (this.options.pool.isOver()) continue
      this.resume(slot)
    }
  }

  private fly(slot: Slot): void {
    const flight = this.flush(slot).finally(() => {
      this.flights.delete(flight)
      this.giveRoom()
      this.pump()
    })
    this.flights.add(flight)
  }

  private async flush(slot: Slot): Promise<void> {
    try {
      const block = await slot.ingest.flush()
      slot.lastFlushMs = performance.now()
      if (block !== undefined) this.count(slot, block)
    } catch (error) {
      if (error instanceof FencedError) {
        this.options.log.info({ event: 'ingest.fenced', reason: error.message }, 'the partition is not ours any more')
        slot.ingest.fence()
      } else this.fail(error)
    }
  }

  private count(slot: Slot, { batch, deadByReason, unknownFields }: Block): void {
    const { metrics, log } = this.options
    const { topic, partition, source } = slot.ingest.key
    const dead = deadByReason.values().reduce((sum, count) => sum + count, 0)
    for (const [reason, count] of deadByReason) metrics.dead.inc({ topic, reason }, count)
    metrics.rows.inc({ topic }, batch.records - dead)
    metrics.batchRows.observe(batch.records)
    if (unknownFields > 0) metrics.unknownFields.inc(unknownFields)
    const line = { event: 'ingest.stored', source, partition, from: batch.from, to: batch.to, records: batch.records, dead }
    log.info(line, 'stored a block')
  }
}

/** The log of a partition ends before offsets that were read: the topic was created anew. */
export class LogShortenedError extends Error {
  override readonly name = 'LogShortenedError'
  /** topic/partition */
  readonly partition: string

  constructor(partition: string, from: number, to: number) {
    super(`${partition} went back from offset ${from} to ${to}`)
    this.partition = partition
  }
}

export class StalledError extends Error {
  override readonly name = 'StalledError'
}
