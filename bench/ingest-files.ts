/** How fast are files ingested? sidestep against the engine reading the file itself, in alternating rounds, medians. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import Table from 'cli-table3'
import { z } from 'zod'

import { simulate } from '#simulate/write.ts'

const Run = z.object({
  records: z.number(),
  /** Requests in a rollup: equal to the records, or the run is worth nothing. */
  rolled: z.number(),
  seconds: z.number(),
  megabytes: z.number(),
  cpuSeconds: z.number(),
  residentMegabytes: z.number(),
})
type Run = z.infer<typeof Run>

const RUN = fileURLToPath(new URL('ingest-files-run.ts', import.meta.url))

async function measure(who: 'sidestep' | 'peer', directory: string, file: string): Promise<Run> {
  const dataDir = join(directory, 'data')
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, who, dataDir, file])
  await rm(dataDir, { recursive: true })
  const run = Run.parse(JSON.parse(stdout))
  if (run.records !== run.rolled)
    throw new Error(`${who} counted ${run.records} records, but ${run.rolled} in a rollup`)
  return run
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

interface Figures {
  readonly thousandsPerSecond: number
  readonly megabytesPerSecond: number
  readonly cpuMicroseconds: number
  readonly residentMegabytes: number
}

function figures(runs: readonly Run[]): Figures {
  return {
    thousandsPerSecond: median(runs.map((run) => run.records / run.seconds / 1000)),
    megabytesPerSecond: median(runs.map((run) => run.megabytes / run.seconds)),
    cpuMicroseconds: median(runs.map((run) => (run.cpuSeconds * 1e6) / run.records)),
    residentMegabytes: median(runs.map((run) => run.residentMegabytes)),
  }
}

export interface BenchIngestFiles {
  readonly records: number
  readonly rounds: number
}

/** Simulates the traffic once, then runs both in turn. Needs 3 times the size of the traffic on the temporary disk. */
export async function benchIngestFiles({ records, rounds }: BenchIngestFiles): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sidestep-bench-'))
  try {
    const simulated = await simulate({ outDir: join(directory, 'traffic'), seed: 7, requests: records })
    const runs: { readonly sidestep: Run[]; readonly peer: Run[] } = { sidestep: [], peer: [] }
    for (let round = 1; round <= rounds; round += 1) {
      for (const who of ['sidestep', 'peer'] as const) {
        const run = await measure(who, directory, simulated.files.requests)
        runs[who].push(run)
        process.stderr.write(`round ${round}: ${who} ${(run.records / run.seconds / 1000).toFixed(1)} k records/s\n`)
      }
    }
    print(figures(runs.sidestep), figures(runs.peer))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function row(name: string, one: number, other: number, digits: number): string[] {
  return [name, one.toFixed(digits), other.toFixed(digits), (one / other).toFixed(2)]
}

function print(own: Figures, peer: Figures): void {
  const table = new Table({
    head: ['medians', 'sidestep detect', 'INSERT … FROM file()', 'ratio'],
    style: { head: [], border: [] },
  })
  table.push(
    row('k records/s', own.thousandsPerSecond, peer.thousandsPerSecond, 1),
    row('MB/s', own.megabytesPerSecond, peer.megabytesPerSecond, 1),
    row('CPU us a record', own.cpuMicroseconds, peer.cpuMicroseconds, 1),
    row('peak memory, MB', own.residentMegabytes, peer.residentMegabytes, 0),
  )
  process.stdout.write(`${table.toString()}\n`)
}
