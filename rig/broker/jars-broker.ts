/** The broker as a Java process, from the jars that prepare.sh fetches. */
import { execFile, type ChildProcess } from 'node:child_process'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { endProcess, isRunning, spawnBound } from '../child-process.ts'
import { freePorts } from '../free-ports.ts'
import { makeCertificates } from './certificates.ts'
import { HEAP_ARGUMENTS, type BrokerEngine, type EngineOptions } from './engine.ts'
import { CLUSTER_ID, SCRAM_ARGUMENTS, serverProperties } from './server-properties.ts'

const run = promisify(execFile)
const PREPARE = fileURLToPath(new URL('prepare.sh', import.meta.url))
const HOST = '127.0.0.1'

/** Folder of Kafka's jars; fetches them, and Java, where they are missing. Rejects with what is missing. */
export async function kafkaJars(): Promise<string> {
  const { stdout } = await run('sh', [PREPARE])
  const folder = stdout.trim().split('\n').at(-1)
  if (folder === undefined || folder === '') throw new Error(`${PREPARE} printed no folder`)
  return folder
}

export async function jarsBroker(options: EngineOptions): Promise<BrokerEngine> {
  const classpath = join(await kafkaJars(), '*')
  const dir = await mkdtemp(join(tmpdir(), 'sidestep-kafka-'))
  const [plain = 0, sasl = 0, tls = 0, controller = 0] = await freePorts(4)
  const ports = { plain, sasl, tls, controller }
  const certificates = await makeCertificates(join(dir, 'tls'), HOST)
  const config = join(dir, 'server.properties')
  const log = join(dir, 'server.log')
  const place = { ports, bindHost: HOST, host: HOST, dataDir: join(dir, 'data'), tlsDir: join(dir, 'tls') }
  await writeFile(config, serverProperties({ ...place, ...options }))
  const format = ['format', '--cluster-id', CLUSTER_ID, '--config', config, ...SCRAM_ARGUMENTS]
  await run('java', ['-XX:TieredStopAtLevel=1', '-cp', classpath, 'kafka.tools.StorageTool', ...format])
  let child: ChildProcess | undefined
  return {
    host: HOST,
    ports,
    certificates,
    async start() {
      const output = await open(log, 'a')
      const args = [...HEAP_ARGUMENTS, '-cp', classpath, 'kafka.Kafka', config]
      child = await spawnBound('java', args, ['ignore', output.fd, output.fd])
      await output.close()
    },
    async stop() {
      await endProcess(child, 'SIGTERM')
    },
    async kill() {
      await endProcess(child, 'SIGKILL')
    },
    async isRunning() {
      return await Promise.resolve(isRunning(child))
    },
    async logEnd() {
      return (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-15).join('\n')
    },
    async remove() {
      await rm(dir, { recursive: true, force: true })
    },
  }
}
