/**
 * One topic-partition in one epoch: takes records, keeps the open block, and carries out what the state machine (partition-state.ts) says.
 *
 * Everything here happens on one thread and nothing awaits between reading a state and changing it; only `flush` waits, for the one block that
 * is on its way, while records go on into the next one.
 */
import type { KafkaMessage } from 'kafkajs'

import {
  admit,
  closed,
  createAdmission,
  isBuildingPending,
  isPendingBuilt,
  taken,
  type Admission,
} from './admission.ts'
import { addDead, addRecord, isFull, openBatch, type BatchLimits } from '../blocks/block.ts'
import { decodeBytes, type Decoded, type DecodeOptions } from '../decode/decode.ts'
import { countAdjusted } from '../decode/repair.ts'
import { encodeIntent } from './intent.ts'
import { LINE_LIMITS } from '../files/line-chunks.ts'
import {
  initialState,
  step,
  type ClosedRange,
  type PartitionEffect,
  type PartitionEvent,
  type PartitionState,
  type RangeDoubt,
} from './protocol.ts'
import type { Block, PartitionIngest, PartitionKey, PartitionPort, Taken } from './partition-port.ts'
import type { RowPool } from './row-pool.ts'
import type { StartPosition } from './start.ts'

export interface PartitionOptions {
  readonly key: PartitionKey
  readonly start: StartPosition
  /** What the group had committed. */
  readonly committed: { readonly offset: number | undefined; readonly hasMetadata: boolean }
  readonly port: PartitionPort
  readonly limits: Required<BatchLimits>
  readonly pool: RowPool
  /** Options for a block opened at this time (epoch milliseconds): event times are judged by it. */
  readonly decodeAt: (openedAtMs: number) => DecodeOptions
  readonly now: () => number
  /** The record before the first one wanted is read again, to see that it is the one that was stored. */
  readonly probe?: Probe
}

export interface Probe {
  readonly offset: number
  readonly isStored: (message: KafkaMessage) => Promise<boolean>
}

/** Between two looks at the memory bound. */
const LOOK_EVERY_RECORDS = 256

const EMPTY = Buffer.alloc(0)

function decodeValue(value: Buffer, options: DecodeOptions): Decoded {
  if (value.length > LINE_LIMITS.lineBytesMax) {
    const detail = `the record has ${value.length} bytes; at most ${LINE_LIMITS.lineBytesMax} are read`
    return { kind: 'dead', reason: 'record_too_long', detail }
  }
  return decodeBytes(value, 0, value.length, false, options)
}

function addDecoded(block: Block, offset: number, value: Buffer, decoded: Decoded): void {
  if (decoded.kind === 'accepted') {
    block.unknownFields += decoded.unknownFields.length
    countAdjusted(block.adjusted, decoded.adjusted)
    addRecord(block.batch, offset, decoded.record, value.length)
    return
  }
  block.deadByReason.set(decoded.reason, (block.deadByReason.get(decoded.reason) ?? 0) + 1)
  addDead(block.batch, offset, decoded, value, value.length)
}

interface Closing {
  readonly block: Block
  readonly range: ClosedRange
}

function intentText(key: PartitionKey, range: ClosedRange | undefined): string {
  if (range === undefined) return ''
  const named = key.source === key.topic ? {} : { s: key.source }
  return encodeIntent({ v: 1, to: range.to, n: range.records, at: Math.round(range.openedAtMs), ...named })
}

/** A partition of the requests topic. */
export class RequestsPartition implements PartitionIngest {
  readonly key: PartitionKey
  private readonly options: PartitionOptions
  private readonly admission: Admission
  private state: PartitionState
  private probe: Probe | undefined
  private open: (Block & { readonly decode: DecodeOptions }) | undefined
  private isFlying = false

  constructor(options: PartitionOptions) {
    const { key, start, committed, probe } = options
    this.key = key
    this.options = options
    this.probe = probe
    this.admission = createAdmission(start.position, start.known, start.pending)
    this.state = initialState(start.pending?.from ?? start.position, committed.hasMetadata)
  }

  take(messages: readonly KafkaMessage[]): Taken {
    const { pool } = this.options
    let last: number | undefined
    let skipped = 0
    for (const [index, message] of messages.entries()) {
      const isShort = index % LOOK_EVERY_RECORDS === 0 && !this.isRebuilding() && pool.isOver()
      const outcome = isShort ? 'held' : this.takeOne(message)
      if (outcome === 'held') return { taken: index, last, skipped, isHeldBack: true }
      if (outcome === 'skipped') skipped += 1
      last = Number(message.offset)
    }
    return { taken: messages.length, last, skipped, isHeldBack: false }
  }

  advance(offset: number): void {
    if (offset > this.admission.position) taken(this.admission, offset - 1)
  }

  position(): number {
    return this.probe?.offset ?? this.admission.position
  }

  caughtUpTo(): number {
    const { open, isFlying, admission, state, options } = this
    return open === undefined && !isFlying ? admission.position : (state.storedTo ?? options.start.position)
  }

