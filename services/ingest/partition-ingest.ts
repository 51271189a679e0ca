/**
 * One topic-partition in one epoch: takes records, keeps the open block, and carries out what the state machine (partition-state.ts) says.
 *
 * Everything here happens on one thread and nothing awaits between reading a state and changing it; only `flush` waits, for the one block that
 * is on its way, while records go on into the next one.
 */
import type { KafkaMessage } from 'kafkajs'

import { admit, closed, createAdmission, isBuildingPending, isPendingBuilt, taken } from './admission.ts'
import { addDead, addRecord, isFull, openBatch, type Batch, type BatchLimits } from './batch.ts'
import { decodeBytes, type Decoded, type DecodeOptions } from './decode.ts'
import { encodeIntent } from './intent.ts'
import { LINE_LIMITS } from './line-chunks.ts'
import {
  initialState,
  step,
  type ClosedRange,
  type PartitionEffect,
  type PartitionEvent,
  type RangeDoubt,
} from './partition-state.ts'
import type { RowPool } from './row-pool.ts'
import type { StartPosition } from './start-position.ts'

export interface PartitionKey {
  readonly topic: string
  readonly partition: number
  /** Name under which its records are stored: the topic, or topic@n for a later topic of that name. */
  readonly source: string
}

/** What a partition asks of the world. Each rejects with FencedError when the epoch is over. */
export interface PartitionPort {
  /** Commits for this epoch, or rejects. */
  commit(offset: number, metadata: string): Promise<void>
  /** `ambiguous`: it may or may not have been stored. Throws what no retry can mend. */
  insert(block: Block): Promise<'stored' | 'ambiguous'>
  /** Resolves when the block is stored, however long that takes. */
  recover(block: Block, doubt: RangeDoubt): Promise<void>
}

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

/** A batch with what was counted while it was filled. */
export interface Block {
  readonly batch: Batch
  readonly deadByReason: Map<string, number>
  unknownFields: number
}

/** What the consumer needs of a partition, of whichever topic. */
export interface PartitionIngest {
  readonly key: PartitionKey
  /** Takes records in order until there is no room, and tells where it stopped. */
  take(messages: readonly KafkaMessage[]): Taken
  /** Kafka has nothing (more) before this offset: control records, compaction. */
  advance(offset: number): void
  /** Next offset wanted. */
  position(): number
  /** Everything before is stored, or is known to hold no record. */
  caughtUpTo(): number
  /** Looks at the first message of a batch. False when it should be known and is another record: the topic was created anew. */
  isSameTopic(first: KafkaMessage): Promise<boolean>
  /** Bytes of rows of the open block. */
  openBytes(): number
  /** True when the open block should go on its way now. */
  isDue(isStopping: boolean): boolean
  /** True when nothing is on its way. */
  isIdle(): boolean
  /** True when nothing is open or on its way, and the last commit should be replaced by one without intent. */
  isResting(): boolean
  /** True while a range that an earlier intent fixed must be built again: it goes whole, whatever the memory. */
  isRebuilding(): boolean
  /** Sends the open block on its way (or clears the intent); resolves with it when it is stored. */
  flush(): Promise<Block | undefined>
  /** The epoch is over: forgets everything. */
  fence(): void
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
    addRecord(block.batch, offset, decoded.record, value.length)
    return
  }
  block.deadByReason.set(decoded.reason, (block.deadByReason.get(decoded.reason) ?? 0) + 1)
  addDead(block.batch, offset, decoded, value, value.length)
}

