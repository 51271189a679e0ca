import { expect, inject, onTestFinished, test } from 'vitest'
import { startBroker } from '../../rig/broker/broker.ts'
import { createTopic, quietKafka, readValues, uniqueName } from '../../rig/kafka-client.ts'

const { brokers } = inject('broker')

test('the metadata of a committed offset comes back', async () => {
  const kafka = quietKafka({ brokers })
  const topic = await createTopic(kafka, 'metadata')
  const groupId = uniqueName('group')
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic })
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => {
      resolve()
    })
  })
  await consumer.run({ autoCommit: false, eachBatch: async () => await Promise.resolve() })
  await joined
  const metadata = JSON.stringify({ v: 1, to: '12', n: 12, at: '2026-01-01T00:00:00.000Z' })
  await consumer.commitOffsets([{ topic, partition: 0, offset: '0', metadata }])
  await consumer.disconnect()
  const admin = kafka.admin()
  await admin.connect()
  onTestFinished(async () => {
    await admin.disconnect()
  })
  expect(await admin.fetchOffsets({ groupId, topics: [topic] })).toStrictEqual([
    { topic, partitions: [{ partition: 0, offset: '0', metadata }] },
  ])
})

test('a broker that was killed, and one that was restarted, still have every acknowledged record', async () => {
  const broker = await startBroker()
  onTestFinished(async () => {
    await broker.stop()
  })
  const kafka = quietKafka({ brokers: broker.brokers })
  const topic = await createTopic(kafka, 'kept')
  const send = async (value: string): Promise<void> => {
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic, acks: -1, messages: [{ value }] })
    await producer.disconnect()
  }
  await send('before the kill')
  await broker.kill()
  await expect(send('while it is gone')).rejects.toThrow('ECONNREFUSED')
  await broker.restart()
  await send('before the restart')
  await broker.restart()
  expect(await readValues(kafka, topic, 2)).toStrictEqual(['before the kill', 'before the restart'])
})
