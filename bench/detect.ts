/**
 * `detect` as a whole process, as a user runs it, on 1 M and on 4 M records: time, memory, and how the time of the analysis grows with
 * the records.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import Table from 'cli-table3'
import { z } from 'zod'

import { simulate } from '#simulate/write.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const Usage = z.object({ seconds: z.number(), cpuSeconds: z.number(), residentMegabytes: z.number() })

interface Run extends z.infer<typeof Usage> {
  readonly records: number
  readonly megabytes: number
  readonly ingestSeconds: number
  readonly analysisSeconds: number
}

const SUMMARY = /read [\d,]+ records \([\d,.]+ MB\) in ([\d.]+) s[\s\S]*compared [\d,]+ apps in ([\d.]+) s/

async function detect(directory: string, records: number, hours: number): Promise<Run> {
  const traffic = await simulate({ outDir: join(directory, `traffic-${records}`), seed: 7, requests: records, hours })
  const usageFile = join(directory, 'usage.json')
  const { requests, apps } = traffic.files
  const { stderr } = await promisify(execFile)(
    process.execPath,
    [
      '--import',
      path('report-usage.ts'),
      path('../cli/main.ts'),
      'detect',
      '--requests',
      requests,
      '--apps',
      apps,
      '--json',
    ],
    { env: { ...process.env, BENCH_USAGE: usageFile }, maxBuffer: 256 * 1024 * 1024 },
  )
  const [, ingest, analysis] = SUMMARY.exec(stderr) ?? []
  if (ingest === undefined || analysis === undefined) throw new Error(`detect printed no summary:\n${stderr}`)
  const usage = Usage.parse(JSON.parse(await readFile(usageFile, 'utf8')))
  await rm(join(directory, `traffic-${records}`), { recursive: true })
  return {
    ...usage,
    records: traffic.requests,
    megabytes: traffic.bytes / 1e6,
    ingestSeconds: Number(ingest),
    analysisSeconds: Number(analysis),
  }
}

/** Needs about 4 GB of temporary disk. */
export async function benchDetect(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sidestep-bench-'))
  try {
    const small = await detect(directory, 1_000_000, 24)
    const large = await detect(directory, 4_000_000, 96)
    print(small, large)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function print(small: Run, large: Run): void {
  const table = new Table({
    head: ['whole process', `${small.records} records`, `${large.records} records`, 'ratio'],
    style: { head: [], border: [] },
  })
  const row = (name: string, of: (run: Run) => number, digits: number): string[] => [
    name,
    of(small).toFixed(digits),
    of(large).toFixed(digits),
    (of(large) / of(small)).toFixed(2),
  ]
  table.push(
    row('NDJSON, MB', (run) => run.megabytes, 0),
    row('seconds in all', (run) => run.seconds, 1),
    row('  reading', (run) => run.ingestSeconds, 1),
    row('  analysis', (run) => run.analysisSeconds, 1),
    row('k records/s read', (run) => run.records / run.ingestSeconds / 1000, 1),
    row('CPU seconds', (run) => run.cpuSeconds, 1),
    row('peak memory, MB', (run) => run.residentMegabytes, 0),
  )
  process.stdout.write(`${table.toString()}\n`)
}
