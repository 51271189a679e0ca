/** What Kafka acknowledged, offset by offset: known from producing alone, so that it can be held against what ClickHouse stores. */

/** Offsets [from, to) of a partition that Kafka deleted before all of them were stored: they may be missing, and nothing else may. */
export interface Cut {
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** What one partition must give. Sums are exact: below 2^53 up to a million records a partition. */
export interface ExpectedPartition {
  readonly source: string
  readonly partition: number
  readonly high: number
  /** Accepted records outside of cuts, the sum of their numbers, and that sum with a weight that depends on the offset. */
  readonly accepted: number
  readonly numbers: number
  readonly weighted: number
  /** Dead records outside of cuts, and the sum of their offsets. */
  readonly dead: number
  readonly deadOffsets: number
}

/** Weight of an offset in `weighted`: records that changed places show. */
export const WEIGHTS = 97

/** One life of a topic: from its creation to its deletion. */
export class TopicOracle {
  readonly topic: string
  /** Name under which its records are stored. */
  readonly source: string
  readonly cuts: Cut[] = []
  /** Of each partition, the number of the record at each offset: n when it is good, -1 - n when it is poison. */
  private readonly logs: number[][]

  constructor(topic: string, partitions: number, incarnation: number) {
    this.topic = topic
    this.source = incarnation === 1 ? topic : `${topic}@${incarnation}`
    this.logs = Array.from({ length: partitions }, () => [])
  }

  partitions(): number {
    return this.logs.length
  }

  /** Offset after the last record. */
  high(partition: number): number {
    return this.log(partition).length
  }

  records(): number {
    return this.logs.reduce((sum, log) => sum + log.length, 0)
  }

  /**
   * Records entries that Kafka put at `base`. A base beyond the known end is an earlier try that came through after all, with the same
   * entries: they are in the log twice, at offsets of their own.
   */
  append(partition: number, entries: readonly number[], base: number): void {
    const log = this.log(partition)
    const gap = base - log.length
    if (gap < 0 || gap % entries.length !== 0)
      throw new Error(`${this.topic}/${partition}: appended at ${base}, expected ${log.length}`)
    for (let copy = 0; copy <= gap / entries.length; copy += 1) log.push(...entries)
  }

  expected(): ExpectedPartition[] {
    return this.logs.map((log, partition) => this.expectedOf(log, partition))
  }

  private expectedOf(log: readonly number[], partition: number): ExpectedPartition {
    const cuts = this.cuts.filter((cut) => cut.partition === partition)
    const sums = { accepted: 0, numbers: 0, weighted: 0, dead: 0, deadOffsets: 0 }
    for (const [offset, entry] of log.entries()) {
      if (cuts.some((cut) => offset >= cut.from && offset < cut.to)) continue
      if (entry < 0) {
        sums.dead += 1
        sums.deadOffsets += offset
      } else {
        sums.accepted += 1
        sums.numbers += entry
        sums.weighted += entry * ((offset % WEIGHTS) + 1)
      }
    }
    return { source: this.source, partition, high: log.length, ...sums }
  }

  private log(partition: number): number[] {
    const log = this.logs[partition]
    if (log === undefined) throw new RangeError(`${this.topic} has no partition ${partition}`)
    return log
  }
}
