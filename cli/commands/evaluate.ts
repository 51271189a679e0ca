/** `sidestep evaluate`: simulate, detect, score; one world or many. */
import { writeFile } from 'node:fs/promises'

import { Command, InvalidArgumentError } from 'commander'

import { errorMessage, SidestepError } from '#lib/errors.ts'
import { WORLD_KINDS, type WorldKind } from '#simulate/conditions.ts'
import { DEFAULTS, PlanError } from '#simulate/plan.ts'
import { STRENGTHS } from '#simulate/scenarios/scenario.ts'

import { renderScorecard } from '../../evaluate/report.ts'
import { renderSummaries } from '../../evaluate/summary-report.ts'
import { summarize } from '../../evaluate/summary.ts'
import type { WorldResult } from '../../evaluate/world-result.ts'
import { listWorlds, type World } from '../../evaluate/worlds.ts'
import { PARTS, type Part } from '../../services/analyzer/tuning.ts'
import { evaluateTraffic, evaluateWorld, type EvaluateOptions } from '../evaluate-world.ts'

const EXAMPLE = `
Examples:
  $ sidestep evaluate --seed 11
  $ sidestep evaluate --seed 11 --seeds 5 --world tidy,hard,benign --strength medium,weak --peers
  $ sidestep evaluate --seed 11 --without groups,hand_over
  $ sidestep evaluate --seed 11 --apps 3000 --requests 2000000 --json > results.json
  $ sidestep evaluate --traffic w1 w2        (what sidestep simulate --out w1 has written, and w2)

Several worlds run one after the other; the means are over seeds, with 95 % intervals (Student's t).
`

interface Options {
  readonly seed: number
  readonly seeds: number
  readonly world: readonly WorldKind[]
  readonly strength: readonly World['strength'][]
  readonly apps: number
  readonly requests: number
  readonly hours: number
  readonly scenarios?: readonly string[]
  readonly traffic?: readonly string[]
  readonly peers?: true
  readonly without: readonly Part[]
  /** How many seeds; true: all. */
  readonly ablate?: number | true
  readonly save?: string
  readonly json?: true
}

/** A world to evaluate, simulated or given. */
interface Job {
  readonly title: string
  readonly run: (options: EvaluateOptions) => Promise<WorldResult | undefined>
}

function jobsOf(options: Options): Job[] {
  if (options.traffic !== undefined) {
    return options.traffic.map((directory) => ({
      title: directory,
      run: async (how) => await evaluateTraffic(directory, how),
    }))
  }
  const { apps, requests, hours, scenarios } = options
  const size = { apps, requests, hours, ...(scenarios === undefined ? {} : { scenarios }) }
  const seeds = Array.from({ length: options.seeds }, (_, index) => options.seed + index)
  const ablated = new Set(seeds.slice(0, options.ablate === true ? undefined : options.ablate))
  return listWorlds(options.world, options.strength, seeds).map((world) => ({
    title: `${world.kind}, ${world.strength}, seed ${world.seed}`,
    run: async (how) => await evaluateWorld(world, size, { ...how, ablate: how.ablate && ablated.has(world.seed) }),
  }))
}

/** Undefined when it was interrupted. What there is by then has been saved. */
async function runJobs(jobs: readonly Job[], options: Options): Promise<WorldResult[] | undefined> {
  const how = { peers: options.peers === true, without: options.without, ablate: options.ablate !== undefined }
  const isTerminal = process.stderr.isTTY
  const clearLine = isTerminal ? '\r\u001B[K' : ''
  const results: WorldResult[] = []
  for (const [index, { title, run }] of jobs.entries()) {
    const startedAt = performance.now()
    const onStep = (step: string): void => {
      if (isTerminal) process.stderr.write(`${clearLine}world ${index + 1} of ${jobs.length} (${title}): ${step} …`)
    }
    const result = await run({ ...how, onStep })
    process.stderr.write(clearLine)
    if (result === undefined) return undefined
    results.push(result)
    if (options.save !== undefined) await save(options.save, json(results, jobs.length))
    if (jobs.length > 1) process.stderr.write(`${title}: ${outcome(result, (performance.now() - startedAt) / 1000)}\n`)
  }
  return results
}

