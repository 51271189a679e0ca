/** The Kafka sink: the same traffic as requests.ndjson and apps.ndjson, into the topics that the ingest service reads. */
import type { Admin, CompressionTypes, Kafka, Message, Producer } from 'kafkajs'

import { generate } from '#simulate/engine.ts'
import { createPlan, type PlanOptions, recordsOf } from '#simulate/plan.ts'

export interface ProduceOptions extends PlanOptions {
  readonly kafka: Kafka
  readonly topicRequests: string
  readonly topicApps: string
  /** Partitions of a topic that has to be created; one that exists is left as it is. */
  readonly partitions: number
  readonly compression: CompressionTypes
  readonly onProgress?: (requests: number) => void
  /** Stops after the present block; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface Produced {
  readonly requests: number
  readonly apps: number
  readonly bytes: number
}

/** Messages of one request to the broker: 1 MB is what a broker takes by default, and a record has about 400 bytes. */
const MESSAGES_OF_A_REQUEST = 1024

async function ensureTopics(admin: Admin, options: ProduceOptions): Promise<void> {
  const known = new Set(await admin.listTopics())
  const { topicRequests, topicApps, partitions } = options
  const wanted = [
    { topic: topicRequests, numPartitions: partitions },
    { topic: topicApps, numPartitions: 1, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
  ].filter(({ topic }) => !known.has(topic))
  if (wanted.length > 0) await admin.createTopics({ topics: wanted, waitForLeaders: true })
}

/** Sends acknowledged by all replicas; returns the bytes of the values. */
async function send(
  producer: Producer,
  options: ProduceOptions,
  topic: string,
  messages: readonly Message[],
): Promise<number> {
  let bytes = 0
  for (let from = 0; from < messages.length; from += MESSAGES_OF_A_REQUEST) {
    options.signal?.throwIfAborted()
    const part = messages.slice(from, from + MESSAGES_OF_A_REQUEST)
    await producer.send({ topic, messages: part, acks: -1, compression: options.compression })
    for (const { value } of part) bytes += value?.length ?? 0
  }
  return bytes
}

/** Simulates a platform into Kafka. Requests carry no key, so they spread over the partitions; apps are keyed by their id. */
export async function produce(options: ProduceOptions): Promise<Produced> {
  const { kafka, topicRequests, topicApps, signal } = options
  const plan = createPlan(options)
  const admin = kafka.admin()
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await Promise.all([admin.connect(), producer.connect()])
  try {
    await ensureTopics(admin, options)
    const apps = recordsOf(plan).map((record) => ({ key: record.app_id, value: JSON.stringify(record) }))
    await send(producer, options, topicApps, apps)
    let requests = 0
    let bytes = 0
    for (const block of generate(plan, plan.pace)) {
      signal?.throwIfAborted()
      const messages = block.lines.map((line) => ({ value: line.trimEnd() }))
      bytes += await send(producer, options, topicRequests, messages)
      requests += messages.length
      options.onProgress?.(requests)
    }
    return { requests, apps: plan.apps.length, bytes }
  } finally {
    await Promise.allSettled([producer.disconnect(), admin.disconnect()])
  }
}
