/**
 * The broker in a container. The image needs only `java` on its path and Kafka's jars in /opt/kafka/libs, as apache/kafka has them:
 * configuration and start are ours, so that a locally built image serves too.
 */
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { freePorts } from '../free-ports.ts'
import { makeCertificates } from './certificates.ts'
import { HEAP_ARGUMENTS, type BrokerEngine, type EngineOptions } from './engine.ts'
import { CLUSTER_ID, SCRAM_ARGUMENTS, serverProperties } from './server-properties.ts'

/** Pinned: the version of the jars in pom.xml. */
export const KAFKA_IMAGE_DEFAULT = 'apache/kafka:4.1.0'

const DIR = '/tmp/sidestep'

const START_SCRIPT = [
  'set -e',
  `java -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted --cluster-id ${CLUSTER_ID} \\`,
  `  --config ${DIR}/server.properties ${SCRAM_ARGUMENTS.map((argument) => `'${argument}'`).join(' ')}`,
  `exec java ${HEAP_ARGUMENTS.join(' ')} -cp '/opt/kafka/libs/*' kafka.Kafka ${DIR}/server.properties`,
].join('\n')

/** True when a Docker engine answers. */
export async function dockerAnswers(): Promise<boolean> {
  try {
    await getContainerRuntimeClient()
    return true
  } catch {
    return false
  }
}

export async function containerBroker(options: EngineOptions & { readonly image: string }): Promise<BrokerEngine> {
  const client = await getContainerRuntimeClient()
  const host = client.info.containerRuntime.host
  const [plain = 0, sasl = 0, tls = 0, controller = 0] = await freePorts(4)
  const ports = { plain, sasl, tls, controller }
  const tlsDir = await mkdtemp(join(tmpdir(), 'sidestep-kafka-tls-'))
  const certificates = await makeCertificates(tlsDir, host)
  await rm(tlsDir, { recursive: true })
  const place = { ports, bindHost: '0.0.0.0', host, dataDir: '/tmp/sidestep-data', tlsDir: DIR }
  const file = (name: string, content: string) => ({ content, target: `${DIR}/${name}`, mode: 0o644 })
  const described = new GenericContainer(options.image)
    .withEntrypoint(['sh', '-c'])
    .withCommand([START_SCRIPT])
    // The same number inside and outside: the broker tells its clients the port that it listens on.
    .withExposedPorts(...[plain, sasl, tls].map((port) => ({ container: port, host: port })))
    .withCopyContentToContainer([
      file('server.properties', serverProperties({ ...place, ...options })),
      file('server.pem', certificates.server),
      file('ca.pem', certificates.ca),
    ])
  let container: StartedTestContainer | undefined
  const handle = () => (container === undefined ? undefined : client.container.getById(container.getId()))
  const isRunning = async (): Promise<boolean> => (await handle()?.inspect())?.State.Running ?? false
  return {
    host,
    ports,
    certificates,
    async start() {
      if (container === undefined) container = await described.start()
      else await handle()?.start()
    },
    async stop() {
      if (await isRunning()) await handle()?.stop({ t: 30 })
    },
    async kill() {
      if (await isRunning()) await handle()?.kill({ signal: 'SIGKILL' })
      // The engine answers before the process is gone.
      await handle()?.wait({ condition: 'not-running' })
    },
    isRunning,
    async logEnd() {
      return container === undefined ? '' : (await text(await container.logs({ tail: 15 }))).trimEnd()
    },
    async remove() {
      await container?.stop({ remove: true, removeVolumes: true })
    },
  }
}
