/** A broker, an engine behind HTTP with a fault proxy before it, and streams through them that faults befall. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Admin, Kafka } from 'kafkajs'
import { openClickHouse, type ClickHouse } from '#lib/clickhouse.ts'
import { migrate } from '#lib/migrate.ts'
import type { Rng } from '#simulate/random.ts'
import { startBroker, type Broker } from '../broker/broker.ts'
import { startClickHouseServer, type ClickHouseServer } from '../clickhouse/server.ts'
import { startFaultProxy, type FaultProxy } from './proxy.ts'
import { quietKafka, uniqueName } from '../kafka-client.ts'
import { InsertFaults } from './insert-faults.ts'
import { openStream, type Stream } from './stream.ts'

export interface FaultWorld {
  readonly broker: Broker
  readonly server: ClickHouseServer
  readonly proxy: FaultProxy
  readonly inserts: InsertFaults
  /** The engine itself, past the proxy. */
  readonly clickhouse: ClickHouse
  readonly kafka: Kafka
  readonly admin: Admin
  /** Restarts of the broker and of the engine, orderly ones and those after a kill. */
  readonly counts: { restarts: number }
  /** A new topic with a group of its own and so many processes. */
  stream(options: StreamOptions): Promise<Stream>
  close(): Promise<void>
}

export interface StreamOptions {
  readonly partitions: number
  readonly services: number
  readonly rng: Rng
  readonly poisonShare?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Small blocks, so that there are many; a short session, so that a dead owner is missed soon. */
const SERVICE_ENV = { BATCH_ROWS: '300', BATCH_SECONDS: '0.2', SESSION_TIMEOUT_MS: '3000', BUFFER_MB: '64' } as const

/** Closes what was opened, the last first. */
async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  for (const close of closers.toReversed()) await close()
}

export async function openFaultWorld(): Promise<FaultWorld> {
  const closers: (() => Promise<void>)[] = []
  try {
    const directory = await mkdtemp(join(tmpdir(), 'sidestep-faults-'))
    closers.push(async () => await rm(directory, { recursive: true, force: true }))
    const [broker, server] = await Promise.all([startBroker(), startClickHouseServer(join(directory, 'data'))])
    closers.push(
      async () => await broker.stop(),
      async () => await server.remove(),
    )
    const proxy = await startFaultProxy(server.url)
    closers.push(async () => await proxy.close())
    const clickhouse = await openClickHouse({ url: server.url, dataDir: '' })
    closers.push(async () => await clickhouse.close())
    await migrate(clickhouse)
    const kafka = quietKafka({ brokers: broker.brokers })
    const admin = kafka.admin()
    await admin.connect()
    closers.push(async () => await admin.disconnect())
    const base = {
      broker,
      server,
      proxy,
      inserts: new InsertFaults(proxy),
      clickhouse,
      kafka,
      admin,
      counts: { restarts: 0 },
    }
    return {
      ...base,
      async stream(options) {
        const env = {
          ...SERVICE_ENV,
          KAFKA_BROKERS: broker.brokers.join(','),
          CLICKHOUSE_URL: proxy.url,
          TOPIC_APPS: 'none',
          GROUP_ID: uniqueName('faults'),
          ...options.env,
        }
        const stream = await openStream({ ...options, kafka, admin, clickhouse, env })
        closers.push(async () => await stream.close())
        return stream
      },
      close: async () => await closeAll(closers),
    }
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}
