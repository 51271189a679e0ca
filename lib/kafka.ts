/**
 * The Kafka client, made in one place: TLS and SASL settings, every codec, its log lines through pino.
 *
 * kafkajs retries what may pass and logs each try; what it finally throws is made readable by `kafkaFailure`.
 */
import kafkajs, {
  type Kafka,
  type KafkaConfig as ClientConfig,
  type LogEntry,
  type logCreator,
  type RetryOptions,
  type SASLOptions,
} from 'kafkajs'
import type { Logger } from 'pino'
import { registerCodecs } from './kafka-codecs.ts'

export interface KafkaConfig {
  /** host:port of at least one broker. */
  readonly brokers: readonly string[]
  /** Shown in the broker's logs and quotas. */
  readonly clientId: string
  /** TLS; each text is PEM. Without `ca` the authorities of Node are believed; `cert` and `key` where the broker asks for a certificate. */
  readonly ssl?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined
  readonly sasl?:
    | {
        readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
        readonly username: string
        readonly password: string
      }
    | undefined
  /** How long the client itself tries again before it throws; times in milliseconds. kafkajs's own defaults otherwise: 5 tries, about 10 s. */
  readonly retry?: RetryOptions | undefined
}

/** The default of 1 s is too short for a TLS handshake with a busy or distant broker. */
const CONNECTION_TIMEOUT_MS = 10_000

/** A client that connects to nothing yet. */
export function createKafka(config: KafkaConfig, log: Logger): Kafka {
  registerCodecs()
  const options: ClientConfig = {
    brokers: [...config.brokers],
    clientId: config.clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    logLevel: clientLogLevel(log),
    logCreator: pinoLogCreator(log),
  }
  if (config.ssl !== undefined) {
    options.ssl = Object.fromEntries(Object.entries(config.ssl).filter(([, text]) => text !== undefined))
  }
  if (config.sasl !== undefined) {
    const sasl: SASLOptions = { ...config.sasl }
    options.sasl = sasl
  }
  if (config.retry !== undefined) options.retry = config.retry
  return new kafkajs.Kafka(options)
}

/** What kafkajs need not even build: lines that pino would drop. */
function clientLogLevel(log: Logger): kafkajs.logLevel {
  const { logLevel } = kafkajs
  if (log.isLevelEnabled('trace')) return logLevel.DEBUG
  return log.isLevelEnabled('debug') ? logLevel.INFO : logLevel.WARN
}

/**
 * kafkajs's lines in pino, one level lower than kafkajs says: its errors are tries that it repeats, and the final one is thrown, to be
 * logged once by whoever gives up.
 */
export function pinoLogCreator(log: Logger): logCreator {
  const { logLevel } = kafkajs
  return () =>
    ({ namespace, level, log: entry }: LogEntry) => {
      const { timestamp: _timestamp, logger: _logger, message, stack: _stack, ...details } = entry
      const line = { event: 'kafka.client', namespace, detail: message, ...details }
      if (level === logLevel.ERROR || level === logLevel.WARN) log.warn(line, 'kafka client')
      else if (level === logLevel.INFO) log.debug(line, 'kafka client')
      else log.trace(line, 'kafka client')
    }
}
