/** Configuration of the ingest service, from environment variables: one schema, read once, all problems reported at once. */
import { z } from 'zod'

import { readEnvironment, SERVICE_VARIABLES, whole, type Variables } from '#lib/env.ts'
import type { KafkaConfig } from '#lib/kafka.ts'

import type { BatchLimits } from './blocks/block.ts'
import { FormatName } from './decode/formats/index.ts'

const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .default('false')
  .transform((text) => text === 'true')

/** Kafka's rule for topic names; a comma or space in one is a list where one name is expected. */
const topicName = z.string().regex(/^[\w.-]{1,249}$/, 'must be one topic name: letters, digits, dot, dash, underscore')

const PEM = z.string().startsWith('-----BEGIN ', 'must be PEM text (or name its file with _FILE)')

const Environment = z
  .object({
    KAFKA_BROKERS: z
      .string('is needed: host:port of the Kafka brokers, separated by commas')
      .transform((text) => text.split(',').map((broker) => broker.trim()))
      .refine(
        (brokers) => brokers.every((broker) => /^[^\s:]+:\d{1,5}$|^\[[^\]]+\]:\d{1,5}$/.test(broker)),
        'must be host:port, separated by commas',
      ),
    TOPIC_REQUESTS: topicName.default('api.requests.v1'),
    TOPIC_APPS: z.union([topicName, z.literal('none')]).default('api.apps.v1'),
    GROUP_ID: z.string().min(1).max(255).default('sidestep-ingest'),
    INGEST_FORMAT: FormatName.default('sidestep'),
    INGEST_MAPPING: z.string().optional(),
    TRUSTED_HOPS: whole(0, 100, 0),
    FORWARDED_HEADER: z.enum(['x-forwarded-for', 'forwarded']).optional(),
    BATCH_ROWS: whole(1, 500_000, 50_000),
    BATCH_BYTES: whole(1024, 256 * 1024 * 1024, 16 * 1024 * 1024),
    BATCH_SECONDS: z.coerce.number().min(0.05).max(600).default(2),
    BUFFER_MB: whole(8, 65_536, 128),
    INSERTS_IN_FLIGHT: whole(1, 64, 2),
    SESSION_TIMEOUT_MS: whole(1000, 1_800_000, 45_000),
    EVENT_SPAN_DAYS: whole(1, 3650, 30),
    LEDGER_BEHIND: z.enum(['rewind', 'continue']).default('rewind'),
    KAFKA_SSL: flag,
    KAFKA_SSL_CA: PEM.optional(),
    KAFKA_SSL_CERT: PEM.optional(),
    KAFKA_SSL_KEY: PEM.optional(),
    KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    KAFKA_SASL_USERNAME: z.string().optional(),
    KAFKA_SASL_PASSWORD: z.string().optional(),
    ...SERVICE_VARIABLES,
    HTTP_PORT: whole(0, 65_535, 8080),
  })
  .superRefine((env, context) => {
    const { KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, KAFKA_SSL_CERT, KAFKA_SSL_KEY } = env
    const sasl = [KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD].filter((value) => value !== undefined)
    if (sasl.length % 3 !== 0) {
      const message =
        'KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD belong together; some are missing'
      context.addIssue({ code: 'custom', path: ['KAFKA_SASL_MECHANISM'], message })
    }
    if ((KAFKA_SSL_CERT === undefined) !== (KAFKA_SSL_KEY === undefined)) {
      const message = 'KAFKA_SSL_CERT and KAFKA_SSL_KEY belong together; one is missing'
      context.addIssue({ code: 'custom', path: ['KAFKA_SSL_CERT'], message })
    }
  })
type Environment = z.infer<typeof Environment>

/** Variables that may be given as NAME_FILE. */
const SECRETS = ['CLICKHOUSE_URL', 'KAFKA_SASL_PASSWORD', 'KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'] as const

export interface IngestConfig {
  readonly kafka: Omit<KafkaConfig, 'clientId'>
  readonly topicRequests: string
  /** undefined: the registry does not come from Kafka. */
  readonly topicApps: string | undefined
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly format: FormatName
  /** A mapping file, in the place of `format`. */
  readonly mapping: string | undefined
  readonly trustedHops: number
  readonly forwardedHeader: 'x-forwarded-for' | 'forwarded' | undefined
  readonly limits: Required<BatchLimits>
  /** Bytes of rows that may be held, all partitions together. */
  readonly bufferBytesMax: number
  readonly insertsInFlight: number
  /** Event times further from now are dead letters. */
  readonly eventSpanDays: number
  readonly ledgerBehind: 'rewind' | 'continue'
  readonly clickhouseUrl: string | undefined
  readonly dataDir: string
  readonly httpHost: string
  /** 0: any free port, which the log tells. */
  readonly httpPort: number
  readonly logLevel: Environment['LOG_LEVEL']
}

function kafkaConfig(env: Environment): IngestConfig['kafka'] {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = env
  const isTls = env.KAFKA_SSL || env.KAFKA_SSL_CA !== undefined || env.KAFKA_SSL_CERT !== undefined
  return {
    brokers: env.KAFKA_BROKERS,
    ...(isTls ? { ssl: { ca: env.KAFKA_SSL_CA, cert: env.KAFKA_SSL_CERT, key: env.KAFKA_SSL_KEY } } : {}),
    ...(mechanism === undefined || username === undefined || password === undefined
      ? {}
      : { sasl: { mechanism, username, password } }),
  }
}

/** Reads the configuration; `given` overrules the environment. Throws one usage error that names every problem. */
export function readIngestConfig(given: Variables = {}, env: Variables = process.env): IngestConfig {
  const parsed = readEnvironment(Environment, SECRETS, { ...env, ...given })
  return {
    kafka: kafkaConfig(parsed),
    topicRequests: parsed.TOPIC_REQUESTS,
    topicApps: parsed.TOPIC_APPS === 'none' ? undefined : parsed.TOPIC_APPS,
    groupId: parsed.GROUP_ID,
    sessionTimeoutMs: parsed.SESSION_TIMEOUT_MS,
    format: parsed.INGEST_FORMAT,
    mapping: parsed.INGEST_MAPPING,
    trustedHops: parsed.TRUSTED_HOPS,
    forwardedHeader: parsed.FORWARDED_HEADER,
    limits: { rows: parsed.BATCH_ROWS, bytes: parsed.BATCH_BYTES, milliseconds: parsed.BATCH_SECONDS * 1000 },
    bufferBytesMax: parsed.BUFFER_MB * 1024 * 1024,
    insertsInFlight: parsed.INSERTS_IN_FLIGHT,
    eventSpanDays: parsed.EVENT_SPAN_DAYS,
    ledgerBehind: parsed.LEDGER_BEHIND,
    clickhouseUrl: parsed.CLICKHOUSE_URL,
    dataDir: parsed.DATA_DIR,
    httpHost: parsed.HTTP_HOST,
    httpPort: parsed.HTTP_PORT,
    logLevel: parsed.LOG_LEVEL,
  }
}
