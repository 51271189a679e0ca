/**
 * One topic-partition in one epoch: takes records, keeps the open block, and carries out what the state machine (protocol.ts) says.
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
import { addDead, addRecord, isFull, openBatch, type Batch, type BatchLimits } from '../blocks/block.ts'
import { decodeBytes, type Decoded, type DecodeOptions } from '../decode/decode.ts'
import { countAdjusted, type AdjustedCounts } from '../decode/repair.ts'
import { Arrivals, type Probe } from './incarnation.ts'
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
import type { RowPool } from './row-pool.ts'
import type { StartPosition } from './start.ts'

export interface PartitionKey {
  readonly topic: string
  readonly partition: number
  /** Name under which its records are stored: the topic, or topic@n for a later topic of that name. */
  readonly source: string
}

/** A batch with what was counted while it was filled. */
export interface Block {
  readonly batch: Batch
  readonly deadByReason: Map<string, number>
  unknownFields: number
  /** Fields that were cut, repaired or left out, by what was done. */
  readonly adjusted: AdjustedCounts
}

/** Where the effects of the state machine go. Each rejects with FencedError when the epoch is over. */
export interface PartitionStore {
  /** Commits for this epoch, or rejects. */
  commit(offset: number, metadata: string): Promise<void>
  /** `ambiguous`: it may or may not have been stored. Throws what no retry can mend. */
  insert(block: Block): Promise<'stored' | 'ambiguous'>
  /** Resolves when the block is stored, however long that takes. */
  recover(block: Block, doubt: RangeDoubt): Promise<void>
}

export interface Taken {
  /** Messages dealt with: added, or passed over. */
  readonly taken: number
  /** Offset of the last record that was dealt with; undefined when there was none. */
  readonly last: number | undefined
  /** Records passed over because they are stored. */
  readonly skipped: number
  /** Not all was taken: the open block must go first, or memory is short. */
  readonly isHeldBack: boolean
}

export interface PartitionOptions {
  readonly key: PartitionKey
  readonly start: StartPosition
  /** Offset after the last record that Kafka has. */
  readonly high: number
  /** The commit of the group holds an intent, or somebody's text. */
  readonly hasIntent: boolean
  readonly store: PartitionStore
  readonly limits: Required<BatchLimits>
  readonly pool: RowPool
  /** Options for a block opened at this time (epoch milliseconds): event times are judged by it. */
  readonly decodeAt: (openedAtMs: number) => DecodeOptions
  /** Epoch milliseconds. */
  readonly wallMs: () => number
  readonly probe: Probe | undefined
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
export class Partition {
  readonly key: PartitionKey
  readonly arrivals = new Arrivals()
  private readonly options: PartitionOptions
  private readonly admission: Admission
  private state: PartitionState
  private probe: Probe | undefined
  private open: (Block & { readonly decode: DecodeOptions }) | undefined
  private isStoring = false
  private high: number

  constructor(options: PartitionOptions) {
    const { key, start, high, hasIntent, probe } = options
    this.key = key
    this.high = high
    this.options = options
    this.probe = probe
    this.admission = createAdmission(start.position, start.known, start.pending)
    this.state = initialState(start.pending?.from ?? start.position, hasIntent)
  }

  /** Takes records in order until there is no room, and tells where it stopped. */
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

  /** Kafka has nothing (more) before this offset: control records, compaction. */
  advance(offset: number): void {
    if (offset > this.admission.position) taken(this.admission, offset - 1)
  }

  /** Next offset wanted. */
  position(): number {
    return this.probe?.offset ?? this.admission.position
  }

  /** Kafka told the offset after its last record. */
  sawEnd(high: number): void {
    this.high = high
  }

  /** Offsets that Kafka has and that are not known to be stored, or to hold no record. */
  lag(): number {
    const { open, isStoring, admission, state, options } = this
    const isCaughtUp = open === undefined && !isStoring
    return Math.max(0, this.high - (isCaughtUp ? admission.position : (state.storedTo ?? options.start.position)))
  }

  /** Looks at the first message of a batch. False when it should be known and is another record: the topic was made anew. */
  async isSameLog(first: KafkaMessage): Promise<boolean> {
    const { probe } = this
    if (probe === undefined) return true
    // Kept until it has been answered: when ClickHouse fails, kafkajs hands in the same batch again, from the same offset.
    const isSame = Number(first.offset) !== probe.offset || (await probe.isStored(first))
    this.probe = undefined
    return isSame
  }

  /** True when the open block should go on its way now: it is old, or full to this share of the limits (0: it holds anything). */
  isDue(share: number): boolean {
    const { open, admission } = this
    const { pool, limits, wallMs } = this.options
    if (open === undefined || open.batch.records === 0) return false
    if (isPendingBuilt(admission)) return true
    // A range that is fixed goes whole, or not at all.
    if (isBuildingPending(admission)) return false
    if (admission.isInterrupted || admission.position === admission.pending?.from) return true
    const { rows, bytes, milliseconds } = limits
    return pool.isOver() || isFull(open.batch, { rows: rows * share, bytes: bytes * share, milliseconds }, wallMs())
  }

  /** True when nothing is on its way. */
  isIdle(): boolean {
    return this.state.stage.kind === 'idle' && !this.isStoring
  }

  /** True when nothing is open or on its way, and the last commit should be replaced by one without intent. */
  isResting(): boolean {
    return this.isIdle() && this.open === undefined && this.state.hasIntent && !this.isRebuilding()
  }

  /** True while a range that an earlier intent fixed must be built again: it goes whole, whatever the memory. */
  isRebuilding(): boolean {
    return this.admission.pending !== undefined
  }

  /** Sends the open block on its way (or clears the intent); resolves with it when it is stored. */
  async flush(): Promise<Block | undefined> {
    const closing = this.close()
    this.isStoring = true
    try {
      await this.drive(closing)
      return closing?.block
    } finally {
      if (closing !== undefined) this.options.pool.giveBack(closing.block.batch.rows)
      this.isStoring = false
    }
  }

  /** The epoch is over: forgets everything. */
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
    const { pool, start, wallMs, decodeAt } = this.options
    const rows = pool.lend(this.isRebuilding())
    if (rows === undefined) return undefined
    const openedAtMs = isFixed ? (start.pending?.openedAtMs ?? wallMs()) : wallMs()
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
    const unfixed: RangeDoubt = batch.from < start.doubtBelow ? 'offsets' : 'none'
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
    const { store } = this.options
    if (effect.kind === 'commit') {
      await store.commit(effect.offset, intentText(this.key, effect.intent))
      return { kind: 'committed' }
    }
    if (block === undefined) throw new Error(`${effect.kind} without a block`)
    if (effect.kind === 'insert') {
      return { kind: (await store.insert(block)) === 'stored' ? 'inserted' : 'insert_ambiguous' }
    }
    await store.recover(block, effect.range.doubt)
    return { kind: 'recovered' }
  }
}
