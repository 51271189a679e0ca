/** What partitions of every topic have in common: what the scheduler asks of them, and what they ask of the world. */
import type { AdjustedCounts } from '../decode/repair.ts'
import type { KafkaMessage } from 'kafkajs'

import type { Batch } from '../blocks/block.ts'
import type { RangeDoubt } from './protocol.ts'

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

/** A batch with what was counted while it was filled. */
export interface Block {
  readonly batch: Batch
  readonly deadByReason: Map<string, number>
  unknownFields: number
  readonly adjusted: AdjustedCounts
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
  /** True when the open block should go on its way now: it is old, or full to this share of the limits (0: it holds anything). */
  isDue(share: number): boolean
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
