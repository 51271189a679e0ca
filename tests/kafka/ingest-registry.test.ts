/** The app registry from its topic: Kafka's order is the order, whatever the clocks of the producers said. */
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { openIngestScene, type IngestScene } from '../support/ingest-scene.ts'
import { createTopic, quietKafka, recreateTopic, uniqueName } from '../../rig/kafka-client.ts'
import { until } from '../../rig/until.ts'

const broker = inject('broker')
const kafka = quietKafka({ brokers: broker.brokers })
const MINUTE_MS = 60_000
let scene: IngestScene

beforeAll(async () => {
  scene = await openIngestScene(broker.brokers)
})

afterEach(async () => {
  await scene.endServices()
  await scene.clickhouse.command('TRUNCATE TABLE apps')
})

afterAll(async () => {
  await scene.remove()
})

/** A registry record of the app named by its first letter; null for a tombstone. */
interface AppChange {
  readonly app: string
  readonly name: string | null
  /** Of its producer's clock, before the present. */
  readonly agoMs?: number
}

function messageOf({ app, name, agoMs = 0 }: AppChange): { key: string; value: string | null; timestamp: string } {
  const record = { app_id: app, owner_id: 'o', name, created_at: '2026-01-01T00:00:00Z' }
  const value = name === null ? null : name === 'nonsense' ? name : JSON.stringify(record)
  return { key: app, value, timestamp: String(Date.now() - agoMs) }
}

async function change(topic: string, ...changes: readonly AppChange[]): Promise<void> {
  await scene.producer.send({ topic, messages: changes.map(messageOf), acks: -1 })
}

const AppRow = z.object({ app_id: z.string(), name: z.string() })

/** Names by app. */
async function registered(): Promise<Record<string, string>> {
  const rows = await scene.clickhouse.select('SELECT app_id, name FROM apps FINAL ORDER BY app_id', AppRow)
  return Object.fromEntries(rows.map(({ app_id, name }) => [app_id, name]))
}

async function isStoredUpTo(topic: string, groupId: string, offset: number): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  const look = async (): Promise<boolean> => {
    const [own] = await admin.fetchOffsets({ groupId: `${groupId}-apps`, topics: [topic] })
    return own?.partitions[0]?.offset === String(offset)
  }
  try {
    await until(look, { what: `the registry is read up to ${offset}` })
  } finally {
    await admin.disconnect()
  }
}

test('the registry keeps the last record of an app, a tombstone deletes it; what is no app is a dead letter', async () => {
  const [topic, apps] = [await scene.topic(1), await createTopic(kafka, 'apps')]
  await change(
    apps,
    { app: 'a', name: 'a1' },
    { app: 'b', name: 'b1' },
    { app: 'a', name: 'a2' },
    { app: 'c', name: 'nonsense' },
    { app: 'b', name: null },
    { app: 'd', name: 'd1' },
    { app: 'd', name: 'd2' },
  )
  const group = uniqueName('group')
  const service = await scene.service(topic, { TOPIC_APPS: apps, GROUP_ID: group })
  await service.ready()
  await isStoredUpTo(apps, group, 7)
  expect(await registered()).toEqual({ a: 'a2', d: 'd2' })
  expect(await scene.stored(apps)).toMatchObject({ raw: 0, dead: 1 })
  service.signal('SIGTERM')
  expect(await service.ended()).toBe(0)
})

test('of records whose producers had other clocks the later one wins', async () => {
  const [topic, apps] = [await scene.topic(1), await createTopic(kafka, 'apps')]
  const group = uniqueName('group')
  await scene.service(topic, { TOPIC_APPS: apps, GROUP_ID: group })
  await change(
    apps,
    { app: 'a', name: 'a1' },
    { app: 'b', name: 'b1' },
    { app: 'c', name: 'c1', agoMs: -50 * MINUTE_MS },
  )
  await isStoredUpTo(apps, group, 3)
  expect(await registered()).toEqual({ a: 'a1', b: 'b1', c: 'c1' })
  // An update and a tombstone of a clock that is ten minutes slow; the correction of a record of one that is fast.
  await change(
    apps,
    { app: 'a', name: 'a2', agoMs: 10 * MINUTE_MS },
    { app: 'b', name: null, agoMs: 10 * MINUTE_MS },
    { app: 'c', name: 'c2' },
  )
  await isStoredUpTo(apps, group, 6)
  expect(await registered()).toEqual({ a: 'a2', c: 'c2' })
})

