/** The ingest service as a real process. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { isRunning, spawnBound } from './child-process.ts'
import { until } from './until.ts'

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url))
const FLAGS = ['--disable-warning=TimeoutNegativeWarning', '--disable-warning=ExperimentalWarning']

const LogLine = z.looseObject({ level: z.number(), event: z.string().optional(), msg: z.string().optional() })
export type LogLine = z.infer<typeof LogLine>

export interface IngestService {
  /** Lines of its log so far. */
  readonly lines: readonly LogLine[]
  /** What it wrote to standard error so far. */
  errors(): string
  of(event: string): LogLine[]
  get(path: '/healthz' | '/readyz' | '/metrics'): Promise<{ readonly status: number; readonly text: string }>
  /** Sum of a metric over its labels. */
  metric(name: string): Promise<number>
  ready(): Promise<void>
  signal(name: NodeJS.Signals): void
  /** Exit code, or the signal that ended it. */
  ended(): Promise<number | string>
  /** Megabytes resident. */
  kill(): Promise<void>
  pid(): number
}

/** Starts `sidestep ingest` with these variables and a free HTTP port. */
export async function startIngest(env: Readonly<Record<string, string>>): Promise<IngestService> {
  const variables = { HTTP_HOST: '127.0.0.1', HTTP_PORT: '0', BATCH_SECONDS: '0.2', SESSION_TIMEOUT_MS: '6000', ...env }
  const child = await spawnWith(variables)
  const lines: LogLine[] = []
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(LogLine.parse(JSON.parse(line)))
    })
  }
  const of = (event: string): LogLine[] => lines.filter((line) => line.event === event)
  const get: IngestService['get'] = async (path) => {
    const port = await until(() => z.int().optional().parse(of('ingest.listening')[0]?.['port']), {
      what: 'it listens',
    })
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  return {
    lines,
    of,
    get,
    errors: () => errors,
    async metric(name) {
      const { text } = await get('/metrics')
      const values = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
    async ready() {
      await until(async () => (await get('/readyz')).status === 200, {
        what: 'the service is ready',
      })
    },
    signal: (name) => void child.kill(name),
    ended: async () => await ended(child),
    async kill() {
      child.kill('SIGKILL')
      await ended(child)
    },
    pid: () => child.pid ?? 0,
  }
}

async function spawnWith(variables: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  return await spawnBound(
    '/usr/bin/env',
    [...assignments, process.execPath, ...FLAGS, MAIN, 'ingest'],
    ['ignore', 'pipe', 'pipe'],
  )
}

async function ended(child: ChildProcess): Promise<number | string> {
  if (isRunning(child)) await once(child, 'exit')
  return child.exitCode ?? child.signalCode ?? 'unknown'
}
