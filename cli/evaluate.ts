/** `sidestep evaluate`: simulate, detect, score. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'

import type { ClickHouse } from '#lib/clickhouse.ts'
import { errorMessage, SidestepError } from '#lib/errors.ts'
import type { Finding } from '#schemas/finding.ts'
import { Truth } from '#schemas/truth.ts'
import { DEFAULTS } from '#simulate/plan.ts'
import { simulate } from '#simulate/write.ts'

import { renderScorecard } from '../evaluate/report.ts'
import type { PredictedCluster } from '../evaluate/judge.ts'
import { score, type Scorecard } from '../evaluate/score.ts'
import { analyseAll } from './analysis.ts'
import { ingestForDetection } from './detect-ingest.ts'
import { withEngine } from './with-engine.ts'

const EXAMPLE = `
Examples:
  $ sidestep evaluate --seed 11
  $ sidestep evaluate --seed 11 --apps 3000 --requests 2000000 --json > scorecard.json
  $ sidestep evaluate --traffic w            (what sidestep simulate --out w has written)
`

interface Options {
  readonly seed: number
  readonly apps: number
  readonly requests: number
  readonly hours: number
  readonly scenarios?: readonly string[]
  readonly traffic?: string
  readonly json?: true
}

/** Findings as the scorer takes them. */
export function predictedClusters(findings: readonly Finding[]): PredictedCluster[] {
  return findings.map(({ data }) => ({
    id: data.finding_info.uid,
    policies: data.finding_info.types,
    probability: data.confidence_score / 100,
    members: data.resources.map(({ uid, data: { probability, role } }) => ({
      app_id: uid,
      probability,
      ...(role === undefined ? {} : { role }),
    })),
  }))
}

async function readTruth(directory: string): Promise<Truth> {
  const file = join(directory, 'truth.json')
  if (!existsSync(file))
    throw new SidestepError('usage', `${file} is missing: --traffic takes a directory that simulate has written`)
  try {
    return Truth.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw new SidestepError('usage', `${file} is not the truth of a simulation: ${errorMessage(error)}`, {
      cause: error,
    })
  }
}

/** Undefined when it was interrupted. */
async function scoreTraffic(
  directory: string,
  clickhouse: ClickHouse,
  signal: AbortSignal,
): Promise<Scorecard | undefined> {
  const truth = await readTruth(directory)
  await ingestForDetection({
    requests: [join(directory, 'requests.ndjson')],
    apps: join(directory, 'apps.ndjson'),
    format: 'sidestep',
    trustedHops: 0,
    clickhouse,
    signal,
  })
  if (signal.aborted) return undefined
  const { findings } = await analyseAll(clickhouse, Date.now())
  return score(truth, predictedClusters(findings))
}

async function run(options: Options): Promise<void> {
  const directory = options.traffic ?? (await mkdtemp(join(tmpdir(), 'sidestep-evaluate-')))
  try {
    await withEngine(undefined, async (clickhouse, signal) => {
      if (options.traffic === undefined) await simulate({ outDir: directory, ...options, signal })
      const card = await scoreTraffic(directory, clickhouse, signal)
      if (card === undefined) return
      process.stdout.write(options.json === true ? `${JSON.stringify(card)}\n` : `${renderScorecard(card)}\n`)
    })
  } finally {
    if (options.traffic === undefined) await rm(directory, { recursive: true, force: true })
  }
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.')
  return value
}

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('Simulate labelled traffic, detect, and score the findings against the truth.')
    .option('--seed <n>', 'seed of the simulation', wholeNumber, DEFAULTS.seed)
    .option('--apps <n>', 'applications', wholeNumber, DEFAULTS.apps)
    .option('--requests <n>', 'requests', wholeNumber, DEFAULTS.requests)
    .option('--hours <n>', 'length of the traffic', wholeNumber, DEFAULTS.hours)
    .option('--scenarios <names>', 'only these, separated by commas', (text: string) => text.split(','))
    .option('--traffic <dir>', 'score on a directory that simulate has written, instead')
    .option('--json', 'print the scorecard as JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => await run(options))
}
