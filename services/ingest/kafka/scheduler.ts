/**
 * The partitions of an epoch side by side: whose block goes next, who is held back, who may go on. One loop owns this state; `pump` is called
 * whenever something may have changed and decides everything anew.
 *
 * Memory is bounded: a partition fills one block while another one is on its way, all of them together hold no more rows than the pool allows,
 * and whoever has no room is paused in Kafka.
 */
import type { Logger } from 'pino'

import { FencedError } from './epoch.ts'
import type { Metrics } from '../metrics.ts'
import type { Block, PartitionIngest } from './partition-port.ts'
import type { RowPool } from './row-pool.ts'

export interface SchedulerOptions {
  readonly insertsInFlight: number
  readonly pool: RowPool
  readonly metrics: Metrics
  readonly log: Logger
  /** Pauses a partition in Kafka, or lets it go on. */
  readonly setPaused: (topic: string, partition: number, isPaused: boolean) => void
  /** A block could not be stored, and no retry can mend it. */
  readonly onFailure: (error: unknown) => void
}

export interface Slot {
  readonly ingest: PartitionIngest
  /** Offset after the last record of the partition. */
  high: number
  isPaused: boolean
  lastFlushMs: number
  /** Offset that Kafka brought last in the place of the next one wanted. */
  jumpedTo: number | undefined
}

/** A partition that has rested so long (milliseconds) gets a commit without intent. */
const REST_MS = 3000

/** Of the limits of a block: below it the engine's cost of a row grows (docs/benchmarks.md). */
const FAIR_SHARE = 0.5

export class Scheduler {
  private readonly options: SchedulerOptions
  private readonly slots = new Map<string, Slot>()
  private readonly flights = new Set<Promise<void>>()
  private isStopping = false
  private roomWanted = Promise.withResolvers<undefined>()

  constructor(options: SchedulerOptions) {
    this.options = options
  }

  /** Adds a partition that is paused in Kafka; the next `pump` lets it go on. */
  add(ingest: PartitionIngest, high: number): void {
    const { topic, partition } = ingest.key
    const lastFlushMs = performance.now()
    this.slots.set(`${topic}/${partition}`, { ingest, high, isPaused: true, lastFlushMs, jumpedTo: undefined })
  }

  get(topic: string, partition: number): Slot | undefined {
    return this.slots.get(`${topic}/${partition}`)
  }

  /** The epoch is over: every partition forgets what it holds. */
  fence(): void {
    for (const slot of this.slots.values()) slot.ingest.fence()
    this.slots.clear()
    this.options.metrics.lag.reset()
    this.giveRoom()
  }

  /** Resolves when nothing of any epoch is on its way. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.flights)
  }

  /** From now on everything that is open is due, and nobody goes on. */
  stop(): void {
    this.isStopping = true
    for (const slot of this.slots.values()) this.pause(slot)
  }

  /** True when nothing is open or on its way and every commit is clean. */
  isDrained(): boolean {
    return this.slots.values().every(({ ingest }) => ingest.isIdle() && !ingest.isDue(0) && !ingest.isResting())
  }

  /** Until a block was stored, or so many milliseconds have passed. */
  async room(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => resolve(undefined), milliseconds)
    await Promise.race([this.roomWanted.promise, promise])
    clearTimeout(timer)
  }

  pause(slot: Slot): void {
    if (slot.isPaused) return
    slot.isPaused = true
    this.options.setPaused(slot.ingest.key.topic, slot.ingest.key.partition, true)
  }

  /** Sends what is due on its way, those first that have waited longest, and lets partitions go on that were held back. */
  pump(): void {
    const idle = [...this.slots.values()].filter(({ ingest }) => ingest.isIdle())
    const due = idle.filter(({ ingest }) => ingest.isDue(this.isStopping ? 0 : 1))
    for (const slot of due.toSorted((one, other) => one.lastFlushMs - other.lastFlushMs)) {
      if (this.flights.size < this.options.insertsInFlight) this.fly(slot)
    }
    if (this.flights.size === 0) this.useIdleEngine(idle)
    const now = performance.now()
    for (const slot of idle) {
      const hasRested = this.isStopping || now - slot.lastFlushMs > REST_MS
      if (hasRested && slot.ingest.isResting()) this.fly(slot)
    }
    if (!this.isStopping) this.resumeSome()
  }

  measure(): void {
    const { metrics, pool } = this.options
    let paused = 0
    for (const { ingest, high, isPaused } of this.slots.values()) {
      const { topic, partition } = ingest.key
      metrics.lag.set({ topic, partition: String(partition) }, Math.max(0, high - ingest.caughtUpTo()))
      if (isPaused) paused += 1
    }
    metrics.pausedPartitions.set(paused)
    metrics.bufferBytes.set(pool.bytes())
  }

  /** An engine that waits for a full block could store a fair one meanwhile: at a start all partitions fill up side by side. */
  private useIdleEngine(slots: readonly Slot[]): void {
    const fair = slots.filter(({ ingest }) => ingest.isDue(FAIR_SHARE))
    const [first] = fair.toSorted((one, other) => one.lastFlushMs - other.lastFlushMs)
    if (first !== undefined) this.fly(first)
  }

  private resumeSome(): void {
    const slots = [...this.slots.values()]
    // Ranges that must be built again go whole whatever the memory, so only a few of them at a time.
    let rebuilding = slots.filter(({ ingest, isPaused }) => !isPaused && ingest.isRebuilding()).length
    for (const slot of slots) {
      if (!slot.isPaused || slot.ingest.isDue(1)) continue
      if (slot.ingest.isRebuilding()) {
        if (rebuilding >= this.options.insertsInFlight) continue
        rebuilding += 1
      } else if (this.options.pool.isOver()) continue
      slot.isPaused = false
      this.options.setPaused(slot.ingest.key.topic, slot.ingest.key.partition, false)
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
      if (block !== undefined) this.count(slot.ingest, block)
    } catch (error) {
      if (error instanceof FencedError) {
        this.options.log.info({ event: 'ingest.fenced', reason: error.message }, 'the partition is not ours any more')
        slot.ingest.fence()
      } else this.options.onFailure(error)
    }
  }

  private count({ key }: PartitionIngest, { batch, deadByReason, unknownFields, adjusted }: Block): void {
    const { metrics, log } = this.options
    const { topic, partition, source } = key
    const dead = deadByReason.values().reduce((sum, count) => sum + count, 0)
    for (const [reason, count] of deadByReason) metrics.dead.inc({ topic, reason }, count)
    metrics.rows.inc({ topic }, batch.records - dead)
    metrics.batchRows.observe(batch.records)
    if (unknownFields > 0) metrics.unknownFields.inc(unknownFields)
    for (const [adjustment, count] of adjusted) {
      const [field = '', change = ''] = adjustment.split(/ (.*)/)
      metrics.adjustedFields.inc({ field, change }, count)
    }
    const { from, to, records } = batch
    log.info({ event: 'ingest.stored', source, partition, from, to, records, dead }, 'stored a block')
  }

  private giveRoom(): void {
    this.roomWanted.resolve(undefined)
    this.roomWanted = Promise.withResolvers<undefined>()
  }
}
