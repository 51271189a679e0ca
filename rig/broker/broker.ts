/**
 * A real Kafka broker for tests: the first that answers of
 * 1. `KAFKA_BROKERS`, a broker that somebody else runs;
 * 2. a container, where a Docker engine answers (image `KAFKA_IMAGE`, by default apache/kafka in a fixed version);
 * 3. a Java process from the published jars.
 * `KAFKA_TEST_BROKER` (external, container or jars) takes that one and no other.
 *
 * It starts or throws: a test that needs a broker fails without one, it is never skipped.
 */
import { pino } from 'pino'
import { errorMessage } from '#lib/errors.ts'
import { createKafka } from '#lib/kafka.ts'
import { containerBroker, dockerAnswers, KAFKA_IMAGE_DEFAULT } from './container-broker.ts'
import type { BrokerEngine } from './engine.ts'
import { jarsBroker } from './jars-broker.ts'
import { ALICE } from './server-properties.ts'
import { LONG_WAIT_MS, until } from '../until.ts'

export type BrokerKind = 'external' | 'container' | 'jars'

/** Plain data: it can be handed to another process. */
export interface BrokerAddress {
  readonly kind: BrokerKind
  /** host:port of the listener without TLS or password; its clients may do everything. */
  readonly brokers: string[]
  /** The other listeners, of brokers started here. */
  readonly secured?: {
    /** SASL without TLS: plain, scram-sha-256 and scram-sha-512, for one user without rights of his own. */
    readonly saslBrokers: string[]
    readonly username: string
    readonly password: string
    /** TLS; asks for a client certificate and does not insist. */
    readonly tlsBrokers: string[]
    /** PEM texts. */
    readonly ca: string
    readonly clientCert: string
    readonly clientKey: string
  }
}

export interface Broker extends BrokerAddress {
  /** Stops it in order if it runs, starts it on the same ports with its data, and waits until it is ready. */
  restart(): Promise<void>
  /** SIGKILL, as a power cut would; `restart` brings it back. */
  kill(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

export interface BrokerOptions {
  /** Milliseconds; Kafka's own default is 6,000, too long for tests that wait a session out. */
  readonly minSessionTimeoutMs?: number
  /** Lines of server.properties. */
  readonly config?: Readonly<Record<string, string>>
}

export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const wanted = setting('KAFKA_TEST_BROKER')
  const external = setting('KAFKA_BROKERS')
  const image = setting('KAFKA_IMAGE') ?? KAFKA_IMAGE_DEFAULT
  const engineOptions = { minSessionTimeoutMs: options.minSessionTimeoutMs ?? 1_000, overrides: options.config ?? {} }
  const problems: { text: string; error?: unknown }[] = []
  for (const kind of ['external', 'container', 'jars'] as const) {
    if (wanted !== undefined && wanted !== kind) continue
    try {
      if (kind === 'external' && external !== undefined) return await externalBroker(external.split(','))
      if (kind === 'container' && (await dockerAnswers()))
        return await ownBroker(kind, containerBroker({ ...engineOptions, image }))
      if (kind === 'jars') return await ownBroker(kind, jarsBroker(engineOptions))
      problems.push({
        text: `${kind}: ${kind === 'external' ? 'KAFKA_BROKERS is not set' : 'no Docker engine answers'}`,
      })
    } catch (error) {
      // A broker that was named must answer; another one in its place would test something else than was asked for.
      if (kind === 'external' || (kind === 'container' && image !== KAFKA_IMAGE_DEFAULT)) throw error
      problems.push({ text: `${kind}: ${errorMessage(error)}`, error })
    }
  }
  throw new Error(`no Kafka broker for the tests:\n${problems.map((problem) => problem.text).join('\n')}`, {
    cause: problems.at(-1)?.error,
  })
}

/** An environment variable; an empty one counts as not set. */
function setting(name: string): string | undefined {
  const value = process.env[name]
  return value === '' ? undefined : value
}

async function ownBroker(kind: BrokerKind, preparing: Promise<BrokerEngine>): Promise<Broker> {
  const engine = await preparing
  const at = (port: number): string[] => [`${engine.host}:${port}`]
  const brokers = at(engine.ports.plain)
  try {
    await engine.start()
    await ready(brokers, engine)
  } catch (error) {
    await engine.kill()
    await engine.remove()
    throw error
  }
  return {
    kind,
    brokers,
    secured: {
      saslBrokers: at(engine.ports.sasl),
      ...ALICE,
      tlsBrokers: at(engine.ports.tls),
      ca: engine.certificates.ca,
      clientCert: engine.certificates.clientCert,
      clientKey: engine.certificates.clientKey,
    },
    async restart() {
      await engine.stop()
      await engine.start()
      await ready(brokers, engine)
    },
    async kill() {
      await engine.kill()
    },
    async stop() {
      await engine.kill()
      await engine.remove()
    },
  }
}

async function externalBroker(brokers: string[]): Promise<Broker> {
  await ready(brokers)
  return { kind: 'external', brokers, restart: refuse, kill: refuse, stop: async () => await Promise.resolve() }
}

async function refuse(): Promise<never> {
  return await Promise.reject(new Error('KAFKA_BROKERS names a broker that is not ours to stop'))
}

/** Waits until the broker lists itself, which it does once it takes part in the cluster, and coordinates consumer groups. */
async function ready(brokers: string[], engine?: Pick<BrokerEngine, 'isRunning' | 'logEnd'>): Promise<void> {
  const log = pino({ level: 'silent' })
  const seen = await until(
    async () => {
      if (engine !== undefined && !(await engine.isRunning())) return 'ended'
      const admin = createKafka({ brokers, clientId: 'sidestep-test-ready', retry: { retries: 0 } }, log).admin()
      try {
        await admin.connect()
        const { brokers: members } = await admin.describeCluster()
        // The first such question makes the topic of committed offsets.
        if (members.length > 0) await admin.describeGroups(['sidestep-test-ready'])
        return members.length > 0 ? 'ready' : undefined
      } finally {
        await admin.disconnect()
      }
    },
    { what: `Kafka at ${brokers.join(',')} is ready`, timeoutMs: LONG_WAIT_MS, everyMs: 100 },
  )
  if (seen === 'ended') throw new Error(`Kafka ended while it started:\n${(await engine?.logEnd()) ?? ''}`)
}
