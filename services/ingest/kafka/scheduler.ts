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

/** A partition with what only the scheduler knows of it. */
interface Slot {
  readonly partition: Partition
  /** Offset after the last record of the partition. */
  high: number
  isPaused: boolean
  lastFlushMs: number
}

function slotKey({ topic, partition }: Omit<PartitionKey, 'source'>): string {
  return `${topic}/${partition}`
}

/** A partition that has rested so long (milliseconds) gets a commit without intent. */
const REST_MS = 3000

/** Of the limits of a block: below it the engine's cost of a row grows (docs/benchmarks.md). */
const FAIR_SHARE = 0.5

export class Scheduler {
  private readonly options: SchedulerOptions
  private readonly slots = new Map<string, Slot>()
  /** Flushes on their way, of this epoch or one before. */
  private readonly flushes = new Set<Promise<void>>()
  private isStopping = false
  private roomWanted = Promise.withResolvers<undefined>()

  constructor(options: SchedulerOptions) {
    this.options = options
  }

  /** Adds a partition that is paused in Kafka; the next `pump` lets it go on. `high`: offset after its last record. */
  add(partition: Partition, high: number): void {
    this.slots.set(slotKey(partition.key), { partition, high, isPaused: true, lastFlushMs: this.options.steadyMs() })
  }

  /** The partition, unless it is not ours or held back. */
  reading(topic: string, partition: number): Partition | undefined {
    const slot = this.slots.get(slotKey({ topic, partition }))
    return slot === undefined || slot.isPaused || this.isStopping ? undefined : slot.partition
  }

  /** Kafka told the offset after the last record of a partition. */
  sawEnd({ key }: Partition, high: number): void {
    const slot = this.slots.get(slotKey(key))
    if (slot !== undefined) slot.high = high
  }

  /** There is no room for what a partition reads. */
  holdBack({ key }: Partition): void {
    const slot = this.slots.get(slotKey(key))
    if (slot !== undefined) this.pause(slot)
  }

  /** The epoch is over: every partition forgets what it holds. */
  fence(): void {
    for (const { partition } of this.slots.values()) {
      partition.fence()
      this.options.metrics.lag.remove({ topic: partition.key.topic, partition: String(partition.key.partition) })
    }
    this.slots.clear()
    this.giveRoom()
  }

  /** Resolves when nothing of any epoch is on its way. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.flushes)
  }

  /** From now on everything that is open is due, and nobody goes on. */
  stop(): void {
    this.isStopping = true
    for (const slot of this.slots.values()) this.pause(slot)
  }

  /** True when nothing is open or on its way and every commit is clean. */
  isDrained(): boolean {
    return this.slots
      .values()
      .every(({ partition }) => partition.isIdle() && !partition.isDue(0) && !partition.isResting())
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
    const idle = [...this.slots.values()].filter(({ partition }) => partition.isIdle())
    const due = idle.filter(({ partition }) => partition.isDue(this.isStopping ? 0 : 1))
    for (const slot of due.toSorted((one, other) => one.lastFlushMs - other.lastFlushMs)) {
      if (this.flushes.size < this.options.insertsInFlight) this.send(slot)
    }
    if (this.flushes.size === 0) this.useIdleEngine(idle)
    const now = this.options.steadyMs()
    for (const slot of idle) {
      const hasRested = this.isStopping || now - slot.lastFlushMs > REST_MS
      if (hasRested && slot.partition.isResting()) this.send(slot)
    }
    if (!this.isStopping) this.resumeSome()
  }

  measure(): void {
    const { metrics, pool } = this.options
    let paused = 0
    for (const { partition, high, isPaused } of this.slots.values()) {
      const { topic, partition: number } = partition.key
      metrics.lag.set({ topic, partition: String(number) }, Math.max(0, high - partition.caughtUpTo()))
      if (isPaused) paused += 1
    }
    metrics.pausedPartitions.set(paused)
    metrics.bufferBytes.set(pool.bytes())
  }

  /** An engine that waits for a full block could store a fair one meanwhile: at a start all partitions fill up side by side. */
  private useIdleEngine(slots: readonly Slot[]): void {
    const fair = slots.filter(({ partition }) => partition.isDue(FAIR_SHARE))
    const [first] = fair.toSorted((one, other) => one.lastFlushMs - other.lastFlushMs)
    if (first !== undefined) this.send(first)
  }

  private resumeSome(): void {
    const slots = [...this.slots.values()]
    // Ranges that must be built again go whole whatever the memory, so only a few of them at a time.
    let rebuilding = slots.filter(({ partition, isPaused }) => !isPaused && partition.isRebuilding()).length
    for (const slot of slots) {
      if (!slot.isPaused || slot.partition.isDue(1)) continue
      if (slot.partition.isRebuilding()) {
        if (rebuilding >= this.options.insertsInFlight) continue
        rebuilding += 1
      } else if (this.options.pool.isOver()) continue
      slot.isPaused = false
      this.options.setPaused(slot.partition.key, false)
    }
  }

  private pause(slot: Slot): void {
    if (slot.isPaused) return
    slot.isPaused = true
    this.options.setPaused(slot.partition.key, true)
  }

  private send(slot: Slot): void {
    const flush = this.flush(slot).finally(() => {
      this.flushes.delete(flush)
      this.giveRoom()
      this.pump()
    })
    this.flushes.add(flush)
  }

  private async flush(slot: Slot): Promise<void> {
    try {
      const block = await slot.partition.flush()
      slot.lastFlushMs = this.options.steadyMs()
      if (block !== undefined) this.count(slot.partition, block)
    } catch (error) {
      if (error instanceof FencedError) {
        this.options.log.info({ event: 'ingest.fenced', reason: error.message }, 'the partition is not ours any more')
        slot.partition.fence()
      } else this.options.onFailure(error)
    }
  }

  private count({ key }: Partition, { batch, deadByReason, unknownFields }: Block): void {
    const { metrics, log } = this.options
    const { topic, partition, source } = key
    const dead = deadByReason.values().reduce((sum, count) => sum + count, 0)
    for (const [reason, count] of deadByReason) metrics.dead.inc({ topic, reason }, count)
    metrics.rows.inc({ topic }, batch.records - dead)
    metrics.batchRows.observe(batch.records)
    if (unknownFields > 0) metrics.unknownFields.inc(unknownFields)
    const { from, to, records } = batch
    log.info({ event: 'ingest.stored', source, partition, from, to, records, dead }, 'stored a block')
  }

  private giveRoom(): void {
    this.roomWanted.resolve(undefined)
    this.roomWanted = Promise.withResolvers<undefined>()
  }
}
