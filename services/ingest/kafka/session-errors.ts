/** What ends a session, beside the errors of kafkajs. */

import type { PartitionKey } from './partition-port.ts'

/** The log of a partition ends before offsets that were read: the topic was created anew. */
export class LogShortenedError extends Error {
  override readonly name = 'LogShortenedError'
  /** topic/partition */
  readonly partition: string
  /** The source that its records were stored under until now. */
  readonly source: string

  constructor(key: PartitionKey, from: number, to: number) {
    const partition = `${key.topic}/${key.partition}`
    super(`${partition} went back from offset ${from} to ${to}`)
    this.partition = partition
    this.source = key.source
  }
}

/** Nothing was heard of Kafka for long, and kafkajs does not say why. */
export class StalledError extends Error {
  override readonly name = 'StalledError'
}
