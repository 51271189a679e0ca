import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { kafkaErrorKind } from '#lib/kafka-error.ts'

const { KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } = kafkajs

function protocolError(type: string, retriable: boolean): Error {
  const error = new KafkaJSProtocolError(type)
  return Object.assign(error, { type, retriable })
}

test('what the protocol calls passing is waited for, also when kafkajs has given up on it', () => {
  const loading = protocolError('GROUP_LOAD_IN_PROGRESS', true)
  const exceeded = new KafkaJSNumberOfRetriesExceeded(loading, { retryCount: 5, retryTime: 1 })
  expect(kafkaErrorKind(loading)).toBe('unreachable')
  expect(kafkaErrorKind(Object.assign(exceeded, { cause: loading }))).toBe('unreachable')
})

test('what does not pass, and a topic that is missing, keep their own kind', () => {
  expect(kafkaErrorKind(protocolError('INVALID_CONFIG', false))).toBe('other')
  expect(kafkaErrorKind(protocolError('UNKNOWN_TOPIC_OR_PARTITION', true))).toBe('unknown-topic')
  expect(kafkaErrorKind(protocolError('TOPIC_AUTHORIZATION_FAILED', false))).toBe('permission')
})

test.each(['KafkaJSGroupCoordinatorNotFound', 'KafkaJSTimeout', 'KafkaJSLockTimeout'])(
  '%s may pass, although kafkajs calls it not retriable',
  (name) => {
    const error = Object.assign(new Error('Failed to find group coordinator'), { name, retriable: false })
    expect(kafkaErrorKind(error)).toBe('unreachable')
  },
)
