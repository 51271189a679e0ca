/** `sidestep findings`: the findings that a store holds. */
import { Command } from 'commander'

import { renderFindings } from '../render/findings-table.ts'
import { DEFAULT_WIDTH } from '../render/lines.ts'
import { storedFindings } from '../stored-findings.ts'

const EXAMPLE = `
Examples:
  $ sidestep findings --data-dir ./data
  $ sidestep findings --data-dir ./data --json | jq .data.message
`

interface Options {
  readonly dataDir?: string
  readonly closed?: true
  readonly json?: true
}

async function run(options: Options): Promise<void> {
  const all = await storedFindings(options.dataDir)
  const shown = all
    .filter((finding) => options.closed === true || finding.status !== 'closed')
    .map((finding) => finding.event)
  if (options.json === true) {
    for (const event of shown) process.stdout.write(`${JSON.stringify(event)}\n`)
    return
  }
  const hidden = all.length - shown.length
  const rest = hidden === 0 ? '' : ` (${hidden} closed, see --closed)`
  if (shown.length > 0) process.stdout.write(`${renderFindings(shown, process.stdout.columns ?? DEFAULT_WIDTH)}\n\n`)
  process.stdout.write(`${shown.length} findings${rest}\n`)
}

export function findingsCommand(): Command {
  return new Command('findings')
    .description('List the findings of a database, strongest first.')
    .option('--data-dir <dir>', 'embedded data directory (default: CLICKHOUSE_URL, else DATA_DIR, else ./data)')
    .option('--closed', 'closed findings too')
    .option('--json', 'print events as JSON lines')
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => await run(options))
}
