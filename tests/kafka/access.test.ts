/** TLS and SASL against the real broker, and what a person is told when something is wrong. */
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs'
import { describe, expect, inject, test } from 'vitest'
import type { KafkaConfig } from '#lib/kafka.ts'
import { kafkaErrorKind, kafkaFailure, type KafkaErrorKind } from '#lib/kafka-error.ts'
import { freePorts } from '../../rig/free-ports.ts'
import { createTopic, quietKafka, readValues, uniqueName } from '../../rig/kafka-client.ts'

type Access = Omit<KafkaConfig, 'clientId'>

const { brokers, secured } = inject('broker')
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

/** Connects, writes one record and reads it back. */
async function roundTrip(access: Access, topic: string): Promise<string[]> {
  const kafka = quietKafka(access)
  const producer = kafka.producer()
  await producer.connect()
  try {
    await producer.send({ topic, acks: -1, messages: [{ value: 'hello' }] })
  } finally {
    await producer.disconnect()
  }
  return await readValues(kafka, topic, 1)
}

/** What the failure is told to be, and the line for people. */
async function failureOf(access: Access, topic: string): Promise<{ kind: KafkaErrorKind; line: string }> {
  try {
    await roundTrip(access, topic)
  } catch (error) {
    const line = kafkaFailure(error, { brokers: access.brokers, username: access.sasl?.username, topic }).message
    return { kind: kafkaErrorKind(error), line }
  }
  throw new Error('it worked, and should not have')
}

test('a broker that is not there: unreachable, with its address and what to check', async () => {
  const [port = 0] = await freePorts(1)
  const failure = await failureOf({ brokers: [`127.0.0.1:${port}`] }, 'any')
  expect(failure.kind).toBe('unreachable')
  expect(failure.line).toMatch(
    new RegExp(`^Kafka at 127.0.0.1:${port} does not answer: .*ECONNREFUSED.* Check KAFKA_BROKERS`),
  )
})

test('a topic that is not there: unknown topic, by its name', async () => {
  const topic = uniqueName('missing')
  const failure = await failureOf({ brokers }, topic)
  expect(failure.kind).toBe('unknown-topic')
  expect(failure.line).toContain(`no such topic: the topic ${topic}`)
})

describe.skipIf(secured === undefined && process.env['CI'] !== 'true')('with listeners of our own', () => {
  const { saslBrokers = [], tlsBrokers = [], username = '', password = '', ca, clientCert, clientKey } = secured ?? {}
  const open = quietKafka({ brokers })

  test.each(MECHANISMS)('%s: the right password works', async (mechanism) => {
    const topic = await createTopic(open, mechanism)
    expect(await roundTrip({ brokers: saslBrokers, sasl: { mechanism, username, password } }, topic)).toStrictEqual([
      'hello',
    ])
  })

  test.each(MECHANISMS)('%s: a wrong password is told as that, without the password', async (mechanism) => {
    const sasl = { mechanism, username, password: 'not-the-password' }
    const failure = await failureOf({ brokers: saslBrokers, sasl }, 'any')
    expect(failure.kind).toBe('authentication')
    expect(failure.line).toMatch(
      new RegExp(`refuses the user ${username}: .* Check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD`),
    )
    expect(failure.line).not.toContain('not-the-password')
    expect(failure.line).not.toContain('\n')
  })

  test('a client without a password at a listener that wants one is told that this may be so', async () => {
    const failure = await failureOf({ brokers: saslBrokers }, 'any')
    expect(failure.kind).toBe('unreachable')
    expect(failure.line).toContain('a listener that wants TLS or a password hangs up')
  })

  test.each([
    ['with the authority alone', { ca }],
    ['with a client certificate', { ca, cert: clientCert, key: clientKey }],
  ])('TLS %s works', async (_name, ssl) => {
    const topic = await createTopic(open, 'tls')
    expect(await roundTrip({ brokers: tlsBrokers, ssl }, topic)).toStrictEqual(['hello'])
  })

  test('TLS with an authority that is not believed is told as a matter of TLS', async () => {
    const failure = await failureOf({ brokers: tlsBrokers, ssl: {} }, 'any')
    expect(failure.kind).toBe('tls')
    expect(failure.line).toContain('Check that this listener speaks TLS, that KAFKA_SSL_CA is the authority')
  })

  test('TLS at a listener that speaks none: the line says at which step it hung up', async () => {
    const failure = await failureOf({ brokers: saslBrokers, ssl: { ca } }, 'any')
    expect(failure.kind).toBe('unreachable')
    expect(failure.line).toContain('before secure TLS connection was established')
  })

  test('a user whom the rules shut out: no permission, with the rights to ask for', async () => {
    const topic = await createTopic(open, 'private')
    const admin = open.admin()
    await admin.connect()
    await admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: 'User:somebody-else',
          host: '*',
          operation: AclOperationTypes.ALL,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    })
    await admin.disconnect()
    const failure = await failureOf({ brokers: saslBrokers, sasl: { mechanism: 'plain', username, password } }, topic)
    expect(failure.kind).toBe('permission')
    expect(failure.line).toMatch(/does not allow the user alice .* Ask for READ .* on the topic private\./)
  })
})