export function createPartitionIngest(options: PartitionOptions): PartitionIngest {
  const { key, start, port, limits, pool, now } = options
  let { probe } = options
  const admission = createAdmission(start.position, start.known, start.pending)
  let state = initialState(start.pending?.from ?? start.position, options.committed.hasMetadata)
  let open: (Block & { readonly decode: DecodeOptions }) | undefined
  let flying: Block | undefined

  const openBlock = (): typeof open => {
    const rows = pool.lend(admission.pending !== undefined)
    if (rows === undefined) return undefined
    const building =
      start.pending !== undefined && admission.pending !== undefined && admission.position >= start.pending.from
    const openedAtMs = building && start.pending !== undefined ? start.pending.openedAtMs : now()
    const batch = openBatch({ source: key.source, partition: key.partition }, rows, openedAtMs)
    return { batch, deadByReason: new Map(), unknownFields: 0, decode: options.decodeAt(openedAtMs) }
  }

  /** False when the record must wait. */
  const takeOne = (message: KafkaMessage): 'added' | 'skipped' | 'held' => {
    const offset = Number(message.offset)
    const verdict = admit(admission, offset, open !== undefined && open.batch.records > 0)
    if (verdict === 'skip') return 'skipped'
    const isFixed = admission.pending !== undefined && offset >= admission.pending.from
    if (verdict === 'close' || (!isFixed && open !== undefined && isFull(open.batch, limitsOfSize))) return 'held'
    open ??= openBlock()
    if (open === undefined) return 'held'
    const value = message.value ?? EMPTY
    addDecoded(open, offset, value, decodeValue(value, open.decode))
    taken(admission, offset)
    return 'added'
  }
  const limitsOfSize = { rows: limits.rows, bytes: limits.bytes }

  const close = (): { readonly block: Block; readonly range: ClosedRange } | undefined => {
    if (open === undefined || open.batch.records === 0) return undefined
    const block = open
    const { batch } = block
    const fixed = isBuildingPending(admission) ? start.pending : undefined
    batch.from = fixed?.from ?? admission.rangeFrom
    if (fixed !== undefined) batch.to = fixed.to
    const doubt: RangeDoubt = fixed !== undefined ? 'same_range' : batch.from < start.doubtBelow ? 'offsets' : 'none'
    open = undefined
    closed(admission, batch.to)
    const { from, to, records, openedAtMs } = batch
    return { block, range: { from, to, records, openedAtMs, doubt } }
  }

  const intentText = (range: ClosedRange | undefined): string => {
    if (range === undefined) return ''
    const named = key.source === key.topic ? {} : { s: key.source }
    return encodeIntent({ v: 1, to: range.to, n: range.records, at: Math.round(range.openedAtMs), ...named })
  }

  const perform = async (effect: PartitionEffect, block: Block | undefined): Promise<PartitionEvent> => {
    if (effect.kind === 'commit') {
      await port.commit(effect.offset, intentText(effect.intent))
      return { kind: 'committed' }
    }
    if (block === undefined) throw new Error(`${effect.kind} without a block`)
    if (effect.kind === 'insert') {
      return { kind: (await port.insert(block)) === 'stored' ? 'inserted' : 'insert_ambiguous' }
    }
    await port.recover(block, effect.range.doubt)
    return { kind: 'recovered' }
  }

  /** Carries effects out one after the other until there are none. */
  const drive = async (first: PartitionEvent, block: Block | undefined): Promise<void> => {
    let event: PartitionEvent = first
    for (;;) {
      const [next, effects] = step(state, event)
      state = next
      const [effect] = effects
      if (effect === undefined) return
      event = await perform(effect, block)
    }
  }

  return {
    key,
    take(messages) {
      let last: number | undefined
      let skipped = 0
      for (let index = 0; index < messages.length; index += 1) {
        const message = messages[index]
        if (message === undefined) break
        const isShort = index % LOOK_EVERY_RECORDS === 0 && admission.pending === undefined && pool.isOver()
        const outcome = isShort ? 'held' : takeOne(message)
        if (outcome === 'held') return { taken: index, last, skipped, isHeldBack: true }
        if (outcome === 'skipped') skipped += 1
        last = Number(message.offset)
      }
      return { taken: messages.length, last, skipped, isHeldBack: false }
    },
    advance(offset) {
      if (offset > admission.position) taken(admission, offset - 1)
    },
    position: () => probe?.offset ?? admission.position,
    caughtUpTo: () =>
      open === undefined && flying === undefined ? admission.position : (state.storedTo ?? start.position),
    async isSameTopic(first) {
      if (probe === undefined) return true
      const { offset, isStored } = probe
      probe = undefined
      return Number(first.offset) !== offset || (await isStored(first))
    },
    openBytes: () => open?.batch.rows.length ?? 0,
    isDue(isStopping) {
      if (open === undefined || open.batch.records === 0) return false
      if (isPendingBuilt(admission)) return true
      // A range that is fixed goes whole, or not at all.
      if (isBuildingPending(admission)) return false
      return (
        isStopping || admission.isInterrupted || pool.isOver() || isFull(open.batch, limits, now()) || isBeforePending()
      )
    },
    isIdle: () => state.stage.kind === 'idle' && flying === undefined,
    isResting: () =>
      state.stage.kind === 'idle' && open === undefined && state.hasIntent && admission.pending === undefined,
    async flush() {
      const closing = close()
      flying = closing?.block
      try {
        await drive(
          closing === undefined ? { kind: 'rested' } : { kind: 'closed', range: closing.range },
          closing?.block,
        )
        return closing?.block
      } finally {
        if (closing !== undefined) pool.giveBack(closing.block.batch.rows)
        flying = undefined
      }
    },
    isRebuilding: () => admission.pending !== undefined,
    fence() {
      state = step(state, { kind: 'fenced' })[0]
      if (open !== undefined && open !== flying) pool.giveBack(open.batch.rows)
      open = undefined
    },
  }

  /** The open block is what comes before a fixed range, and that is complete. */
  function isBeforePending(): boolean {
    return admission.pending !== undefined && admission.position === admission.pending.from
  }
}
