/** Blocks of a partition of Kafka into ClickHouse: one try to insert, and recovery that goes on until the block is stored or the epoch is over. */
import type { Logger } from 'pino'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { isPassing } from '#lib/engine-error.ts'
import { errorMessage } from '#lib/errors.ts'
import { pause } from '#lib/retry.ts'

import { batchToken } from '../blocks/block.ts'
import { insertBatch, ONE_TRY } from '../blocks/insert.ts'
import type { Metrics } from '../metrics.ts'
import type { Side } from '../reachability.ts'
import { createRangeStore } from '../recovery/range-store.ts'
import { recoveryOf, type Repair } from '../recovery/recovery.ts'
import { retryInEpoch, type Epoch, type Membership } from './epoch.ts'
import type { Block, PartitionStore } from './partition.ts'
import type { RangeDoubt } from './protocol.ts'

export interface StoreOptions {
  readonly clickhouse: ClickHouse
  readonly membership: Membership
  readonly metrics: Metrics
  readonly log: Logger
  readonly steadyMs: () => number
  /** Told after every try whether ClickHouse answered, or what is wrong with it. */
  readonly onAnswer: (side: Side, problem: string | undefined) => void
}

/** The store of a partition in an epoch. */
export type PartitionStores = (epoch: Epoch, topic: string, partition: number) => PartitionStore

const BACKOFF = { firstPauseMs: 250, pauseMaxMs: 10_000 } as const

function countRefused(block: Block, refused: number): void {
  if (refused > 0) block.deadByReason.set('refused_by_engine', refused)
}

function onFailure({ metrics, onAnswer }: StoreOptions, error: unknown): void {
  metrics.retries.inc({ step: 'insert' })
  onAnswer('clickhouse', errorMessage(error))
}

/** One try. Whether a try that failed has stored the block, or some of it, nobody knows. */
async function insertOnce(options: StoreOptions, block: Block): Promise<'stored' | 'ambiguous'> {
  const { clickhouse, metrics, steadyMs, onAnswer } = options
  const startedMs = steadyMs()
  try {
    countRefused(block, await insertBatch(clickhouse, block.batch, ONE_TRY))
  } catch (error) {
    if (!isPassing(error)) throw error
    onFailure(options, error)
    return 'ambiguous'
  }
  onAnswer('clickhouse', undefined)
  metrics.insertSeconds.observe((steadyMs() - startedMs) / 1000)
  return 'stored'
}

/** Tries until the block is complete; throws what no retry can mend, and FencedError when the epoch is over. */
async function recoverPatiently(options: StoreOptions, epoch: Epoch, block: Block, doubt: RangeDoubt): Promise<void> {
  const { clickhouse, metrics, log, onAnswer } = options
  const { batch } = block
  const token = batchToken(batch, batch.from, batch.to)
  const recovery = recoveryOf(createRangeStore(clickhouse, ONE_TRY), batch, {
    isSameRange: doubt !== 'offsets',
    pause: async (milliseconds) => await pause(milliseconds, epoch.signal),
    onRepair(repair: Repair) {
      metrics.repairs.inc({ kind: repair.kind })
      log.info({ event: 'ingest.repaired', token, ...repair }, 'recovery found something missing and stores it')
    },
  })
  const onRetry = (error: unknown): void => onFailure(options, error)
  countRefused(block, await retryInEpoch(epoch, recovery, { ...BACKOFF, mayPass: isPassing, onRetry }))
  onAnswer('clickhouse', undefined)
  const line = { event: 'ingest.recovered', token, records: batch.records, doubt }
  log.info(line, 'a range was checked and is complete')
}

export function createPartitionStores(options: StoreOptions): PartitionStores {
  const { membership, metrics } = options
  return (epoch, topic, partition) => ({
    insert: async (block) => await insertOnce(options, block),
    async commit(offset, metadata) {
      await membership.commit(epoch, { topic, partition, offset, metadata })
      metrics.commits.inc()
    },
    recover: async (block, doubt) => await recoverPatiently(options, epoch, block, doubt),
  })
}
