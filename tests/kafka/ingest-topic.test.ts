/** Is it still the same topic? Told apart by what is stored of it. */
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { startFaultProxy } from '../../rig/faults/proxy.ts'
import { openIngestScene, recentValues, type IngestScene } from '../support/ingest-scene.ts'
import { quietKafka, recreateTopic, uniqueName } from '../../rig/kafka-client.ts'

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

test('a topic that is created anew is stored under a source of its own, nothing passed over', async () => {
  const topic = await scene.topic(1)
  const env = { GROUP_ID: uniqueName('group') }
  await scene.produce(topic, recentValues(0, 1000, Date.now()))
  const first = await scene.service(topic, env)
  await scene.storedAll(topic, 1000)
  first.signal('SIGTERM')
  await first.ended()
  await recreateTopic(quietKafka({ brokers: broker.brokers }), topic)
  // More than before: the ends of the log do not give it away.
  await scene.produce(topic, recentValues(5000, 6500, Date.now()))
  const second = await scene.service(topic, env)
  expect(await scene.storedAll(topic, 2500)).toEqual({ raw: 2500, raw_offsets: 2500, dead: 0, dead_offsets: 0 })
  expect(second.of('ingest.topic_recreated')).toHaveLength(1)
  second.signal('SIGTERM')
  await second.ended()
  // And the third start goes on where the second one was.
  await scene.produce(topic, recentValues(6500, 6600, Date.now()))
  await scene.service(topic, env)
  expect(await scene.storedAll(topic, 2600)).toMatchObject({ raw: 2600, raw_offsets: 2600 })
  expect(await scene.inconsistencies()).toEqual({})
})

test('an engine that fails while the topic is looked at does not make it another topic', async () => {
  const topic = await scene.topic(1)
  const group = { GROUP_ID: uniqueName('group') }
  await scene.produce(topic, recentValues(0, 500, Date.now()))
  const first = await scene.service(topic, group)
  await scene.storedAll(topic, 500)
  first.signal('SIGTERM')
  expect(await first.ended()).toBe(0)
  const proxy = await startFaultProxy(scene.server.url)
  try {
    let failures = 2
    proxy.decide(({ sql }) => {
      if (!/AND offset = \{offset:UInt64\}/.test(sql) || failures === 0) return undefined
      failures -= 1
      return { kind: 'error', code: 159, when: 'before' }
    })
    await scene.produce(topic, recentValues(500, 800, Date.now()))
    const second = await scene.service(topic, { ...group, CLICKHOUSE_URL: proxy.url })
    expect(await scene.storedAll(topic, 800)).toEqual({ raw: 800, raw_offsets: 800, dead: 0, dead_offsets: 0 })
    expect(failures).toBe(0)
    expect(second.of('ingest.topic_recreated')).toEqual([])
    expect(await scene.inconsistencies()).toEqual({})
  } finally {
    await scene.endServices()
    await proxy.close()
  }
})
