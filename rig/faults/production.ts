/**
 * The only producer of a topic. It knows the offset of each record, also after a send of which nobody knows whether it came through: then the
 * end of the log tells, because nobody else writes.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Admin, Kafka, Producer } from 'kafkajs'
import type { Rng } from '#simulate/random.ts'
import { until } from '../until.ts'
import type { TopicOracle } from './oracle.ts'
import { knownRecord, type KnownRecord } from './records.ts'

const BATCH_RECORDS_MAX = 100
const TURN_MS = 100

export interface ProductionOptions {
  readonly kafka: Kafka
  readonly admin: Admin
  readonly oracle: TopicOracle
  readonly rng: Rng
  /** Epoch milliseconds by which event times are chosen. */
  readonly nowMs: number
  /** Share of records that are poison. */
  readonly poisonShare: number
  /** Number of the first record. */
  readonly firstNumber: number
}

export class Production {
  private readonly options: ProductionOptions
  private producer: Producer | undefined
  private number: number
  private sending: Promise<void> = Promise.resolve()
  private steady: { readonly stop: AbortController; readonly done: Promise<void> } | undefined

  constructor(options: ProductionOptions) {
    this.options = options
    this.number = options.firstNumber
  }

  nextNumber(): number {
    return this.number
  }

  /** Numbers for records that the caller makes. */
  take(count: number): number[] {
    const first = this.number
    this.number += count
    return Array.from({ length: count }, (_, index) => first + index)
  }

  /** Produces so many records, spread over the partitions; resolves when Kafka has acknowledged them. */
  async produce(count: number): Promise<void> {
    const { rng, nowMs, poisonShare, oracle } = this.options
    for (let left = count; left > 0;) {
      const size = Math.min(left, 1 + rng.below(BATCH_RECORDS_MAX))
      left -= size
      const records = this.take(size).map((number) => knownRecord(number, nowMs, rng, poisonShare))
      await this.send(rng.below(oracle.partitions()), records)
    }
  }

  /** Appends these records to one partition, in one batch. */
  async send(partition: number, records: readonly KnownRecord[]): Promise<void> {
    this.sending = this.sendAfter(this.sending, partition, records)
    await this.sending
  }

  /** Goes on producing at this rate until `stop`. Faults of the broker only delay it. */
  start(perSecond: number): void {
    if (this.steady !== undefined) return
    const stop = new AbortController()
    this.steady = { stop, done: this.produceSteadily(perSecond, stop.signal) }
  }

  /** Resolves when all that was begun is acknowledged. */
  async stop(): Promise<void> {
    this.steady?.stop.abort()
    await this.steady?.done
    this.steady = undefined
    await this.sending
  }

  async close(): Promise<void> {
    await this.stop()
    await this.producer?.disconnect()
  }

  private async produceSteadily(perSecond: number, stop: AbortSignal): Promise<void> {
    let owed = 0
    let last = performance.now()
    while (!stop.aborted) {
      const now = performance.now()
      // After an outage no burst makes up for it.
      owed = Math.min(owed + (perSecond * (now - last)) / 1000, perSecond)
      last = now
      await this.produce(Math.floor(owed))
      owed -= Math.floor(owed)
      await delay(TURN_MS, undefined, { signal: stop }).catch(() => undefined)
    }
  }

  private async sendAfter(before: Promise<void>, partition: number, records: readonly KnownRecord[]): Promise<void> {
    await before
    await this.sendNow(partition, records)
  }

  private async sendNow(partition: number, records: readonly KnownRecord[]): Promise<void> {
    const { oracle } = this.options
    const { topic } = oracle
    const entries = records.map((record) => record.entry)
    const messages = records.map(({ value }) => ({ partition, value }))
    for (;;) {
      const expected = oracle.high(partition)
      try {
        const producer = await this.connected()
        const [sent] = await producer.send({ topic, messages, acks: -1 })
        oracle.append(partition, entries, Number(sent?.baseOffset))
        return
      } catch {
        await this.disconnect()
        const high = await this.highOf(partition)
        if (high < expected + entries.length) continue
        oracle.append(partition, entries, expected)
        return
      }
    }
  }

  private async connected(): Promise<Producer> {
    if (this.producer !== undefined) return this.producer
    const producer = this.options.kafka.producer({ retry: { retries: 0 }, allowAutoTopicCreation: false })
    await producer.connect()
    this.producer = producer
    return producer
  }

  private async disconnect(): Promise<void> {
    const { producer } = this
    this.producer = undefined
    await producer?.disconnect().catch(() => undefined)
  }

  private async highOf(partition: number): Promise<number> {
    const { admin, oracle } = this.options
    const look = async (): Promise<number | undefined> => {
      const ends = await admin.fetchTopicOffsets(oracle.topic)
      const end = ends.find((one) => one.partition === partition)
      return end === undefined ? undefined : Number(end.high)
    }
    return await until(look, { what: 'Kafka tells the end of a log', everyMs: 200 })
  }
}
