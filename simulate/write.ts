/** The disk sink: requests.ndjson, apps.ndjson and truth.json in one directory. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { type Block, generate } from '#simulate/engine.ts'
import { createPlan, type Plan, type PlanOptions, recordsOf, truthOf } from '#simulate/plan.ts'

interface SimulateOptions extends PlanOptions {
  readonly outDir: string
  /** Called after each block with the requests written so far. */
  readonly onProgress?: (requests: number) => void
  /** Stops after the present block; the promise rejects with the signal's reason and the files stay incomplete. */
  readonly signal?: AbortSignal
}

export interface Simulated {
  readonly requests: number
  readonly apps: number
  /** Bytes of requests.ndjson. */
  readonly bytes: number
  readonly groups: Plan['groups']
  readonly files: { readonly requests: string; readonly apps: string; readonly truth: string }
}

/** Writes blocks as they come, waiting whenever the disk falls behind. Answers with requests and bytes written. */
async function writeBlocks(
  path: string,
  blocks: Iterable<Block>,
  options: SimulateOptions,
): Promise<{ requests: number; bytes: number }> {
  const stream = createWriteStream(path, { highWaterMark: 4 * 1024 * 1024 })
  const done = finished(stream)
  // Without a listener until the end, an early disk error would be an unhandled rejection; it is awaited below.
  done.catch(() => undefined)
  let requests = 0
  try {
    for (const block of blocks) {
      options.signal?.throwIfAborted()
      requests += block.lines.length
      // Lines hold no character beyond ASCII, and latin1 is the cheapest way from there to bytes.
      const writable = stream.write(Buffer.from(block.lines.join(''), 'latin1'))
      if (!writable) await Promise.race([once(stream, 'drain'), done])
      options.onProgress?.(requests)
    }
  } finally {
    stream.end()
    await done
  }
  return { requests, bytes: stream.bytesWritten }
}

/** Simulates a platform and writes it to `outDir`, which is made if need be. */
export async function simulate(options: SimulateOptions): Promise<Simulated> {
  const { outDir } = options
  const files = {
    requests: join(outDir, 'requests.ndjson'),
    apps: join(outDir, 'apps.ndjson'),
    truth: join(outDir, 'truth.json'),
  }
  await mkdir(outDir, { recursive: true })
  // truth.json is the sign of a complete output, so an older one must not outlive the start of a new run.
  await rm(files.truth, { force: true })
  const plan = createPlan(options)
  const records = recordsOf(plan)
  await writeFile(files.apps, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  const { requests, bytes } = await writeBlocks(files.requests, generate(plan, plan.pace), options)
  await writeFile(files.truth, `${JSON.stringify(truthOf(plan, requests), null, 2)}\n`)
  return { requests, apps: plan.apps.length, bytes, groups: plan.groups, files }
}
