/**
 * What an error of the Kafka client means, and the one line that a person needs to mend it.
 *
 * kafkajs wraps the error that matters in others (retries exceeded, connection error), and its subclasses share no field, so the chain
 * of causes is walked and each link told by its class name, protocol error type or system error code, never by its text.
 */
import { errorMessage, SidestepError } from './errors.ts'

/**
 * `unreachable`: no answer, or none yet (a coordinator that is loading, a leader that is being elected): retrying may help. The others need a person: `tls` (certificates), `authentication` (user, password,
 * mechanism), `permission` (access rules), `unknown-topic` (the topic is missing; it may yet be created). `other`: not one of these.
 */
export type KafkaErrorKind = 'unreachable' | 'tls' | 'authentication' | 'permission' | 'unknown-topic' | 'other'

const AUTHENTICATION_TYPES: ReadonlySet<string> = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
])

const UNKNOWN_TOPIC_TYPES: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])

/** kafkajs calls the last three not retriable, but means that it has tried for long: a broker that starts has no coordinator yet. */
const PASSING_CLASSES: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSTimeout',
  'KafkaJSLockTimeout',
])

/** Codes of Node's TLS and of OpenSSL: the handshake failed or the certificate was refused. */
const TLS_CODE = /^(?:ERR_SSL_|ERR_TLS_|ERR_OSSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|EPROTO$)/

function fieldText(error: Error, field: 'type' | 'code'): string {
  const value: unknown = Reflect.get(error, field)
  return typeof value === 'string' ? value : ''
}

function linkKind(error: Error): KafkaErrorKind {
  const type = fieldText(error, 'type')
  if (error.name === 'KafkaJSSASLAuthenticationError' || AUTHENTICATION_TYPES.has(type)) return 'authentication'
  if (type.endsWith('_AUTHORIZATION_FAILED')) return 'permission'
  if (UNKNOWN_TOPIC_TYPES.has(type)) return 'unknown-topic'
  if (TLS_CODE.test(fieldText(error, 'code'))) return 'tls'
  if (PASSING_CLASSES.has(error.name)) return 'unreachable'
  // The protocol itself says of each of its errors whether it passes: GROUP_LOAD_IN_PROGRESS after a restart of the broker does.
  return error.name === 'KafkaJSProtocolError' && Reflect.get(error, 'retriable') === true ? 'unreachable' : 'other'
}

/** The link of the chain that tells the kind, and the kind. An inner link may tell more than an outer one (TLS inside connection). */
function decisiveLink(error: unknown): { readonly kind: KafkaErrorKind; readonly link: unknown } {
  let found: { kind: KafkaErrorKind; link: unknown } = { kind: 'other', link: error }
  // kafkajs gathers the failures of several topics or brokers in `errors`: the first one stands for all.
  for (let link: unknown = error; link instanceof Error; link = nextLink(link)) {
    const kind = linkKind(link)
    if (kind !== 'other' && (found.kind === 'other' || found.kind === 'unreachable')) found = { kind, link }
  }
  return found
}

function nextLink(error: Error): unknown {
  const errors: unknown = Reflect.get(error, 'errors')
  return error.cause ?? (Array.isArray(errors) ? errors[0] : undefined)
}

export function kafkaErrorKind(error: unknown): KafkaErrorKind {
  return decisiveLink(error).kind
}

export interface KafkaErrorPlace {
  readonly brokers: readonly string[]
  /** SASL user, where there is one. */
  readonly username?: string | undefined
  readonly topic?: string | undefined
  readonly groupId?: string | undefined
}

/** One line for people: what failed, where, and what to check. The error itself stays its cause. */
export function kafkaFailure(error: unknown, place: KafkaErrorPlace): SidestepError {
  const { kind, link } = decisiveLink(error)
  const reason = errorMessage(link).replaceAll(/\s+/g, ' ').trim()
  return new SidestepError('failure', failureText(kind, reason, place), { cause: error })
}

function failureText(kind: KafkaErrorKind, reason: string, place: KafkaErrorPlace): string {
  const where = `Kafka at ${place.brokers.join(', ')}`
  const topic = place.topic === undefined ? 'a topic' : `the topic ${place.topic}`
  const user = place.username === undefined ? 'this client' : `the user ${place.username}`
  const group = place.groupId === undefined ? '' : ` and READ on the group ${place.groupId}`
  const texts: Readonly<Record<KafkaErrorKind, string>> = {
    unreachable:
      `${where} does not answer: ${reason}. Check KAFKA_BROKERS, that the broker runs, and that its advertised listeners can be ` +
      'reached from here; a listener that wants TLS or a password hangs up on a client that offers none.',
    tls:
      `${where}: no TLS connection: ${reason}. Check that this listener speaks TLS, that KAFKA_SSL_CA is the authority that signed the ` +
      "broker's certificate, that the certificate names this host, and KAFKA_SSL_CERT and KAFKA_SSL_KEY where the broker asks for them.",
    authentication:
      `${where} refuses ${user}: ${reason}. Check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM, ` +
      'and that this listener asks for SASL.',
    permission: `${where} does not allow ${user} to do this: ${reason}. Ask for READ (to write: WRITE) and DESCRIBE on ${topic}${group}.`,
    'unknown-topic': `${where} has no such topic: ${topic}. Check its name, or create it; a topic that ${user} may not see looks the same.`,
    other: `${where}: ${reason}.`,
  }
  return texts[kind]
}
