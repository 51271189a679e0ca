/** `reconcile` against tables that were damaged on purpose, and `simulate --kafka` as their source. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { openIngestScene, type IngestScene } from '../support/ingest-scene.ts'
import { uniqueName } from '../../rig/kafka-client.ts'
import { until } from '../../rig/until.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const broker = inject('broker')
// No analyzer runs here.
const SOUND = { code: 0, stdout: expect.stringMatching(/^not yet counted: .*\nnothing is wrong\n$/), stderr: '' }
let scene: IngestScene

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function sidestep(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const flags = ['--disable-warning=TimeoutNegativeWarning', '--disable-warning=ExperimentalWarning']
  const child = execFile(
    process.execPath,
    [...flags, MAIN, ...args],
    { env: { ...process.env, ...env } },
    (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr })
    },
  )
  return await promise
}

beforeAll(async () => {
  scene = await openIngestScene(broker.brokers)
})

afterEach(async () => {
  await scene.endServices()
})

afterAll(async () => {
  await scene.remove()
})

test('simulated traffic goes through Kafka; damage is told, and repaired', async () => {
  const env = {
    KAFKA_BROKERS: broker.brokers.join(','),
    CLICKHOUSE_URL: scene.server.url,
    TOPIC_REQUESTS: uniqueName('simulated'),
    TOPIC_APPS: uniqueName('simulated-apps'),
    GROUP_ID: uniqueName('group'),
    BATCH_ROWS: '1500',
  }
  const topic = env.TOPIC_REQUESTS
  const kafka = ['--kafka', env.KAFKA_BROKERS, '--partitions', '2', '--compression', 'zstd']
  const sent = await sidestep(['simulate', ...kafka, '--apps', '60', '--requests', '6000', '--hours', '6'], env)
  expect(sent.stderr).toBe('')
  const requests = Number(/^(\d+) requests of 60 apps/.exec(sent.stdout)?.[1])
  const first = await scene.service(topic, env)
  expect(await scene.storedAll(topic, requests)).toMatchObject({ raw: requests, raw_offsets: requests, dead: 0 })
  await until(async () => (await first.metric('sidestep_ingest_lag_records')) === 0, { what: 'no lag' })
  first.signal('SIGTERM')
  expect(await first.ended()).toBe(0)
  expect(await sidestep(['reconcile'], env)).toEqual(SOUND)

  // The raw table loses a block and a half, the ledger a block.
  const wait = 'SETTINGS mutations_sync = 1'
  await scene.clickhouse.command(
    `ALTER TABLE requests DELETE WHERE partition = 0 AND offset BETWEEN 100 AND 1900 ${wait}`,
  )
  await scene.clickhouse.command(`ALTER TABLE ingest_ledger DELETE WHERE partition = 1 AND offset_from = 0 ${wait}`)
  const found = await sidestep(['reconcile'], env)
  expect(found.code).toBe(1)
  expect(found.stdout).toMatch(/gap: .*\/1 offsets 0-/)
  expect(found.stdout).toMatch(/short: .*\/0 block/)

  const repaired = await sidestep(['reconcile', '--repair'], env)
  expect(repaired.stdout).toMatch(/moved back in/)
  const second = await scene.service(topic, env)
  expect(await scene.storedAll(topic, requests)).toMatchObject({ raw: requests, raw_offsets: requests, dead: 0 })
  await until(async () => (await second.metric('sidestep_ingest_lag_records')) === 0, { what: 'no lag again' })
  second.signal('SIGTERM')
  expect(await second.ended()).toBe(0)
  expect(await sidestep(['reconcile'], env)).toEqual(SOUND)
  expect(await scene.inconsistencies()).toEqual({})
})
