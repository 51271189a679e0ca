/** Batches of kafkajs into partitions: from where they begin to the last record that there is room for. */
import type { EachBatchPayload, KafkaMessage } from 'kafkajs'
import type { Logger } from 'pino'

import type { Metrics } from '../metrics.ts'
import { TopicRenewedError } from './incarnation.ts'
import type { Partition, PartitionKey } from './partition.ts'
import type { Scheduler } from './scheduler.ts'

export interface IntakeOptions {
  readonly scheduler: Scheduler
  readonly metrics: Metrics
  readonly log: Logger
  /** Makes kafkajs go on at an offset. */
  readonly seek: (key: PartitionKey, offset: number) => void
}

/** Takes what there is room for; the rest is fetched again later. Throws TopicRenewedError when the log is another one. */
export async function takeBatch(options: IntakeOptions, payload: EachBatchPayload): Promise<void> {
  const { scheduler } = options
  const { batch } = payload
  const partition = scheduler.reading(batch.topic, batch.partition)
  // A batch that an earlier epoch had fetched: kafkajs fetches again, from the offset that was sought.
  if (partition === undefined || payload.isStale()) return
  partition.sawEnd(Number(batch.highWatermark))
  // Not in the types of kafkajs: the offset that was asked for.
  if (!arrives(options, partition, Number(Reflect.get(batch, 'fetchedOffset')))) return
  await checkFirst(partition, batch.messages)
  // The epoch may have ended meanwhile.
  if (scheduler.reading(batch.topic, batch.partition) !== partition) return
  takeMessages(options, partition, payload)
  await payload.heartbeat()
}

/** Whether the batch that was asked for at `met` is to be taken. */
function arrives(options: IntakeOptions, partition: Partition, met: number): boolean {
  const { key } = partition
  const wanted = partition.position()
  switch (partition.arrivals.judge(wanted, met)) {
    case 'next':
      return true
    case 'ask_again':
      options.seek(key, wanted)
      return false
    case 'gap':
      tellGap(options, partition, met)
      partition.advance(met)
      return true
    case 'renewed':
      break
  }
  throw new TopicRenewedError(key, wanted, met)
}

/** Control records, which kafkajs passes over, or records that retention has deleted. */
function tellGap({ metrics, log }: IntakeOptions, partition: Partition, to: number): void {
  const { topic, partition: number } = partition.key
  const from = partition.position()
  metrics.gaps.inc({ topic }, to - from)
  const line = { event: 'ingest.gap', topic, partition: number, from, to, offsets: to - from }
  log.warn(line, 'Kafka has no records between these offsets: transaction markers, or retention was faster than ingest')
}

/** The first message may be one that is stored: then it must be the same. */
async function checkFirst(partition: Partition, messages: readonly KafkaMessage[]): Promise<void> {
  const [first] = messages
  if (first === undefined || (await partition.isSameLog(first))) return
  throw new TopicRenewedError(partition.key, partition.position(), Number(first.offset))
}

function takeMessages({ scheduler, metrics }: IntakeOptions, partition: Partition, payload: EachBatchPayload): void {
  const { topic } = partition.key
  let { messages } = payload.batch
  for (;;) {
    const taken = partition.take(messages)
    metrics.read.inc({ topic }, taken.taken)
    if (taken.skipped > 0) metrics.skipped.inc({ topic }, taken.skipped)
    if (taken.last !== undefined) payload.resolveOffset(String(taken.last))
    if (!taken.isHeldBack) {
      partition.advance(Number(payload.batch.lastOffset()) + 1)
      return
    }
    messages = messages.slice(taken.taken)
    scheduler.pump()
    // Nothing was taken, and the full block cannot go on its way yet: others go on meanwhile, and the rest is fetched again later.
    if (taken.taken === 0) break
  }
  scheduler.holdBack(partition)
}