  async isSameTopic(first: KafkaMessage): Promise<boolean> {
    const { probe } = this
    if (probe === undefined) return true
    // Kept until it has been answered: when ClickHouse fails, kafkajs hands in the same batch again, from the same offset.
    const isSame = Number(first.offset) !== probe.offset || (await probe.isStored(first))
    this.probe = undefined
    return isSame
  }

  isDue(share: number): boolean {
    const { open, admission } = this
    const { pool, limits, now } = this.options
    if (open === undefined || open.batch.records === 0) return false
    if (isPendingBuilt(admission)) return true
    // A range that is fixed goes whole, or not at all.
    if (isBuildingPending(admission)) return false
    if (admission.isInterrupted || admission.position === admission.pending?.from) return true
    const { rows, bytes, milliseconds } = limits
    return pool.isOver() || isFull(open.batch, { rows: rows * share, bytes: bytes * share, milliseconds }, now())
  }

  isIdle(): boolean {
    return this.state.stage.kind === 'idle' && !this.isFlying
  }

  isResting(): boolean {
    return this.isIdle() && this.open === undefined && this.state.hasIntent && !this.isRebuilding()
  }

  isRebuilding(): boolean {
    return this.admission.pending !== undefined
  }

  async flush(): Promise<Block | undefined> {
    const closing = this.close()
    this.isFlying = true
    try {
      await this.drive(closing)
      return closing?.block
    } finally {
      if (closing !== undefined) this.options.pool.giveBack(closing.block.batch.rows)
      this.isFlying = false
    }
  }

  fence(): void {
    this.state = step(this.state, { kind: 'fenced' })[0]
    if (this.open !== undefined) this.options.pool.giveBack(this.open.batch.rows)
    this.open = undefined
  }

  private takeOne(message: KafkaMessage): 'added' | 'skipped' | 'held' {
    const { admission } = this
    const offset = Number(message.offset)
    const verdict = admit(admission, offset, this.open !== undefined && this.open.batch.records > 0)
    if (verdict === 'skip') return 'skipped'
    const isFixed = admission.pending !== undefined && offset >= admission.pending.from
    if (verdict === 'close' || (!isFixed && this.hasNoRoom())) return 'held'
    this.open ??= this.openBlock(isFixed)
    if (this.open === undefined) return 'held'
    const value = message.value ?? EMPTY
    addDecoded(this.open, offset, value, decodeValue(value, this.open.decode))
    taken(admission, offset)
    return 'added'
  }

  private hasNoRoom(): boolean {
    const { rows, bytes } = this.options.limits
    return this.open !== undefined && isFull(this.open.batch, { rows, bytes })
  }

  private openBlock(isFixed: boolean): typeof this.open {
    const { pool, start, now, decodeAt } = this.options
    const rows = pool.lend(this.isRebuilding())
    if (rows === undefined) return undefined
    const openedAtMs = isFixed ? (start.pending?.openedAtMs ?? now()) : now()
    const { source, partition } = this.key
    const batch = openBatch({ source, partition }, rows, openedAtMs)
    return { batch, deadByReason: new Map(), unknownFields: 0, adjusted: new Map(), decode: decodeAt(openedAtMs) }
  }

  private close(): Closing | undefined {
    const { open: block, admission } = this
    const { start } = this.options
    if (block === undefined || block.batch.records === 0) return undefined
    const { batch } = block
    const fixed = isBuildingPending(admission) ? start.pending : undefined
    batch.from = fixed?.from ?? admission.rangeFrom
    if (fixed !== undefined) batch.to = fixed.to
    const unfixed: RangeDoubt = batch.from < start.doubtBelow ? start.doubt : 'none'
    this.open = undefined
    closed(admission, batch.to)
    const { from, to, records, openedAtMs } = batch
    return { block, range: { from, to, records, openedAtMs, doubt: fixed === undefined ? unfixed : 'same_range' } }
  }

  /** Carries effects out one after the other until there are none. */
  private async drive(closing: Closing | undefined): Promise<void> {
    let event: PartitionEvent = closing === undefined ? { kind: 'rested' } : { kind: 'closed', range: closing.range }
    for (;;) {
      const [next, effects] = step(this.state, event)
      this.state = next
      const [effect] = effects
      if (effect === undefined) return
      event = await this.perform(effect, closing?.block)
    }
  }

  private async perform(effect: PartitionEffect, block: Block | undefined): Promise<PartitionEvent> {
    const { port } = this.options
    if (effect.kind === 'commit') {
      await port.commit(effect.offset, intentText(this.key, effect.intent))
      return { kind: 'committed' }
    }
    if (block === undefined) throw new Error(`${effect.kind} without a block`)
    if (effect.kind === 'insert') {
      return { kind: (await port.insert(block)) === 'stored' ? 'inserted' : 'insert_ambiguous' }
    }
    await port.recover(block, effect.range.doubt)
    return { kind: 'recovered' }
  }
}
