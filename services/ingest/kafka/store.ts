/** Blocks into ClickHouse for a partition of Kafka: one try to insert, and recovery that goes on until the block is stored or the epoch is over. */
import type { Logger } from 'pino'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { insertErrorKind } from '#lib/engine-error.ts'
import { errorMessage } from '#lib/errors.ts'

import { batchToken, type Batch } from '../blocks/block.ts'
import type { InsertGate } from '../recovery/insert-gate.ts'
import { FencedError, type Epoch, type Membership } from './epoch.ts'
import type { Metrics } from '../metrics.ts'
import type { Block, PartitionPort } from './partition-port.ts'
import type { RangeDoubt } from './protocol.ts'
import { createRangeStore, ONE_TRY } from '../recovery/range-store.ts'
import { recoveryOf, type Repair } from '../recovery/recovery.ts'
import type { RegistryPort } from '../registry/topic.ts'
import { insertBatch, insertRows } from '../blocks/insert.ts'

export interface BlockPortOptions {
  readonly clickhouse: ClickHouse
  readonly gate: InsertGate
  readonly membership: Membership
  readonly metrics: Metrics
  readonly log: Logger
  /** Told after every try: whether ClickHouse answered. */
  readonly onAnswer: (problem: string | undefined) => void
}

const FIRST_PAUSE_MS = 250
const PAUSE_MAX_MS = 10_000

export interface BlockPorts {
  requests(epoch: Epoch, topic: string, partition: number): PartitionPort
  apps(epoch: Epoch, topic: string, partition: number): RegistryPort
}

function noteRefused(block: Block, refused: number): void {
  if (refused > 0) block.deadByReason.set('refused_by_engine', refused)
}

export function createBlockPorts(options: BlockPortOptions): BlockPorts {
  const { clickhouse, gate, membership, metrics, log, onAnswer } = options
  const store = createRangeStore(clickhouse)

  const failed = (error: unknown): void => {
    if (insertErrorKind(error) !== 'passing') throw error
    metrics.retries.inc({ of: 'insert' })
    onAnswer(errorMessage(error))
  }
  /** Tries until it works; throws what no retry can mend, and FencedError when the epoch is over. */
  const persist = async (epoch: Epoch, run: () => Promise<void>): Promise<void> => {
    let pauseMs = FIRST_PAUSE_MS
    for (;;) {
      try {
        await run()
        onAnswer(undefined)
        return
      } catch (error) {
        if (error instanceof FencedError) throw error
        failed(error)
      }
      await epoch.pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)
    }
  }
  const insert = async (block: Block): Promise<'stored' | 'ambiguous'> => {
    const startedAt = performance.now()
    try {
      noteRefused(block, await gate.shared(async () => await insertBatch(clickhouse, block.batch, ONE_TRY)))
    } catch (error) {
      failed(error)
      return 'ambiguous'
    }
    onAnswer(undefined)
    metrics.insertSeconds.observe((performance.now() - startedAt) / 1000)
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
    await persist(epoch, async () => {
      await gate.exclusive(recovery)
    })
    log.info(
      { event: 'ingest.recovered', token, records: block.batch.records, doubt },
      'a range was checked and is complete',
    )
  }
  return {
    requests: (epoch, topic, partition) => ({
      insert,
      async commit(offset, metadata) {
        await membership.commit(epoch, { topic, partition, offset, metadata })
        metrics.commits.inc()
      },
      async recover(block, doubt) {
        await recover(epoch, block, doubt)
      },
    }),
    apps: (epoch, topic, partition) => ({
      async commit(offset, metadata) {
        await membership.commit(epoch, { topic, partition, offset, metadata })
        metrics.commits.inc()
      },
      async insertApps(columns, body, token) {
        await persist(epoch, async () => {
          await insertRows(clickhouse, { table: 'apps', columns, body, token }, ONE_TRY)
        })
      },
      async insertDead(block) {
        await persist(epoch, async () => {
          await insertBatch(clickhouse, block.batch, ONE_TRY)
        })
      },
    }),
  }
}
