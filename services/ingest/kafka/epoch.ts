/**
 * Membership in the consumer group: one epoch from each GROUP_JOIN to the next, and commits that only the present epoch can make.
 *
 * The broker fences a member of an older generation, but after a rejoin kafkajs would send a commit that an old handler asks for under the new
 * generation. So every commit names the epoch that it belongs to, and is made by the call that kafkajs hands to `eachBatch`: unlike
 * `consumer.commitOffsets` it neither repeats itself later, under whatever generation there is then, nor says nothing when the consumer has stopped.
 */
import type { EachBatchPayload } from 'kafkajs'

import { kafkaErrorKind } from '#lib/kafka-error.ts'
import { retry, StoppedError, type RetryOptions } from '#lib/retry.ts'

/** The epoch is over: whatever was under way is recovered by the next owner of the partition. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** Nothing was heard of Kafka for long, and kafkajs does not say why. */
export class StalledError extends Error {
  override readonly name = 'StalledError'
}

/** Error types with which the broker says that this member is not, or no longer, of the present generation. */
const FENCED_TYPES: ReadonlySet<unknown> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

export interface Epoch {
  readonly number: number
  /** Aborted when the epoch is over. */
  readonly signal: AbortSignal
}

/** Runs until it works. Rejects with FencedError when the epoch is over, or at once when `run` says so. */
export async function retryInEpoch<T>(
  { signal }: Epoch,
  run: () => Promise<T>,
  options: Omit<RetryOptions, 'signal' | 'attempts'>,
): Promise<T> {
  const mayPass = (error: unknown): boolean => {
    const isOver = error instanceof FencedError || error instanceof StoppedError
    return !isOver && options.mayPass(error)
  }
  try {
    return await retry(run, { ...options, mayPass, signal })
  } catch (error) {
    throw error instanceof StoppedError ? new FencedError('the epoch is over', { cause: error }) : error
  }
}

type CommitNow = EachBatchPayload['commitOffsetsIfNecessary']

export interface PartitionCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string
}

const COMMIT_BACKOFF = { firstPauseMs: 100, pauseMaxMs: 5000 } as const

function mayCommitPass(error: unknown): boolean {
  const kind = kafkaErrorKind(error)
  return kind !== 'authentication' && kind !== 'permission' && kind !== 'tls'
}

export class Membership {
  private readonly onRetry: () => void
  private current: { readonly epoch: Epoch; readonly controller: AbortController } | undefined
  private joins = 0
  private commitNow: CommitNow | undefined

  /** `onRetry` is told of every commit that is tried again. */
  constructor(onRetry: () => void) {
    this.onRetry = onRetry
  }

  epoch(): Epoch | undefined {
    return this.current?.epoch
  }

  /** A new epoch begins; the one before is over. */
  join(): Epoch {
    this.end()
    this.joins += 1
    const controller = new AbortController()
    this.current = { controller, epoch: { number: this.joins, signal: controller.signal } }
    return this.current.epoch
  }

  /** The epoch is over, and no other one begins yet. */
  end(): void {
    this.current?.controller.abort()
    this.current = undefined
  }

  /** The means to commit, from any batch of the present consumer. */
  use(commitNow: CommitNow): void {
    this.commitNow = commitNow
  }

  /** Commits one offset. Rejects with FencedError, or with what retrying cannot mend. */
  async commit(epoch: Epoch, commit: PartitionCommit): Promise<void> {
    const onRetry = (): void => this.onRetry()
    const options = { ...COMMIT_BACKOFF, mayPass: mayCommitPass, onRetry }
    await retryInEpoch(epoch, async () => await this.commitOnce(epoch, commit), options)
  }

  private async commitOnce(epoch: Epoch, { topic, partition, offset, metadata }: PartitionCommit): Promise<void> {
    if (this.commitNow === undefined) throw new Error('a commit before the first batch')
    const entry = { partition, offset: String(offset), metadata }
    // Nothing may come between this look and the call, which reads its generation before it first waits.
    if (this.current?.epoch !== epoch) throw new FencedError('the epoch is over')
    try {
      await this.commitNow({ topics: [{ topic, partitions: [entry] }] })
    } catch (error) {
      const type: unknown = error instanceof Error ? Reflect.get(error, 'type') : undefined
      throw FENCED_TYPES.has(type) ? new FencedError('the broker refused a commit', { cause: error }) : error
    }
    if (this.current?.epoch !== epoch) throw new FencedError('the epoch ended during a commit')
  }
}
