/** What ended a consumer: whether another one may fare better, and if not, the line for a person. */
import { engineErrorCode } from '#lib/engine-error.ts'
import { errorMessage, SidestepError } from '#lib/errors.ts'
import { kafkaErrorKind, kafkaFailure, type KafkaErrorPlace } from '#lib/kafka-error.ts'

import { StalledError } from './epoch.ts'
import { TopicRenewedError } from './incarnation.ts'

/** True when the client tried it several times, or says itself that it may pass: a broker that restarts answers all sorts of things. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.name === 'KafkaJSNumberOfRetriesExceeded' || Reflect.get(error, 'retriable') === true) return true
  return mayPass(error.cause)
}

/** What is not of Kafka is ClickHouse's, or a bug. */
function asFailure(error: unknown, ofKafka: SidestepError): Error {
  if (error instanceof Error && error.name.startsWith('KafkaJS')) return ofKafka
  const code = engineErrorCode(error)
  if (code === undefined) return error instanceof Error ? error : ofKafka
  return new SidestepError('failure', `ClickHouse refuses: ${errorMessage(error)}. Retrying cannot help.`, {
    cause: error,
  })
}

/** Why retrying cannot help, or undefined when it may. `wasReady`: it has worked before, so what is missing now may come back. */
export function finalFailure(error: unknown, wasReady: boolean, place: KafkaErrorPlace): Error | undefined {
  if (error instanceof TopicRenewedError) return undefined
  if (error instanceof StalledError || error instanceof SidestepError) return error
  const failure = kafkaFailure(error, place)
  switch (kafkaErrorKind(error)) {
    case 'unreachable':
      return undefined
    case 'unknown-topic':
      return wasReady ? undefined : failure
    case 'other':
      return mayPass(error) ? undefined : asFailure(error, failure)
    case 'tls':
    case 'authentication':
    case 'permission':
      break
  }
  return failure
}
