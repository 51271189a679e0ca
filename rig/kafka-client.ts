/** Kafka clients for tests: quiet, and quick to give up. */
import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import type { Kafka } from 'kafkajs'
import { createKafka, type KafkaConfig } from '#lib/kafka.ts'
import { until } from './until.ts'

/** A client that says nothing and tries twice. */
export function quietKafka(config: Omit<KafkaConfig, 'clientId'>): Kafka {
  const log = pino({ level: 'silent' })
  return createKafka({ clientId: 'sidestep-test', retry: { retries: 1, initialRetryTime: 50 }, ...config }, log)
}

/** A name that no other test uses. */
export function uniqueName(stem: string): string {
  return `${stem}.${randomUUID()}`
}

/** Creates a topic of a name of its own and waits until it can be written. */
export async function createTopic(kafka: Kafka, stem: string, partitions = 1): Promise<string> {
  const topic = uniqueName(stem)
  const admin = kafka.admin()
  await admin.connect()
  try {
    await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    })
    await until(
      async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length === partitions,
      { what: `the topic ${topic} has its partitions` },
    )
  } finally {
    await admin.disconnect()
  }
  return topic
}

/** Deletes a topic and creates it anew under its name, empty, with one partition unless told otherwise. */
export async function recreateTopic(kafka: Kafka, topic: string, partitions = 1): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    await admin.deleteTopics({ topics: [topic] })
    const created = { topic, numPartitions: partitions, replicationFactor: 1 }
    const create = async (): Promise<boolean> => await admin.createTopics({ topics: [created], waitForLeaders: false })
    await until(create, { what: `the topic ${topic} is created anew`, everyMs: 200 })
    const isEmpty = async (): Promise<boolean> => {
      const ends = await admin.fetchTopicOffsets(topic)
      return ends.length === partitions && ends.every(({ high }) => high === '0')
    }
    await until(isEmpty, { what: `the topic ${topic} is empty` })
  } finally {
    await admin.disconnect()
  }
}

/** The values of the first `count` records of a topic, in order of arrival. */
export async function readValues(kafka: Kafka, topic: string, count: number): Promise<string[]> {
  const values: string[] = []
  const consumer = kafka.consumer({ groupId: uniqueName('reader'), maxWaitTimeInMs: 100 })
  let crash: Error | undefined
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    crash = payload.error
  })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        values.push(message.value?.toString() ?? '')
        await Promise.resolve()
      },
    })
    await until(() => crash !== undefined || values.length >= count, { what: `${count} records of ${topic} are read` })
    if (crash !== undefined) throw crash
  } finally {
    await consumer.disconnect()
  }
  return values
}
