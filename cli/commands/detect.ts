/** `sidestep detect`: the main job in one process: ingest, analyse, print the findings, write them. */
import { Command, InvalidArgumentError, Option } from 'commander'

import { SidestepError } from '#lib/errors.ts'
import { openStandardInput, type StandardInput } from '#lib/standard-input.ts'

import { FORMATS, FormatName } from '../../services/ingest/decode/formats/index.ts'
import { analyseAndShow } from '../detect-analyse.ts'
import { ingestForDetection } from '../detect-ingest.ts'
import { withEngine } from '../with-engine.ts'

const EXAMPLE = `
Examples:
  $ sidestep detect --requests requests.ndjson.gz --apps apps.ndjson --out findings.ndjson
  $ kubectl logs deploy/gateway | sidestep detect --format envoy --requests - --apps apps.ndjson

Exit code: 0 when it ran, with or without findings; 2 for bad usage or unusable input; 1 for a failure.
`

export interface DetectOptions {
  readonly requests: readonly string[]
  readonly apps: string
  readonly format: FormatName
  readonly mapping?: string
  readonly trustedHops: number
  readonly dataDir?: string
  readonly out?: string
  readonly json?: true
}

/** Standard input, when it is one of the files. Opened before the engine, which would take it for its own. */
function standardInputOf(options: DetectOptions): StandardInput | undefined {
  const wanted = [...options.requests, options.apps].filter((path) => path === '-').length
  if (wanted > 1)
    throw new SidestepError('usage', 'standard input (-) can be read once only; name a file for the others')
  return wanted === 0 ? undefined : openStandardInput()
}

async function run(options: DetectOptions): Promise<void> {
  const stdin = standardInputOf(options)
  try {
    await withEngine(options.dataDir, async (clickhouse, signal) => {
      const input = await ingestForDetection({ ...options, clickhouse, signal, stdin: stdin?.stream })
      if (signal.aborted) return
      await analyseAndShow({ ...input, out: options.out, json: options.json === true })
    })
  } finally {
    stdin?.close()
  }
}

function hops(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0 || value > 32)
    throw new InvalidArgumentError('It must be a whole number from 0 to 32.')
  return value
}

export function detectCommand(): Command {
  const formats = FormatName.options.map((name) => `  ${name.padEnd(15)} ${FORMATS[name].summary}`).join('\n')
  return new Command('detect')
    .description(
      'Read request logs and the app registry, find apps that sidestep rate limits together, and show the evidence.',
    )
    .requiredOption('--requests <file...>', 'request logs, one record a line; .gz and .zst too; - for standard input')
    .requiredOption('--apps <file>', 'app registry: one JSON object a line, or a JSON array')
    .addOption(
      new Option('--format <name>', 'format of the request logs').choices(FormatName.options).default('sidestep'),
    )
    .addOption(new Option('--mapping <file>', 'file that describes another format by field paths').conflicts('format'))
    .option('--trusted-hops <n>', 'proxies in front of the gateway whose X-Forwarded-For is believed', hops, 0)
    .option('--data-dir <dir>', 'keep the database here and read only what is new next time (default: a temporary one)')
    .option('--out <file>', 'write the findings there, one JSON event a line')
    .option('--json', 'print the findings as JSON lines instead of a table')
    .addHelpText('after', `\nFormats:\n${formats}\n${EXAMPLE}`)
    .action(async (options: DetectOptions) => await run(options))
}
