/** The service on listeners that ask for TLS, a password or rights. */
import kafkajs from 'kafkajs'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import type { BrokerAddress } from '../../rig/broker/broker.ts'
import { openIngestScene, recentValues, type IngestScene } from '../support/ingest-scene.ts'
import { quietKafka } from '../../rig/kafka-client.ts'

const broker = inject('broker')
let scene: IngestScene

beforeAll(async () => {
  scene = await openIngestScene(broker.brokers)
})

afterEach(async () => {
  await scene.endServices()
})

afterAll(async () => {
  await scene.remove()
})

function secured(): NonNullable<BrokerAddress['secured']> {
  if (broker.secured === undefined) throw new Error('KAFKA_BROKERS names a broker without the listeners of the tests')
  return broker.secured
}

test('records arrive over TLS with a client certificate', async () => {
  const { tlsBrokers, ca, clientCert, clientKey } = secured()
  const topic = await scene.topic(1)
  await scene.produce(topic, recentValues(0, 50, Date.now()))
  await scene.service(topic, {
    KAFKA_BROKERS: tlsBrokers.join(','),
    KAFKA_SSL_CA: ca,
    KAFKA_SSL_CERT: clientCert,
    KAFKA_SSL_KEY: clientKey,
  })
  expect(await scene.storedAll(topic, 50)).toMatchObject({ raw: 50, raw_offsets: 50 })
})

test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('records arrive with a password (%s)', async (mechanism) => {
  const { saslBrokers, username, password } = secured()
  const topic = await scene.topic(1)
  await scene.produce(topic, recentValues(0, 50, Date.now()))
  await scene.service(topic, {
    KAFKA_BROKERS: saslBrokers.join(','),
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: password,
  })
  expect(await scene.storedAll(topic, 50)).toMatchObject({ raw: 50, raw_offsets: 50 })
})

test('an authority that did not sign the certificate of the broker ends it non-zero', async () => {
  const service = await scene.service('any', {
    KAFKA_BROKERS: secured().tlsBrokers.join(','),
    // A certificate, but not of an authority.
    KAFKA_SSL_CA: secured().clientCert,
  })
  expect(await service.ended()).toBe(1)
  expect(service.errors()).toMatch(/no TLS connection: .*Check that this listener speaks TLS/)
})

test('a wrong password ends it non-zero, with one line that says what to check', async () => {
  const { saslBrokers, username } = secured()
  const service = await scene.service('any', {
    KAFKA_BROKERS: saslBrokers.join(','),
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: 'wrong',
  })
  expect(await service.ended()).toBe(1)
  expect(service.errors()).toMatch(/refuses the user .*Check KAFKA_SASL_USERNAME/)
})

/** From now on nobody but this user, and the super users, may touch the topic. */
async function reserve(topic: string, user: string): Promise<void> {
  const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
  const admin = quietKafka({ brokers: broker.brokers }).admin()
  await admin.connect()
  await admin.createAcls({
    acl: [
      {
        resourceType: AclResourceTypes.TOPIC,
        resourceName: topic,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: `User:${user}`,
        host: '*',
        operation: AclOperationTypes.ALL,
        permissionType: AclPermissionTypes.ALLOW,
      },
    ],
  })
  await admin.disconnect()
}

test('without rights it ends non-zero and says which it needs', async () => {
  const { saslBrokers, username, password } = secured()
  const topic = await scene.topic(1)
  await reserve(topic, 'somebody-else')
  const service = await scene.service(topic, {
    KAFKA_BROKERS: saslBrokers.join(','),
    KAFKA_SASL_MECHANISM: 'scram-sha-256',
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: password,
  })
  expect(await service.ended()).toBe(1)
  expect(service.errors()).toMatch(/does not allow the user .*READ/)
})
