/** From an assignment to partitions that know where to begin. */
import type { Admin } from 'kafkajs'
import type { Logger } from 'pino'

import type { ClickHouse } from '#lib/clickhouse.ts'

import { decideStart, readFacts, readIslands, readStoredBeyond, type PartitionFacts } from './facts.ts'
import type { BatchLimits } from '../blocks/block.ts'
import type { BlockPorts } from './store.ts'
import type { DecodeOptions } from '../decode/decode.ts'
import type { Epoch, Membership } from './epoch.ts'
import type { Metrics } from '../metrics.ts'
import { RequestsPartition } from './partition.ts'
import type { PartitionIngest } from './partition-port.ts'
import { RegistryPartition } from '../registry/topic.ts'
import type { RowPool } from './row-pool.ts'
import { probeOf } from './incarnation.ts'

export interface BeginContext {
  readonly clickhouse: ClickHouse
  readonly ports: BlockPorts
  readonly pool: RowPool
  readonly metrics: Metrics
  readonly log: Logger
  readonly groupId: string
  readonly topicApps: string | undefined
  readonly limits: Required<BatchLimits>
  readonly behind: 'rewind' | 'continue'
  readonly decodeAt: (openedAtMs: number) => DecodeOptions
  /**
   * topic/partition of logs that were found to be others than the one that had been read, with the source that is over: another member may have begun the
   * next one by the time the partition comes back here. Entries that were used are removed.
   */
  readonly renewed: Map<string, string>
}

export interface BeginOptions {
  readonly epoch: Epoch
  readonly assigned: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
  readonly admin: Admin
  readonly membership: Membership
}

export interface Begun {
  readonly ingest: PartitionIngest
  /** Offset after the last record of the partition. */
  readonly high: number
}

/** Apps of a block: the registry is small and its records large. */
const APPS_BLOCK_MAX = 5000

function beginRegistry(
  context: BeginContext,
  epoch: Epoch,
  topic: string,
  partition: number,
  facts: PartitionFacts,
): Begun {
  const { committed, low, high } = facts
  const position = committed === undefined || committed > high ? low : Math.max(committed, low)
  const ingest = new RegistryPartition({
    key: { topic, partition, source: topic },
    position,
    port: context.ports.apps(epoch, topic, partition),
    rowsMax: APPS_BLOCK_MAX,
    milliseconds: context.limits.milliseconds,
    now: Date.now,
  })
  return { ingest, high }
}

async function beginRequests(
  context: BeginContext,
  epoch: Epoch,
  topic: string,
  partition: number,
  facts: PartitionFacts,
): Promise<Begun> {
  const { clickhouse, limits, behind, log, metrics } = context
  const islands = await readIslands(clickhouse, topic, partition)
  const outdated = context.renewed.get(`${topic}/${partition}`)
  context.renewed.delete(`${topic}/${partition}`)
  const started = await decideStart({
    topic,
    partition,
    facts,
    islands,
    behind,
    readStoredBeyond: async (source, from) => await readStoredBeyond(clickhouse, source, partition, from),
    outdated,
    nowMs: Date.now(),
    log,
  })
  const { source, start } = started
  for (const note of start.notes) if (note.kind === 'retention_cut') metrics.lost.inc({ topic }, note.to - note.from)
  const line = {
    event: 'ingest.start',
    source,
    partition,
    position: start.position,
    high: facts.high,
    pending: start.pending,
  }
  log.info(line, 'a partition begins')
  const key = { topic, partition, source }
  const own = islands.filter((island) => island.source === source)
  const ledgerEnds = own.flatMap((island) => [island.last_block_from, island.to])
  const probe = probeOf({ clickhouse, key, start, ledgerEnds, low: facts.low, decode: context.decodeAt(Date.now()) })
  const ingest = new RequestsPartition({
    key,
    start,
    ...(probe === undefined ? {} : { probe }),
    committed: { offset: facts.committed, hasMetadata: facts.metadata.kind !== 'none' },
    port: context.ports.requests(epoch, topic, partition),
    limits,
    pool: context.pool,
    decodeAt: context.decodeAt,
    now: Date.now,
  })
  return { ingest, high: facts.high }
}

/** Reads what is known and decides every start. Rejects when Kafka or ClickHouse is away. */
export async function beginPartitions(context: BeginContext, options: BeginOptions): Promise<readonly Begun[]> {
  const begun: Begun[] = []
  for (const { topic, partitions } of options.assigned) {
    const facts = await readFacts(options.admin, context.groupId, topic)
    for (const partition of partitions) {
      const known = facts.get(partition)
      if (known === undefined) throw new Error(`Kafka says nothing of ${topic}/${partition}`)
      const { epoch } = options
      if (topic === context.topicApps) begun.push(beginRegistry(context, epoch, topic, partition, known))
      else begun.push(await beginRequests(context, epoch, topic, partition, known))
    }
  }
  return begun
}
