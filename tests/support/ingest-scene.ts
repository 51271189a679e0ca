/** A broker, an engine behind HTTP and the service between them: what the tests of the ingest service set up and look at. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type CompressionTypes, type Message, type Producer } from 'kafkajs'
import { z } from 'zod'
import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { migrate } from '#lib/migrate.ts'
import { startClickHouseServer, type ClickHouseServer } from '../../rig/clickhouse/server.ts'
import { startIngest, type IngestService } from '../../rig/ingest-service.ts'
import { createTopic, quietKafka, uniqueName } from '../../rig/kafka-client.ts'
import { numberedRecord } from '../../rig/requests.ts'
import { consistentTotals, readTotals } from './totals.ts'
import { LONG_WAIT_MS, until } from '../../rig/until.ts'

const StoredRow = z.object({
  raw: z.coerce.number(),
  raw_offsets: z.coerce.number(),
  dead: z.coerce.number(),
  dead_offsets: z.coerce.number(),
})
export type Stored = z.infer<typeof StoredRow>

export interface IngestScene {
  readonly server: ClickHouseServer
  readonly clickhouse: ClickHouse
  readonly producer: Producer
  topic(partitions: number): Promise<string>
  /** Starts a service on a topic, in a group of its own unless one is given. */
  service(topic: string, env?: Readonly<Record<string, string>>): Promise<IngestService>
  produce(topic: string, values: readonly (string | Buffer | null)[], compression?: CompressionTypes): Promise<void>
  stored(topic: string): Promise<Stored>
  /** Waits until raw + dead of a topic are that many. */
  storedAll(topic: string, records: number): Promise<Stored>
  /** What is wrong with the sums of all tables; empty when no offset is stored twice and the ledger counts each record once. */
  inconsistencies(): Promise<Record<string, string>>
  /** Kills the services that were started: each one costs the machine a little for as long as it lives. */
  endServices(): Promise<void>
  remove(): Promise<void>
}

/** Values of records numbered [from, to) with event times of the last hours. */
export function recentValues(from: number, to: number, nowMs: number): string[] {
  return Array.from({ length: to - from }, (_, index) =>
    JSON.stringify({ ...numberedRecord(from + index), timestamp: nowMs - (from + index) * 131 }),
  )
}

const MESSAGES_OF_A_REQUEST = 1000

async function readStored(clickhouse: ClickHouse, topic: string): Promise<Stored> {
  const [row] = await clickhouse.select(
    `SELECT (SELECT count() FROM requests WHERE startsWith(source, {topic:String})) AS raw,
       (SELECT uniqExact(source, partition, offset) FROM requests WHERE startsWith(source, {topic:String})) AS raw_offsets,
       (SELECT count() FROM dead_requests WHERE startsWith(source, {topic:String})) AS dead,
       (SELECT uniqExact(source, partition, offset) FROM dead_requests WHERE startsWith(source, {topic:String})) AS dead_offsets`,
    StoredRow,
    { topic },
  )
  if (row === undefined) throw new Error('no counts')
  return row
}

async function readInconsistencies(clickhouse: ClickHouse): Promise<Record<string, string>> {
  const totals = await readTotals(clickhouse)
  const expected = new Map(Object.entries(consistentTotals(totals)))
  const wrong = Object.entries(totals).filter(([name, value]) => expected.get(name) !== value)
  return Object.fromEntries(wrong.map(([name, value]) => [name, `${value}, not ${expected.get(name) ?? 0}`]))
}

export async function openIngestScene(brokers: readonly string[]): Promise<IngestScene> {
  const directory = await mkdtemp(join(tmpdir(), 'sidestep-ingest-'))
  const server = await startClickHouseServer(join(directory, 'data'))
  const clickhouse = await openClickHouse({ url: server.url, dataDir: '' })
  await migrate(clickhouse)
  const kafka = quietKafka({ brokers })
  const producer = kafka.producer()
  await producer.connect()
  const services: IngestService[] = []
  return {
    server,
    clickhouse,
    producer,
    topic: async (partitions) => await createTopic(kafka, 'requests', partitions),
    async service(topic, env = {}) {
      const service = await startIngest({
        KAFKA_BROKERS: brokers.join(','),
        CLICKHOUSE_URL: server.url,
        TOPIC_REQUESTS: topic,
        TOPIC_APPS: 'none',
        GROUP_ID: uniqueName('group'),
        ...env,
      })
      services.push(service)
      return service
    },
    async produce(topic, values, compression = kafkajs.CompressionTypes.None) {
      for (let from = 0; from < values.length; from += MESSAGES_OF_A_REQUEST) {
        const part = values.slice(from, from + MESSAGES_OF_A_REQUEST)
        const messages: Message[] = part.map((value, index) => ({ key: String(index % 7), value }))
        await producer.send({ topic, messages, compression, acks: -1 })
      }
    },
    stored: async (topic) => await readStored(clickhouse, topic),
    async storedAll(topic, records) {
      const look = async (): Promise<Stored | undefined> => {
        const stored = await readStored(clickhouse, topic)
        return stored.raw + stored.dead >= records ? stored : undefined
      }
      return await until(look, {
        what: `${records} records of ${topic} are stored`,
        timeoutMs: LONG_WAIT_MS,
        everyMs: 100,
      })
    },
    async inconsistencies() {
      let wrong: Record<string, string> = {}
      const look = async (): Promise<boolean> => {
        wrong = await readInconsistencies(clickhouse)
        return Object.keys(wrong).length === 0
      }
      // The views of one insert are filled one after the other: what is only not there yet is given the time. A double stays.
      await until(look, { what: 'the ledger counts each record once', timeoutMs: 60_000, everyMs: 200 }).catch(
        () => false,
      )
      return wrong
    },
    async endServices() {
      await Promise.all(services.splice(0).map(async (service) => await service.kill()))
    },
    async remove() {
      await Promise.all(services.map(async (service) => await service.kill()))
      await producer.disconnect()
      await clickhouse.close()
      await server.remove()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
