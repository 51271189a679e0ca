/** Blocks into ClickHouse for a partition of Kafka: one try to insert, and recovery that goes on until the block is stored or the epoch is over. */
import type { Logger } from 'pino'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { isPassing } from '#lib/engine-error.ts'
import { errorMessage } from '#lib/errors.ts'

import { batchToken, type Batch } from '../blocks/block.ts'
import type { InsertGate } from '../recovery/insert-gate.ts'
import { retryInEpoch, type Epoch, type Membership } from './epoch.ts'
import type { Metrics } from '../metrics.ts'
import type { Side } from '../reachability.ts'
import type { Block, PartitionStore } from './partition.ts'
import type { RangeDoubt } from './protocol.ts'
import { createRangeStore, ONE_TRY } from '../recovery/range-store.ts'
import { recoveryOf, type Repair } from '../recovery/recovery.ts'
import { insertBatch } from '../blocks/insert.ts'

export interface StoreOptions {
  readonly clickhouse: ClickHouse
  readonly gate: InsertGate
  readonly membership: Membership
  readonly metrics: Metrics
  readonly log: Logger
  readonly steadyMs: () => number
  /** Told after every try whether ClickHouse answered, or what is wrong with it. */
  readonly onAnswer: (side: Side, problem: string | undefined) => void
}

const BACKOFF = { firstPauseMs: 250, pauseMaxMs: 10_000 } as const

/** The store of a partition in an epoch. */
export type PartitionStores = (epoch: Epoch, topic: string, partition: number) => PartitionStore

function noteRefused(block: Block, refused: number): void {
  if (refused > 0) block.deadByReason.set('refused_by_engine', refused)
}

export function createPartitionStores(options: StoreOptions): PartitionStores {
  const { clickhouse, gate, membership, metrics, log, steadyMs, onAnswer } = options
  const store = createRangeStore(clickhouse)

  const onRetry = (error: unknown): void => {
    metrics.retries.inc({ step: 'insert' })
    onAnswer('clickhouse', errorMessage(error))
  }
  const insert = async (block: Block): Promise<'stored' | 'ambiguous'> => {
    const startedAt = steadyMs()
    try {
      noteRefused(block, await gate.shared(async () => await insertBatch(clickhouse, block.batch, ONE_TRY)))
    } catch (error) {
      if (!isPassing(error)) throw error
      onRetry(error)
      return 'ambiguous'
    }
    onAnswer('clickhouse', undefined)
    metrics.insertSeconds.observe((steadyMs() - startedAt) / 1000)
    return 'stored'
  }
  const onRepair = (block: Block) => (repair: Repair) => {
    metrics.repairs.inc({ kind: repair.kind })
    const token = batchToken(block.batch, block.batch.from, block.batch.to)
    if (repair.kind === 'undecided') {
      log.warn(
        { event: 'ingest.undecided', token, ...repair },
        'a rollup could not be compared; run sidestep reconcile',
      )
    } else log.info({ event: 'ingest.repaired', token, ...repair }, 'recovery found something missing and stores it')
  }
  const recover = async (epoch: Epoch, block: Block, doubt: RangeDoubt): Promise<void> => {
    const token = batchToken(block.batch, block.batch.from, block.batch.to)
    const counted = {
      ...store,
      insert: async (batch: Batch) => {
        const refused = await store.insert(batch)
        noteRefused(block, refused)
        return refused
      },
    }
    const recovery = recoveryOf(counted, block.batch, doubt, { pause: epoch.pause, onRepair: onRepair(block) })
    await retryInEpoch(epoch, async () => await gate.exclusive(recovery), { ...BACKOFF, mayPass: isPassing, onRetry })
    onAnswer('clickhouse', undefined)
    log.info(
      { event: 'ingest.recovered', token, records: block.batch.records, doubt },
      'a range was checked and is complete',
    )
  }
  return (epoch, topic, partition) => ({
    insert,
    async commit(offset, metadata) {
      await membership.commit(epoch, { topic, partition, offset, metadata })
      metrics.commits.inc()
    },
    async recover(block, doubt) {
      await recover(epoch, block, doubt)
    },
  })
}