async function save(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content)
  } catch (error) {
    throw new SidestepError('usage', `cannot save the results: ${errorMessage(error)}`, { cause: error })
  }
}

function outcome({ card }: WorldResult, seconds: number): string {
  const { found, false_findings, innocent_apps_accused } = card
  return `${found.count} of ${found.total} found, ${false_findings.length} false findings, ${innocent_apps_accused.count} benign apps named (${seconds.toFixed(0)} s)`
}

async function evaluate(options: Options): Promise<void> {
  try {
    const jobs = jobsOf(options)
    const results = await runJobs(jobs, options)
    if (results === undefined) return
    process.stdout.write(options.json === true ? json(results, jobs.length) : report(results))
  } catch (error) {
    if (error instanceof PlanError) throw new SidestepError('usage', error.message, { cause: error })
    throw error
  }
}

/** `planned`: how many worlds were asked for. */
function json(results: readonly WorldResult[], planned: number): string {
  const worlds = results.map(({ world, strength, seed, card }) => ({ world, strength, seed, card }))
  return `${JSON.stringify({ planned, worlds, summaries: summarize(results) })}\n`
}

/** The scorecard of a single world, and the summaries of many or of several methods. */
function report(results: readonly WorldResult[]): string {
  const [only] = results
  const isOne = results.length === 1 && only !== undefined
  const hasMore = results.some(({ methods, ablations }) => methods.length > 1 || ablations.length > 0)
  const parts = isOne ? [renderScorecard(only.card)] : []
  if (!isOne || hasMore) parts.push(renderSummaries(summarize(results)))
  return `${parts.join('\n')}\n`
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.')
  return value
}

function seedCount(text: string): number {
  const value = wholeNumber(text)
  if (value < 1) throw new InvalidArgumentError('It must be at least 1.')
  return value
}

/** A list, separated by commas, of names out of `known`. */
function listOf<Name extends string>(known: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(',').map((part) => {
      const name = known.find((candidate) => candidate === part.trim())
      if (name === undefined) throw new InvalidArgumentError(`It must be of ${known.join(', ')}.`)
      return name
    })
}

export function evaluateCommand(): Command {
  const strengths = ['mixed', ...STRENGTHS] as const
  return new Command('evaluate')
    .description('Simulate labelled traffic, detect, and score the findings against the truth.')
    .option('--seed <n>', 'first seed of the simulation', wholeNumber, DEFAULTS.seed)
    .option('--seeds <n>', 'how many seeds of each kind of world', seedCount, 1)
    .option('--world <kinds>', `kinds of world: ${WORLD_KINDS.join(', ')}`, listOf(WORLD_KINDS), [DEFAULTS.world])
    .option('--strength <names>', `of the violations: ${strengths.join(', ')}`, listOf(strengths), ['mixed'])
    .option('--apps <n>', 'applications', wholeNumber, DEFAULTS.apps)
    .option('--requests <n>', 'requests', wholeNumber, DEFAULTS.requests)
    .option('--hours <n>', 'length of the traffic', wholeNumber, DEFAULTS.hours)
    .option('--scenarios <names>', 'only these, separated by commas', (text: string) => text.split(','))
    .option('--traffic <dirs...>', 'score on directories that simulate has written, instead')
    .option('--peers', 'the published methods on the same traffic, each at its best thresholds')
    .option('--without <parts>', `leave out parts of the detector: ${PARTS.join(', ')}`, listOf(PARTS), [])
    .option(
      '--ablate [seeds]',
      'analyse the worlds, or those of the first seeds, again without each part in turn',
      seedCount,
    )
    .option('--save <file>', 'keep the results there as JSON, after each world')
    .option('--json', 'print all numbers as JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => await evaluate(options))
}
