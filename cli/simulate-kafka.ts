/** `sidestep simulate --kafka`: the simulated traffic as a gateway would send it. */
import kafkajs from 'kafkajs'
import { pino } from 'pino'

import { SidestepError } from '#lib/errors.ts'
import { kafkaErrorKind, kafkaFailure } from '#lib/kafka-error.ts'
import { createKafka } from '#lib/kafka.ts'
import { createProgress } from '#lib/progress.ts'
import { produce, type Produced } from '#simulate/kafka.ts'
import { PlanError, type PlanOptions } from '#simulate/plan.ts'

import { readIngestConfig } from '../services/ingest/config.ts'

export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Compression = (typeof COMPRESSIONS)[number]

const { None, GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes
const TYPES = { none: None, gzip: GZIP, snappy: Snappy, lz4: LZ4, zstd: ZSTD } as const

/** 128 + SIGINT. */
const EXIT_INTERRUPTED = 130
const HOUR_MS = 3_600_000

export interface SimulateToKafkaOptions extends PlanOptions {
  readonly brokers: string
  readonly partitions: number
  readonly compression: Compression
  readonly hours: number
  readonly requests: number
}

function summary({ requests, apps, bytes }: Produced, topic: string, seconds: number): string {
  const rate = Math.round(requests / seconds)
  return `${requests} requests of ${apps} apps, ${(bytes / 1e6).toFixed(1)} MB, to ${topic} in ${seconds.toFixed(1)} s (${rate}/s)\n`
}

/** Sends traffic that ends now, since the service takes old event times for poison. Throws SidestepError. */
export async function simulateToKafka(options: SimulateToKafkaOptions): Promise<void> {
  const { brokers, partitions, compression, ...plan } = options
  const { kafka: config, topicRequests, topicApps } = readIngestConfig({ KAFKA_BROKERS: brokers })
  if (topicApps === undefined) throw new SidestepError('usage', 'TOPIC_APPS is none: the simulated apps need a topic')
  const kafka = createKafka({ ...config, clientId: 'sidestep-simulate' }, pino({ level: 'silent' }))
  const stop = new AbortController()
  const onInterrupt = (): void => stop.abort()
  process.once('SIGINT', onInterrupt)
  const progress = createProgress({ label: 'simulate', total: options.requests, unit: 'requests' })
  const startedAt = performance.now()
  try {
    const produced = await produce({
      ...plan,
      start: new Date(Date.now() - options.hours * HOUR_MS).toISOString(),
      kafka,
      topicRequests,
      topicApps,
      partitions,
      compression: TYPES[compression],
      onProgress: (done) => progress.update(done),
      signal: stop.signal,
    })
    progress.finish()
    process.stdout.write(summary(produced, topicRequests, (performance.now() - startedAt) / 1000))
  } catch (error) {
    progress.finish()
    if (stop.signal.aborted) process.exitCode = EXIT_INTERRUPTED
    else if (error instanceof PlanError) throw new SidestepError('usage', error.message, { cause: error })
    else if (kafkaErrorKind(error) === 'other') throw error
    else throw kafkaFailure(error, { brokers: config.brokers, username: config.sasl?.username, topic: topicRequests })
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}
