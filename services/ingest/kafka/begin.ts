/** From an assignment to partitions that know where to begin. */
import type { Admin } from 'kafkajs'
import type { Logger } from 'pino'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Clock } from '#lib/clock.ts'

import type { BatchLimits } from '../blocks/block.ts'
import type { DecodeOptions } from '../decode/decode.ts'
import type { Metrics } from '../metrics.ts'
import type { Epoch, Membership } from './epoch.ts'
import { readFacts, readStoredFacts, type PartitionFacts } from './facts.ts'
import { probeOf, type EndedSources } from './incarnation.ts'
import { Partition, type PartitionKey } from './partition.ts'
import type { RowPool } from './row-pool.ts'
import { startPosition, type StartPosition, type StartWarning } from './start.ts'
import type { PartitionStores } from './store.ts'

export interface BeginContext {
  readonly clickhouse: ClickHouse
  readonly stores: PartitionStores
  readonly pool: RowPool
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly groupId: string
  readonly limits: Required<BatchLimits>
  readonly behind: 'rewind' | 'continue'
  readonly decodeAt: (openedAtMs: number) => DecodeOptions
  readonly endedSources: EndedSources
}

export interface BeginOptions {
  readonly epoch: Epoch
  readonly assigned: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
  readonly admin: Admin
  readonly membership: Membership
}

const WARNINGS: Readonly<Record<StartWarning['kind'], string>> = {
  ledger_behind:
    'ClickHouse lacks offsets that the group has passed (a restore? another database?); LEDGER_BEHIND decides what is done',
  retention_cut: 'Kafka deleted records before they were stored; they are lost',
  moved_back: 'the group was moved back; what is stored already is passed over',
}

/** Says where a partition begins, and what is unusual about it. */
function tell({ log, metrics }: BeginContext, key: PartitionKey, start: StartPosition, facts: PartitionFacts): void {
  const { source, partition, topic } = key
  const { low, high } = facts
  if (start.isRenewed) {
    const line = { event: 'ingest.topic_recreated', topic, partition, source, low, high }
    log.warn(line, 'the topic was created anew: its records are stored under a source of their own')
  }
  for (const { kind, from, to, ...more } of start.warnings) {
    const line = { event: `ingest.${kind}`, ...key, from, to, offsets: to - from, ...more }
    log[kind === 'retention_cut' ? 'error' : 'warn'](line, WARNINGS[kind])
    if (kind === 'retention_cut') metrics.lost.inc({ topic }, to - from)
  }
  const { position, pending } = start
  log.info({ event: 'ingest.start', source, partition, position, high, pending }, 'a partition begins')
}

async function beginPartition(
  context: BeginContext,
  epoch: Epoch,
  topic: string,
  partition: number,
  facts: PartitionFacts,
): Promise<Partition> {
  const { clickhouse, clock, limits, pool, decodeAt, behind } = context
  const { low, high, committed, metadata } = facts
  const stored = await readStoredFacts(clickhouse, topic, partition, facts)
  const nowMs = clock.wallMs()
  const ended = context.endedSources.take(topic, partition)
  const start = startPosition(topic, { ...stored, committed, low, high, behind, nowMs }, ended)
  const key = { topic, partition, source: start.source }
  tell(context, key, start, facts)
  const ledgerEnd = start.isRenewed ? undefined : stored.ledger.at(-1)?.to
  return new Partition({
    key,
    start,
    high,
    probe: probeOf({ clickhouse, key, position: start.position, ledgerEnd, low, decode: decodeAt(nowMs) }),
    hasIntent: metadata.kind !== 'none',
    store: context.stores(epoch, topic, partition),
    limits,
    pool,
    decodeAt,
    wallMs: clock.wallMs,
  })
}

/** Reads what is known and decides every start. Rejects when Kafka or ClickHouse is away. */
export async function beginPartitions(context: BeginContext, options: BeginOptions): Promise<readonly Partition[]> {
  const begun: Partition[] = []
  for (const { topic, partitions } of options.assigned) {
    const facts = await readFacts(options.admin, context.groupId, topic)
    for (const partition of partitions) {
      const known = facts.get(partition)
      if (known === undefined) throw new Error(`Kafka says nothing of ${topic}/${partition}`)
      begun.push(await beginPartition(context, options.epoch, topic, partition, known))
    }
  }
  return begun
}
