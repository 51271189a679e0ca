/** The ingest service as a real process between a real broker and an engine behind HTTP. */
import kafkajs from 'kafkajs'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { openIngestScene, recentValues, type IngestScene } from '../support/ingest-scene.ts'
import { quietKafka, uniqueName } from '../../rig/kafka-client.ts'
import { until } from '../../rig/until.ts'

const { CompressionTypes } = kafkajs
const broker = inject('broker')
let scene: IngestScene

beforeAll(async () => {
  scene = await openIngestScene(broker.brokers)
})

afterEach(async () => {
  await scene.endServices()
})

afterAll(async () => {
  await scene.remove()
})

test('every record is stored once, in the raw table and in every rollup', async () => {
  const topic = await scene.topic(3)
  await scene.produce(topic, recentValues(0, 20_000, Date.now()))
  const service = await scene.service(topic)
  await service.ready()
  expect(await scene.storedAll(topic, 20_000)).toEqual({ raw: 20_000, raw_offsets: 20_000, dead: 0, dead_offsets: 0 })
  expect(await scene.inconsistencies()).toEqual({})
  await until(async () => (await service.metric('sidestep_ingest_lag_records')) === 0, { what: 'no lag' })
  expect(await service.metric('sidestep_ingest_rows_total')).toBe(20_000)
})

test('batches of every compression are read', async () => {
  const topic = await scene.topic(2)
  const service = await scene.service(topic)
  const types = [
    CompressionTypes.None,
    CompressionTypes.GZIP,
    CompressionTypes.Snappy,
    CompressionTypes.LZ4,
    CompressionTypes.ZSTD,
  ]
  for (const [index, type] of types.entries()) {
    await scene.produce(topic, recentValues(index * 500, (index + 1) * 500, Date.now()), type)
  }
  expect(await scene.storedAll(topic, 2500)).toEqual({ raw: 2500, raw_offsets: 2500, dead: 0, dead_offsets: 0 })
  expect(await scene.inconsistencies()).toEqual({})
  expect(service.errors()).toBe('')
})

const DeadRow = z.object({ reason: z.string(), partition: z.number(), offset: z.coerce.number(), payload: z.string() })

test('a poison record, first, middle or last, becomes a dead letter with its bytes and holds nothing up', async () => {
  const topic = await scene.topic(1)
  const good = recentValues(0, 30, Date.now())
  const values = [
    'not json',
    ...good.slice(0, 15),
    '',
    '[1]',
    Buffer.from([0xff, 0xfe, 0x7b]),
    '{"app_id":"a"}',
    null,
    JSON.stringify({
      ...z.record(z.string(), z.unknown()).parse(JSON.parse(good[0] ?? '')),
      timestamp: '1999-01-01T00:00:00Z',
    }),
    ...good.slice(15),
    '{"timestamp":"2026',
  ]
  await scene.produce(topic, values)
  const service = await scene.service(topic)
  expect(await scene.storedAll(topic, values.length)).toMatchObject({ raw: 30, dead: 8, dead_offsets: 8 })
  const rows = await scene.clickhouse.select(
    'SELECT reason, partition, offset, payload FROM dead_requests WHERE source = {topic:String} ORDER BY offset',
    DeadRow,
    { topic },
  )
  expect(rows.map((row) => [row.offset, row.reason])).toEqual([
    [0, 'not_json'],
    [16, 'not_json'],
    [17, 'not_an_object'],
    [18, 'not_utf8'],
    [19, 'missing_field'],
    [20, 'not_json'],
    [21, 'time_outside_span'],
    [37, 'not_json'],
  ])
  expect(rows[0]?.payload).toBe('not json')
  await until(async () => (await service.metric('sidestep_ingest_dead_rows_total')) === 8, { what: 'they are counted' })
  expect(await scene.inconsistencies()).toEqual({})
})

test('SIGTERM stores what is open, commits it without intent, leaves the group and ends with 0', async () => {
  const topic = await scene.topic(2)
  const group = uniqueName('group')
  await scene.produce(topic, recentValues(0, 3000, Date.now()))
  const service = await scene.service(topic, { GROUP_ID: group, BATCH_SECONDS: '600' })
  await service.ready()
  await until(async () => (await service.metric('sidestep_ingest_read_records_total')) === 3000, {
    what: 'all are read',
  })
  const started = performance.now()
  service.signal('SIGTERM')
  expect(await service.ended()).toBe(0)
  expect(performance.now() - started).toBeLessThan(25_000)
  expect(await scene.stored(topic)).toMatchObject({ raw: 3000, raw_offsets: 3000 })
  const admin = quietKafka({ brokers: broker.brokers }).admin()
  await admin.connect()
  const [offsets] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  const ends = (await admin.fetchTopicOffsets(topic)).toSorted((one, other) => one.partition - other.partition)
  const members = await admin.describeGroups([group])
  await admin.disconnect()
  expect(
    offsets?.partitions
      .toSorted((one, other) => one.partition - other.partition)
      .map((one) => [one.partition, one.offset, one.metadata]),
  ).toEqual(ends.map((end) => [end.partition, end.high, null]))
  expect(members.groups[0]?.members).toEqual([])
})

