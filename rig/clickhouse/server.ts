/**
 * The ClickHouse server of a test that needs one which can be killed and started again: the HTTP front over the embedded engine, or with
 * `CLICKHOUSE_TEST_SERVER=container` a real server (image `CLICKHOUSE_IMAGE`, by default that of docker-compose.yml), which needs a Docker engine.
 */
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers'
import { startClickHouseFront } from './front-process.ts'
import { freePorts } from '../free-ports.ts'
import { until } from '../until.ts'

export interface ClickHouseServer {
  /** Stays the same through restarts. */
  readonly url: string
  /** Starts it again on the same port and data; nothing may be running. */
  start(): Promise<void>
  /** SIGTERM: requests that were begun are answered. */
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Freezes it: connections are accepted and never answered, until `resume`. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Ends it for good. */
  remove(): Promise<void>
}

/** Pinned: the image of docker-compose.yml. */
const IMAGE_DEFAULT = 'clickhouse/clickhouse-server:26.8.20.9'
const HTTP_PORT = 8123
const READY_MS = 120_000

async function isAnswering(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/ping`)).ok
  } catch {
    return false
  }
}

async function startContainer(image: string): Promise<ClickHouseServer> {
  const client = await getContainerRuntimeClient()
  const [port = 0] = await freePorts(1)
  const url = `http://${client.info.containerRuntime.host}:${port}`
  const container = await new GenericContainer(image)
    .withEnvironment({ CLICKHOUSE_SKIP_USER_SETUP: '1' })
    // Fixed, because it must stay the same through restarts.
    .withExposedPorts({ container: HTTP_PORT, host: port })
    .withWaitStrategy(Wait.forHttp('/ping', HTTP_PORT).withStartupTimeout(READY_MS))
    .start()
  const handle = client.container.getById(container.getId())
  return {
    url,
    async start() {
      await handle.start()
      await until(async () => await isAnswering(url), { what: `${image} answers`, timeoutMs: READY_MS })
    },
    async stop() {
      await handle.stop({ t: 60 })
    },
    async kill() {
      await handle.kill({ signal: 'SIGKILL' })
      await handle.wait({ condition: 'not-running' })
    },
    async pause() {
      await handle.pause()
    },
    async resume() {
      await handle.unpause()
    },
    async remove() {
      await container.stop({ remove: true, removeVolumes: true })
    },
  }
}

/** `dataDir`: of the front; a container keeps its data itself. */
export async function startClickHouseServer(dataDir: string): Promise<ClickHouseServer> {
  const kind = process.env['CLICKHOUSE_TEST_SERVER'] ?? 'front'
  if (kind === 'front') return await startClickHouseFront({ dataDir })
  if (kind !== 'container') throw new Error(`CLICKHOUSE_TEST_SERVER is front or container, not ${kind}`)
  return await startContainer(process.env['CLICKHOUSE_IMAGE'] ?? IMAGE_DEFAULT)
}
