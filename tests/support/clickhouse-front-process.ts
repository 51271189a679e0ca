/** The ClickHouse server role as a real process: started, stopped, killed, frozen. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { endProcess, spawnBound } from './child-process.ts'

const MAIN = fileURLToPath(new URL('clickhouse-front-main.ts', import.meta.url))
const Ready = z.object({ port: z.int() })

export interface ClickHouseFront {
  /** Stays the same through restarts. */
  readonly url: string
  /** Starts it again on the same port and data; nothing may be running. */
  start(): Promise<void>
  /** SIGTERM: requests that were begun are answered. */
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGSTOP: connections are accepted and never answered, until `resume`. */
  pause(): void
  resume(): void
}

/** Starts one on `dataDir` and any free port. Rejects when it ends before it listens. */
export async function startClickHouseFront(options: {
  readonly dataDir: string
  readonly password?: string
}): Promise<ClickHouseFront> {
  let port = 0
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const password = options.password === undefined ? [] : ['--password', options.password]
    const args = [MAIN, '--data-dir', options.dataDir, '--port', String(port), ...password]
    child = await spawnBound(process.execPath, args, ['ignore', 'pipe', 'inherit'])
    port = await readyPort(child)
  }
  await start()
  return {
    url: `http://127.0.0.1:${port}`,
    start,
    async stop() {
      await endProcess(child, 'SIGTERM')
    },
    async kill() {
      await endProcess(child, 'SIGKILL')
    },
    pause() {
      child?.kill('SIGSTOP')
    },
    resume() {
      child?.kill('SIGCONT')
    },
  }
}

async function readyPort(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('the front was started without a pipe')
  for await (const line of createInterface({ input: child.stdout })) return Ready.parse(JSON.parse(line)).port
  throw new Error('the ClickHouse front ended before it listened; its reason is on standard error')
}
