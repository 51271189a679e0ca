/** Every codec against the real broker (which unpacks what it is sent), written by three clients, read by ours. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CompressionTypes, type Kafka } from 'kafkajs'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { kafkaJars } from '../../rig/broker/jars-broker.ts'
import { createTopic, quietKafka, readValues } from '../../rig/kafka-client.ts'

const { brokers } = inject('broker')
const KCAT = '/usr/bin/kcat'

/** One batch of about 400 kB: several blocks of lz4 (64 kB) and of xerial snappy (32 kB), of text that packs well and badly. */
function lines(origin: string): string[] {
  return Array.from({ length: 1_000 }, (_, n) => {
    const noise = Array.from({ length: 40 }, (__, k) =>
      ((n * 2_654_435_761 + k * 40_503_271) % 4_294_967_291).toString(36),
    ).join('')
    return `${origin} ${n} ${n % 2 === 0 ? noise : 'the same again '.repeat(15)}`
  })
}

async function pipeLines(command: string, args: readonly string[], text: readonly string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = execFile(command, args, (error) => {
      if (error === null) resolve()
      else reject(error)
    })
    child.stdin?.end(`${text.join('\n')}\n`)
  })
}

async function sendByOurs(kafka: Kafka, topic: string, compression: CompressionTypes): Promise<void> {
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, compression, acks: -1, messages: lines('kafkajs').map((value) => ({ value })) })
  await producer.disconnect()
}

async function sendByJava(jars: string, topic: string, codec: string): Promise<void> {
  const classpath = ['-XX:TieredStopAtLevel=1', '-cp', join(jars, '*'), 'org.apache.kafka.tools.ConsoleProducer']
  const batch = ['--producer-property', 'batch.size=900000', '--producer-property', 'linger.ms=1000']
  const target = ['--bootstrap-server', brokers.join(','), '--topic', topic, '--compression-codec', codec]
  await pipeLines('java', [...classpath, ...batch, ...target], lines('java'))
}

async function sendByLibrdkafka(topic: string, codec: string): Promise<void> {
  await pipeLines(
    KCAT,
    ['-P', '-b', brokers.join(','), '-t', topic, '-z', codec, '-X', 'linger.ms=500'],
    lines('librdkafka'),
  )
}

describe.each([
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
])('%s', (codec, compression) => {
  const kafka = quietKafka({ brokers })
  let jars = ''
  beforeAll(async () => {
    jars = await kafkaJars()
  })

  test('what kafkajs, the Java client and librdkafka packed is read whole', async ({ skip }) => {
    // prepare.sh installs kcat where it can; without it the test still runs in CI, and fails there.
    skip(!existsSync(KCAT) && process.env['CI'] !== 'true', 'kcat is not installed')
    const topic = await createTopic(kafka, codec)
    await Promise.all([
      sendByOurs(kafka, topic, compression),
      sendByJava(jars, topic, codec),
      sendByLibrdkafka(topic, codec),
    ])
    const sent = [...lines('kafkajs'), ...lines('java'), ...lines('librdkafka')]
    const read = await readValues(kafka, topic, sent.length)
    expect(read.toSorted()).toStrictEqual(sent.toSorted())
  })
})
