/** `sidestep simulate`: labelled traffic for trying out, testing and measuring the detector. */
import { stat } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { createProgress } from '#lib/progress.ts'
import { WORLD_KINDS, type WorldKind } from '#simulate/conditions.ts'
import { DEFAULTS, PlanError } from '#simulate/plan.ts'
import { SCENARIOS } from '#simulate/scenarios/registry.ts'
import { type Strength, STRENGTHS } from '#simulate/scenarios/scenario.ts'
import { type Simulated, simulate } from '#simulate/write.ts'
import { COMPRESSIONS, simulateToKafka, type Compression } from '../simulate-kafka.ts'

const EXIT_BAD_USAGE = 2
/** 128 + SIGINT. */
const EXIT_INTERRUPTED = 130

const EXAMPLE = `
Examples:
  $ sidestep simulate --out /tmp/traffic --seed 7 --requests 200000 --apps 600
  $ sidestep simulate --out /tmp/calm --seed 7 --world benign
  $ sidestep simulate --out /tmp/weak --seed 7 --world hard --strength weak
  $ sidestep simulate --kafka localhost:9092 --requests 200000
`

function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`)
    }
    return value
  }
}

function hoursArgument(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0.25 || value > 2_400)
    throw new InvalidArgumentError('It must be from 0.25 to 2400.')
  return value
}

function nameList(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

interface Options {
  readonly out?: string
  readonly kafka?: string
  readonly partitions: number
  readonly compression: Compression
  readonly seed: number
  readonly apps: number
  readonly requests: number
  readonly hours: number
  readonly world: WorldKind
  readonly strength: Strength | 'mixed'
  readonly scenarios?: string[]
  readonly listScenarios?: boolean
}

function listScenarios(): string {
  const width = Math.max(...SCENARIOS.map((scenario) => scenario.name.length))
  return SCENARIOS.map((scenario) => {
    const kind = scenario.heldOut ? `${scenario.kind}, held out` : scenario.kind
    return `${scenario.name.padEnd(width)}  ${kind.padEnd(19)}  ${scenario.about}\n`
  }).join('')
}

/** Why `out` cannot be written to, or nothing. */
async function problemWith(out: string): Promise<string | undefined> {
  const found = await stat(out).catch(() => undefined)
  return found === undefined || found.isDirectory() ? undefined : `--out ${out} is a file; name a directory`
}

function summary(result: Simulated, seconds: number): string {
  const count = (kind: string): number => result.groups.filter((group) => group.kind === kind).length
  const rate = Math.round(result.requests / seconds)
  return [
    `${result.requests} requests of ${result.apps} apps, ${(result.bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s (${rate}/s)`,
    `${count('violation')} violations, ${count('lookalike')} look-alikes, ${count('exempt')} exempt groups`,
    `${result.files.requests} ${result.files.apps} ${result.files.truth}`,
    '',
  ].join('\n')
}

async function run(options: Options): Promise<void> {
  if (options.listScenarios === true) {
    process.stdout.write(listScenarios())
    return
  }
  const { out, kafka, partitions, compression, listScenarios: _, ...rest } = options
  if (kafka !== undefined) {
    await simulateToKafka({ ...rest, brokers: kafka, partitions, compression })
    return
  }
  const problem = out === undefined ? '--out DIR is needed (or --kafka BROKERS)' : await problemWith(out)
  if (out === undefined || problem !== undefined) {
    process.stderr.write(`sidestep simulate: ${problem}\n`)
    process.exitCode = EXIT_BAD_USAGE
    return
  }
  const stop = new AbortController()
  const onInterrupt = (): void => stop.abort()
  process.once('SIGINT', onInterrupt)
  const progress = createProgress({ label: 'simulate', total: options.requests, unit: 'requests' })
  const startedAt = performance.now()
  try {
    const result = await simulate({
      outDir: out,
      ...rest,
      signal: stop.signal,
      onProgress: (done) => progress.update(done),
    })
    progress.finish()
    process.stdout.write(summary(result, (performance.now() - startedAt) / 1_000))
  } catch (error) {
    progress.finish()
    if (error instanceof PlanError) {
      process.stderr.write(`sidestep simulate: ${error.message}\n`)
      process.exitCode = EXIT_BAD_USAGE
    } else if (stop.signal.aborted) {
      process.stderr.write(`sidestep simulate: interrupted; ${out} is incomplete (it has no truth.json)\n`)
      process.exitCode = EXIT_INTERRUPTED
    } else throw error
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

export function simulateCommand(): Command {
  return (
    new Command('simulate')
      .description('Write seeded, labelled traffic: requests.ndjson, apps.ndjson and truth.json.')
      .option('--out <dir>', 'directory to write to; made if need be')
      .option('--seed <n>', 'the same seed gives the same bytes', wholeNumber(0, 2 ** 31), DEFAULTS.seed)
      .option('--apps <n>', 'applications', wholeNumber(10, 1_000_000), DEFAULTS.apps)
      .option('--requests <n>', 'requests, met within 3 %', wholeNumber(1_000, 10_000_000_000), DEFAULTS.requests)
      .option('--hours <n>', 'length of the traffic', hoursArgument, DEFAULTS.hours)
      .addOption(
        new Option('--world <kind>', 'tidy: clean; hard: noisy, shared, framed; benign: nobody breaks a rule')
          .choices(WORLD_KINDS)
          .default(DEFAULTS.world),
      )
      .addOption(
        new Option('--strength <strength>', 'how openly violations show themselves')
          .choices([...STRENGTHS, 'mixed'])
          .default('mixed'),
      )
      .option('--scenarios <names>', 'only these scenarios, separated by commas', nameList)
      .option(
        '--kafka <brokers>',
        'send it to Kafka instead: host:port, separated by commas; TOPIC_* and KAFKA_* as for `ingest`',
      )
      .option(
        '--partitions <n>',
        'partitions of the requests topic, when --kafka has to create it',
        wholeNumber(1, 1000),
        6,
      )
      .addOption(
        new Option('--compression <codec>', 'of the batches sent to Kafka').choices(COMPRESSIONS).default('none'),
      )
      .option('--list-scenarios', 'name all scenarios and stop')
      .addHelpText('after', EXAMPLE)
      // commander would exit with 1 on a bad option; 1 is for failures, 2 for usage.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_BAD_USAGE))
      .action(async (options: Options) => await run(options))
  )
}
