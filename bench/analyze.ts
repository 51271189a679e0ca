/**
 * How does the analysis grow? Simulated platforms of growing size, each read once by `detect --data-dir`; then the analysis alone, over what is
 * stored, in a process of its own. Writes its table into docs/benchmarks.md after each size.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { z } from 'zod'

import { simulate } from '#simulate/write.ts'

import { markdownTable, writeGenerated } from './generated-part.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const analyzeRun = fileURLToPath(new URL('analyze-run.ts', import.meta.url))

const SIZES = [
  { records: 500_000, apps: 1_000 },
  { records: 1_000_000, apps: 1_000 },
  { records: 2_000_000, apps: 1_700 },
  { records: 4_000_000, apps: 3_400 },
  { records: 8_000_000, apps: 7_000 },
  { records: 16_000_000, apps: 20_000 },
] as const

const Usage = z.object({ cpuSeconds: z.number(), residentMegabytes: z.number() })

const Analysis = Usage.extend({
  apps: z.int(),
  streams: z.int(),
  groups: z.int(),
  pairs: z.int(),
  findings: z.int(),
  seconds: z.number(),
})

const Run = Analysis.extend({
  records: z.int(),
  detectCpuSeconds: z.number().describe('Of detect as a whole: reading and its own analysis.'),
  load: z.number().describe('Load average of the minute before the analysis.'),
})
type Run = z.infer<typeof Run>

export interface AnalyzeOptions {
  /** Of the largest platform, records. */
  readonly max: number
  readonly seed: number
  /** Runs as JSON lines, smallest first: those that it has are not measured again. */
  readonly save?: string
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 256 * 1024 * 1024 }
  const { stdout } = await promisify(execFile)(process.execPath, args, options)
  return stdout
}

async function measureSize(directory: string, size: (typeof SIZES)[number], seed: number): Promise<Run> {
  const { files, requests } = await simulate({
    outDir: join(directory, 'traffic'),
    seed,
    requests: size.records,
    apps: size.apps,
  })
  const [dataDir, usageFile] = [join(directory, 'store'), join(directory, 'usage.json')]
  const input = ['--requests', files.requests, '--apps', files.apps, '--data-dir', dataDir, '--json']
  await run(['--import', path('report-usage.ts'), path('../cli/main.ts'), 'detect', ...input], {
    BENCH_USAGE: usageFile,
  })
  const detect = Usage.parse(JSON.parse(await readFile(usageFile, 'utf8')))
  const [load = 0] = loadavg()
  const analysis = Analysis.parse(JSON.parse(await run([analyzeRun, dataDir])))
  return { ...analysis, records: requests, detectCpuSeconds: detect.cpuSeconds, load }
}

async function savedRuns(file: string | undefined): Promise<Run[]> {
  if (file === undefined || !existsSync(file)) return []
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.map((line) => Run.parse(JSON.parse(line)))
}

/** Needs about 1.2 GB of temporary disk a million records. */
export async function benchAnalyze(options: AnalyzeOptions): Promise<void> {
  const runs = await savedRuns(options.save)
  for (const size of SIZES.slice(runs.length).filter(({ records }) => records <= options.max)) {
    const directory = await mkdtemp(join(tmpdir(), 'sidestep-bench-'))
    try {
      runs.push(await measureSize(directory, size, options.seed))
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
    if (options.save !== undefined) await appendFile(options.save, `${JSON.stringify(runs.at(-1))}\n`)
    await writeGenerated('benchmarks.md', 'analyze', pageOf(runs, options.seed))
  }
  process.stdout.write(`${tableOf(runs)}\n`)
}

function pageOf(runs: readonly Run[], seed: number): string {
  const loads = runs.map(({ load }) => load)
  const under = `${availableParallelism()} cores, load average before each analysis ${Math.min(...loads).toFixed(0)} to ${Math.max(...loads).toFixed(0)}`
  return `Seed ${seed}, 24 hours of traffic; ${under}. Growth is against the row above.\n\n${tableOf(runs)}\n`
}

function tableOf(runs: readonly Run[]): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US')
  const head = [
    'records',
    'apps',
    'streams',
    'groups',
    'pairs',
    'findings',
    'detect as a whole, CPU s',
    'analysis alone, CPU s',
    'growth of its CPU / of records',
    'analysis alone, s',
    'its peak memory, MB',
    'load',
  ]
  const rows = runs.map((one, index) => {
    const before = runs[index - 1]
    const growth =
      before === undefined
        ? ''
        : `${(one.cpuSeconds / before.cpuSeconds).toFixed(1)} / ${(one.records / before.records).toFixed(1)}`
    return [
      ...[one.records, one.apps, one.streams, one.groups, one.pairs, one.findings].map(whole),
      one.detectCpuSeconds.toFixed(1),
      one.cpuSeconds.toFixed(1),
      growth,
      one.seconds.toFixed(1),
      whole(one.residentMegabytes),
      one.load.toFixed(0),
    ]
  })
  return markdownTable(head, rows)
}
