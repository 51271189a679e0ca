/** What ends a session, beside the errors of kafkajs. */

/** The log of a partition ends before offsets that were read: the topic was created anew. */
export class LogShortenedError extends Error {
  override readonly name = 'LogShortenedError'
  /** topic/partition */
  readonly partition: string

  constructor(partition: string, from: number, to: number) {
    super(`${partition} went back from offset ${from} to ${to}`)
    this.partition = partition
  }
}

/** Nothing was heard of Kafka for long, and kafkajs does not say why. */
export class StalledError extends Error {
  override readonly name = 'StalledError'
}
