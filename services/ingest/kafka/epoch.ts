/**
 * Membership in the consumer group: one epoch from each GROUP_JOIN to the next, and commits that only the present epoch can make.
 *
 * The broker fences a member of an older generation, but after a rejoin kafkajs would send a commit that an old handler asks for under the new
 * generation. So every commit names the epoch that it belongs to, and is made by the call that kafkajs hands to `eachBatch`: unlike
 * `consumer.commitOffsets` it neither repeats itself later, under whatever generation there is then, nor says nothing when the consumer has stopped.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { EachBatchPayload } from 'kafkajs'

import { kafkaErrorKind } from '#lib/kafka-error.ts'

/** The epoch is over: whatever was under way is recovered by the next owner of the partition. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** Error types with which the broker says that this member is not, or no longer, of the present generation. */
const FENCED_TYPES: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

function errorType(error: unknown): string {
  const type: unknown = error instanceof Error ? Reflect.get(error, 'type') : undefined
  return typeof type === 'string' ? type : ''
}

export interface Epoch {
  readonly number: number
  /** Aborted when the epoch is over. */
  readonly signal: AbortSignal
  /** Waits so many milliseconds. Rejects with FencedError when the epoch is over. */
  readonly pause: (milliseconds: number) => Promise<void>
}

type CommitNow = EachBatchPayload['commitOffsetsIfNecessary']

export interface Membership {
  epoch(): Epoch | undefined
  /** A new epoch begins; the one before is over. */
  join(): Epoch
  /** The epoch is over, and no other one begins yet. */
  end(): void
  /** The means to commit, from any batch of the present consumer. */
  use(commitNow: CommitNow): void
  /** Commits one offset. Rejects with FencedError, or with what retrying cannot mend. */
  commit(epoch: Epoch, commit: PartitionCommit): Promise<void>
}

export interface PartitionCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string
}

const FIRST_PAUSE_MS = 100
const PAUSE_MAX_MS = 5000

/** `onRetry` is told of every commit that is tried again. */
export function createMembership(onRetry: () => void): Membership {
  let current: { readonly epoch: Epoch; readonly controller: AbortController } | undefined
  let joins = 0
  let commitNow: CommitNow | undefined

  const once = async (epoch: Epoch, { topic, partition, offset, metadata }: PartitionCommit): Promise<void> => {
    if (commitNow === undefined) throw new Error('a commit before the first batch')
    const entry = { partition, offset: String(offset), metadata }
    // Nothing may come between this look and the call, which reads its generation before it first waits.
    if (current?.epoch !== epoch) throw new FencedError('the epoch is over')
    await commitNow({ topics: [{ topic, partitions: [entry] }] })
    if (current?.epoch !== epoch) throw new FencedError('the epoch ended during a commit')
  }
  return {
    epoch: () => current?.epoch,
    join() {
      current?.controller.abort()
      joins += 1
      const controller = new AbortController()
      const { signal } = controller
      const pause = async (milliseconds: number): Promise<void> => {
        try {
          await delay(milliseconds, undefined, { signal })
        } catch (error) {
          throw new FencedError('the epoch is over', { cause: error })
        }
      }
      current = { controller, epoch: { number: joins, signal, pause } }
      return current.epoch
    },
    end() {
      current?.controller.abort()
      current = undefined
    },
    use(next) {
      commitNow = next
    },
    async commit(epoch, commit) {
      let pauseMs = FIRST_PAUSE_MS
      for (;;) {
        try {
          await once(epoch, commit)
          return
        } catch (error) {
          if (error instanceof FencedError) throw error
          if (FENCED_TYPES.has(errorType(error))) throw new FencedError('the broker refused a commit', { cause: error })
          const kind = kafkaErrorKind(error)
          if (kind === 'authentication' || kind === 'permission' || kind === 'tls') throw error
          onRetry()
          await epoch.pause(pauseMs)
          pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)
        }
      }
    },
  }
}