test('rows whose version is ahead of the clock are overruled by what is read later', async () => {
  const [topic, apps] = [await scene.topic(1), await createTopic(kafka, 'apps')]
  // As an earlier release took them from a producer whose clock was a year ahead, and beyond what a double holds.
  for (const [app, version] of [
    ['a', String(Date.now() + 365 * 86_400_000)],
    ['b', '9223372036854775807'],
  ]) {
    await scene.clickhouse.command(`INSERT INTO apps (app_id, name, version) VALUES ('${app}', 'old', ${version})`)
  }
  const group = uniqueName('group')
  await change(apps, { app: 'a', name: 'a1' }, { app: 'b', name: null })
  await scene.service(topic, { TOPIC_APPS: apps, GROUP_ID: group })
  await isStoredUpTo(apps, group, 2)
  expect(await registered()).toEqual({ a: 'a1' })
})

test('a registry that is read again as a whole, as by a new group, comes out the same, its dead letters once', async () => {
  const [topic, apps] = [await scene.topic(1), await createTopic(kafka, 'apps')]
  await change(
    apps,
    { app: 'a', name: 'a1' },
    { app: 'c', name: 'nonsense' },
    { app: 'a', name: 'a2' },
    { app: 'b', name: null },
  )
  for (const group of [uniqueName('group'), uniqueName('group')]) {
    await scene.service(topic, { TOPIC_APPS: apps, GROUP_ID: group })
    await isStoredUpTo(apps, group, 4)
    await scene.endServices()
    expect(await registered()).toEqual({ a: 'a2' })
    expect(await scene.stored(apps)).toMatchObject({ raw: 0, dead: 1, dead_offsets: 1 })
  }
})

test('what is read of a registry topic that was created anew wins, though its offsets begin again', async () => {
  const [topic, apps] = [await scene.topic(1), await createTopic(kafka, 'apps')]
  const group = uniqueName('group')
  await change(apps, { app: 'a', name: 'a1' }, { app: 'a', name: 'a2' }, { app: 'a', name: 'a3' })
  await scene.service(topic, { TOPIC_APPS: apps, GROUP_ID: group })
  await isStoredUpTo(apps, group, 3)
  await scene.endServices()
  await recreateTopic(kafka, apps)
  await change(apps, { app: 'a', name: 'a4', agoMs: MINUTE_MS })
  await scene.service(topic, { TOPIC_APPS: apps, GROUP_ID: group })
  await until(async () => (await registered())['a'] !== 'a3', { what: 'the new topic is read' })
  expect(await registered()).toEqual({ a: 'a4' })
})

test('while ClickHouse is away the registry waits, and goes on when it is back', async () => {
  const [topic, apps] = [await scene.topic(1), await createTopic(kafka, 'apps')]
  const group = uniqueName('group')
  await change(apps, { app: 'a', name: 'a1' })
  const service = await scene.service(topic, { TOPIC_APPS: apps, GROUP_ID: group, SESSION_TIMEOUT_MS: '3000' })
  await isStoredUpTo(apps, group, 1)
  await scene.server.kill()
  await change(apps, { app: 'a', name: 'a2' })
  await until(() => service.of('ingest.unreachable').length > 0, { what: 'it says that ClickHouse is away' })
  await scene.server.start()
  await isStoredUpTo(apps, group, 2)
  expect(await registered()).toEqual({ a: 'a2' })
  expect(service.of('ingest.registry_joined')).toHaveLength(1)
})