test('after kill -9 another process takes over, and each record is still stored once', async () => {
  const topic = await scene.topic(3)
  const group = uniqueName('group')
  const env = { GROUP_ID: group, BATCH_ROWS: '700', BATCH_SECONDS: '0.1', SESSION_TIMEOUT_MS: '1500' }
  const first = await scene.service(topic, env)
  await first.ready()
  const sending = scene.produce(topic, recentValues(0, 30_000, Date.now()))
  await until(async () => (await scene.stored(topic)).raw > 5000, { what: 'some are stored', everyMs: 10 })
  await first.kill()
  await sending
  const second = await scene.service(topic, env)
  expect(await scene.storedAll(topic, 30_000)).toEqual({ raw: 30_000, raw_offsets: 30_000, dead: 0, dead_offsets: 0 })
  await until(async () => (await second.metric('sidestep_ingest_lag_records')) === 0, { what: 'no lag' })
  expect(await scene.inconsistencies()).toEqual({})
})

test('while ClickHouse is away records wait in Kafka, memory stays bounded, and all arrive when it is back', async () => {
  const topic = await scene.topic(2)
  const service = await scene.service(topic, { BUFFER_MB: '8', SESSION_TIMEOUT_MS: '3000' })
  await scene.produce(topic, recentValues(0, 1000, Date.now()))
  await scene.storedAll(topic, 1000)
  await scene.server.kill()
  await scene.produce(topic, recentValues(1000, 81_000, Date.now()))
  await until(() => service.of('ingest.unreachable').length > 0, { what: 'it says that ClickHouse is away' })
  await until(async () => (await service.metric('sidestep_ingest_paused_partitions')) === 2, {
    what: 'both are paused',
  })
  expect((await service.get('/readyz')).status).toBe(503)
  expect(await service.metric('sidestep_ingest_buffer_bytes')).toBeLessThan(9 * 1024 * 1024)
  await scene.server.start()
  expect(await scene.storedAll(topic, 81_000)).toEqual({ raw: 81_000, raw_offsets: 81_000, dead: 0, dead_offsets: 0 })
  await service.ready()
  expect(service.of('ingest.unreachable')).toHaveLength(1)
  expect(service.of('ingest.joined')).toHaveLength(1)
  expect(await scene.inconsistencies()).toEqual({})
})

test('a group that is moved back counts nothing twice', async () => {
  const topic = await scene.topic(1)
  const group = uniqueName('group')
  await scene.produce(topic, recentValues(0, 2000, Date.now()))
  const first = await scene.service(topic, { GROUP_ID: group, BATCH_ROWS: '300' })
  await scene.storedAll(topic, 2000)
  first.signal('SIGTERM')
  expect(await first.ended()).toBe(0)
  const admin = quietKafka({ brokers: broker.brokers }).admin()
  await admin.connect()
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '450' }] })
  await admin.disconnect()
  await scene.produce(topic, recentValues(2000, 2500, Date.now()))
  const second = await scene.service(topic, { GROUP_ID: group })
  expect(await scene.storedAll(topic, 2500)).toEqual({ raw: 2500, raw_offsets: 2500, dead: 0, dead_offsets: 0 })
  expect(second.of('ingest.moved_back')).toHaveLength(1)
  expect(await scene.inconsistencies()).toEqual({})
})

test('a missing topic ends it non-zero, with one line that says what to check', async () => {
  const service = await scene.service(uniqueName('missing'))
  expect(await service.ended()).toBe(1)
  expect(service.errors()).toMatch(/has no such topic/)
  expect(service.errors().trim().split('\n')).toHaveLength(1)
})

test('a broker that is away is waited for, and said so once', async () => {
  const service = await scene.service('any', { KAFKA_BROKERS: '127.0.0.1:1' })
  await until(() => service.of('ingest.unreachable').length > 0, {
    what: 'it says that Kafka is away',
  })
  expect((await service.get('/healthz')).status).toBe(200)
  expect((await service.get('/readyz')).status).toBe(503)
  service.signal('SIGTERM')
  expect(await service.ended()).toBe(0)
  expect(service.of('ingest.unreachable')).toHaveLength(1)
})
