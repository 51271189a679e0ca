/** The ClickHouse server role as a real process: started, stopped, killed, frozen. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { endProcess, spawnBound } from '../child-process.ts'
import type { ClickHouseServer } from './server.ts'

const MAIN = fileURLToPath(new URL('front-main.ts', import.meta.url))
const Ready = z.object({ port: z.int() })

/** Starts one on `dataDir` and any free port. Rejects when it ends before it listens. */
export async function startClickHouseFront(options: {
  readonly dataDir: string
  readonly password?: string
}): Promise<ClickHouseServer> {
  let port = 0
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const password = options.password === undefined ? [] : ['--password', options.password]
    const args = [MAIN, '--data-dir', options.dataDir, '--port', String(port), ...password]
    child = await spawnBound(process.execPath, args, ['ignore', 'pipe', 'inherit'])
    port = await readyPort(child)
  }
  const kill = async (): Promise<void> => await endProcess(child, 'SIGKILL')
  await start()
  return {
    url: `http://127.0.0.1:${port}`,
    start,
    async stop() {
      await endProcess(child, 'SIGTERM')
    },
    kill,
    async pause() {
      await Promise.resolve(child?.kill('SIGSTOP'))
    },
    async resume() {
      await Promise.resolve(child?.kill('SIGCONT'))
    },
    remove: kill,
  }
}

async function readyPort(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('the front was started without a pipe')
  for await (const line of createInterface({ input: child.stdout })) return Ready.parse(JSON.parse(line)).port
  throw new Error('the ClickHouse front ended before it listened; its reason is on standard error')
}
