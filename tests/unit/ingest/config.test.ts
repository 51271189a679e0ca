import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readIngestConfig } from '../../../services/ingest/config.ts'

const directory = mkdtempSync(join(tmpdir(), 'sidestep-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('only the brokers are needed; everything else has a default', () => {
  const config = readIngestConfig({}, { KAFKA_BROKERS: 'a:9092, b:9092', TOPIC_APPS: '' })
  expect(config.kafka).toEqual({ brokers: ['a:9092', 'b:9092'] })
  expect(config).toMatchObject({
    topicRequests: 'api.requests.v1',
    topicApps: 'api.apps.v1',
    limits: { rows: 50_000, bytes: 16 * 1024 * 1024, milliseconds: 2000 },
  })
})

test('every problem is reported at once, and no value is shown', () => {
  const read = (): unknown =>
    readIngestConfig(
      {},
      {
        KAFKA_BROKERS: 'nowhere',
        TOPIC_REQUESTS: 'one,two',
        BATCH_ROWS: 'many',
        KAFKA_SASL_USERNAME: 'secret-name',
        CLICKHOUSE_URL_FILE: join(directory, 'none'),
      },
    )
  expect(read).toThrow(/KAFKA_BROKERS: must be host:port[\s\S]*TOPIC_REQUESTS: must be one topic[\s\S]*BATCH_ROWS/)
  expect(read).toThrow(/CLICKHOUSE_URL_FILE/)
  expect(read).not.toThrow(/secret-name/)
})

test('a secret may come from a file', () => {
  const file = join(directory, 'password')
  writeFileSync(file, 'from-file\n')
  const sasl = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD_FILE: file }
  const { kafka } = readIngestConfig({}, { KAFKA_BROKERS: 'a:1', ...sasl })
  expect(kafka.sasl).toEqual({ mechanism: 'plain', username: 'u', password: 'from-file' })
})
