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
import type { Block, Partition, PartitionKey } from './partition.ts'
import type { RowPool } from './row-pool.ts'

export interface SchedulerOptions {
  readonly insertsInFlight: number
  readonly pool: RowPool
  readonly metrics: Metrics
  readonly log: Logger
  readonly steadyMs: () => number
  /** Pauses a partition in Kafka, or lets it go on. */
  readonly setPaused: (key: PartitionKey, isPaused: boolean) => void
  /** A block could not be stored, and no retry can mend it. */
  readonly onFailure: (error: unknown) => void
}

/** A partition that has rested so long (milliseconds) gets a commit without intent. */
const REST_MS = 3000

/** Of the limits of a block: below it the engine's cost of a row grows (docs/benchmarks.md). */
const FAIR_SHARE = 0.5

function nameOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

export class Scheduler {
  private readonly options: SchedulerOptions
  private readonly partitions = new Map<string, Partition>()
  /** Those that are paused in Kafka. */
  private readonly paused = new Set<Partition>()
  /** When a partition last had its turn. */
  private readonly flushedMs = new Map<Partition, number>()
  /** Flushes on their way, of this epoch or one before. */
  private readonly flushes = new Set<Promise<void>>()
  private isStopping = false
  private roomWanted = Promise.withResolvers<undefined>()

  constructor(options: SchedulerOptions) {
    this.options = options
  }

  /** Adds a partition that is paused in Kafka; the next `pump` lets it go on. */
  add(partition: Partition): void {
    this.partitions.set(nameOf(partition.key.topic, partition.key.partition), partition)
    this.paused.add(partition)
    this.flushedMs.set(partition, this.options.steadyMs())
  }

  /** The partition, unless it is not ours or held back. */
  reading(topic: string, number: number): Partition | undefined {
    const partition = this.partitions.get(nameOf(topic, number))
    return partition === undefined || this.isStopping || this.paused.has(partition) ? undefined : partition
  }

  /** There is no room for what a partition reads. */
  holdBack(partition: Partition): void {
    if (this.paused.has(partition)) return
    this.paused.add(partition)
    this.options.setPaused(partition.key, true)
  }

  /** The epoch is over: every partition forgets what it holds. */
  fence(): void {
    for (const partition of this.partitions.values()) {
      partition.fence()
      this.options.metrics.lag.remove({ topic: partition.key.topic, partition: String(partition.key.partition) })
    }
    this.partitions.clear()
    this.paused.clear()
    this.flushedMs.clear()
    this.giveRoom()
  }

  /** Resolves when nothing of any epoch is on its way. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.flushes)
  }

  /** From now on everything that is open is due, and nobody goes on. */
  stop(): void {
    this.isStopping = true
    for (const partition of this.partitions.values()) this.holdBack(partition)
  }

  /** True when nothing is open or on its way and every commit is clean. */
  isDrained(): boolean {
    return this.partitions.values().every((one) => one.isIdle() && !one.isDue(0) && !one.isResting())
  }

  /** Until a block was stored, or so many milliseconds have passed. */
  async room(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => resolve(undefined), milliseconds)
    await Promise.race([this.roomWanted.promise, promise])
    clearTimeout(timer)
  }

  /** Sends what is due on its way, those first that have waited longest, and lets partitions go on that were held back. */
  pump(): void {
    const { insertsInFlight, steadyMs } = this.options
    const idle = this.partitions
      .values()
      .filter((partition) => partition.isIdle())
      .toArray()
      .toSorted((one, other) => this.turnMs(one) - this.turnMs(other))
    for (const partition of idle) {
      if (this.flushes.size < insertsInFlight && partition.isDue(this.isStopping ? 0 : 1)) this.send(partition)
    }
    // An engine that waits for a full block could store a fair one meanwhile: at a start all partitions fill up side by side.
    const fair = this.flushes.size === 0 ? idle.find((partition) => partition.isDue(FAIR_SHARE)) : undefined
    if (fair !== undefined) this.send(fair)
    for (const partition of idle) {
      const hasRested = this.isStopping || steadyMs() - this.turnMs(partition) > REST_MS
      if (hasRested && partition.isResting()) this.send(partition)
    }
    if (!this.isStopping) this.resumeSome()
  }

  measure(): void {
    const { metrics, pool } = this.options
    for (const partition of this.partitions.values()) {
      const { topic, partition: number } = partition.key
      metrics.lag.set({ topic, partition: String(number) }, partition.lag())
    }
    metrics.pausedPartitions.set(this.paused.size)
    metrics.bufferBytes.set(pool.bytes())
  }

  private turnMs(partition: Partition): number {
    return this.flushedMs.get(partition) ?? 0
  }

  private resumeSome(): void {
    const { insertsInFlight, pool } = this.options
    const isReading = (one: Partition): boolean => !this.paused.has(one)
    // Ranges that must be built again go whole whatever the memory, so only a few of them at a time.
    let rebuilding = this.partitions
      .values()
      .reduce((sum, one) => sum + (isReading(one) && one.isRebuilding() ? 1 : 0), 0)
    for (const partition of this.paused) {
      if (partition.isDue(1)) continue
      if (partition.isRebuilding()) {
        if (rebuilding >= insertsInFlight) continue
        rebuilding += 1
      } else if (pool.isOver()) continue
      this.paused.delete(partition)
      this.options.setPaused(partition.key, false)
    }
  }

  private send(partition: Partition): void {
    const flush = this.flush(partition).finally(() => {
      this.flushes.delete(flush)
      this.giveRoom()
      this.pump()
    })
    this.flushes.add(flush)
  }

  private async flush(partition: Partition): Promise<void> {
    const { log, steadyMs, onFailure } = this.options
    try {
      const block = await partition.flush()
      if (this.flushedMs.has(partition)) this.flushedMs.set(partition, steadyMs())
      if (block !== undefined) this.count(partition, block)
    } catch (error) {
      if (error instanceof FencedError) {
        log.info({ event: 'ingest.fenced', reason: error.message }, 'the partition is not ours any more')
        partition.fence()
      } else onFailure(error)
    }
  }

  private count({ key }: Partition, { batch, deadByReason, unknownFields, adjusted }: Block): void {
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
