/** What the service tells Prometheus. Labels are topics, partitions and reasons: never an app, a user or an address. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  readonly registry: Registry
  /** Messages taken from Kafka, those that are passed over included. */
  readonly read: Counter<'topic'>
  readonly rows: Counter<'topic'>
  readonly dead: Counter<'topic' | 'reason'>
  /** Records read again that were stored before. */
  readonly skipped: Counter<'topic'>
  readonly unknownFields: Counter
  readonly adjustedFields: Counter<'field' | 'change'>
  readonly lag: Gauge<'topic' | 'partition'>
  readonly retries: Counter<'step'>
  readonly repairs: Counter<'kind'>
  readonly lost: Counter<'topic'>
  readonly gaps: Counter<'topic'>
  readonly insertSeconds: Histogram
  readonly batchRows: Histogram
  readonly commits: Counter
  readonly rebalances: Counter
  readonly pausedPartitions: Gauge
  readonly bufferBytes: Gauge
  readonly up: Gauge<'side'>
}

/** Metrics in a registry of their own, with those of the process. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Counter<Label> => new Counter({ name: `sidestep_ingest_${name}`, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> =>
    new Gauge({ name: `sidestep_ingest_${name}`, help, labelNames, registers })
  const histogram = (name: string, help: string, buckets: readonly number[]): Histogram =>
    new Histogram({ name: `sidestep_ingest_${name}`, help, buckets: [...buckets], registers })
  collectDefaultMetrics({ register: registry })
  return {
    registry,
    read: counter('read_records_total', 'Records taken from Kafka, those stored before included', ['topic']),
    rows: counter('rows_total', 'Records stored, dead ones not included', ['topic']),
    dead: counter('dead_rows_total', 'Records stored as dead letters', ['topic', 'reason']),
    skipped: counter('skipped_records_total', 'Records read again that were stored before', ['topic']),
    unknownFields: counter('unknown_fields_total', 'Fields that no schema names'),
    adjustedFields: counter(
      'adjusted_fields_total',
      'Fields that were cut, repaired or left out so that the record could be stored',
      ['field', 'change'],
    ),
    lag: gauge('lag_records', 'Records in Kafka that are not stored yet', ['topic', 'partition']),
    retries: counter('retries_total', 'Tries repeated', ['step']),
    repairs: counter('repairs_total', 'Things that recovery found wrong and set right', ['kind']),
    lost: counter('lost_offsets_total', 'Offsets that Kafka deleted before they were stored', ['topic']),
    gaps: counter('gap_offsets_total', 'Offsets without a record, met while reading', ['topic']),
    insertSeconds: histogram(
      'insert_seconds',
      'Time of one insert that succeeded',
      [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    ),
    batchRows: histogram(
      'batch_rows',
      'Records of one block',
      [1, 10, 100, 1000, 5000, 10_000, 25_000, 50_000, 100_000],
    ),
    commits: counter('commits_total', 'Offset commits'),
    rebalances: counter('group_joins_total', 'Times the consumer group was joined'),
    pausedPartitions: gauge('paused_partitions', 'Partitions held back because ClickHouse is slower than Kafka'),
    bufferBytes: gauge('buffer_bytes', 'Bytes of rows held in memory'),
    up: gauge('up', '1 while the other side answers', ['side']),
  }
}
