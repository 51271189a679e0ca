/** `sidestep explain FINDING`: one finding in full, as it can be told to the one accused. */
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'

import { errorMessage, SidestepError } from '#lib/errors.ts'
import { Finding } from '#schemas/finding.ts'

import { renderFinding } from '../render/findings-table.ts'
import { storedFindings } from '../stored-findings.ts'

const EXAMPLE = `
Examples:
  $ sidestep explain sf-3f2a91c07b1e --data-dir ./data
  $ sidestep explain sf-3f2a91c07b1e --from findings.ndjson
  $ sidestep explain 4109661669 --data-dir ./data      (an app id: every finding that it is in)
`

interface Options {
  readonly dataDir?: string
  readonly from?: string
  readonly json?: true
}

async function readEvents(file: string): Promise<Finding[]> {
  const lines = (
    await readFile(file, 'utf8').catch((error: unknown) => {
      throw new SidestepError('usage', `cannot read the findings: ${errorMessage(error)}`, { cause: error })
    })
  ).split('\n')
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [Finding.parse(JSON.parse(line))]
    } catch (error) {
      throw new SidestepError(
        'usage',
        `${file}:${index + 1} is not a finding: ${errorMessage(error).split('\n')[0] ?? ''}`,
        { cause: error },
      )
    }
  })
}

async function run(wanted: string, options: Options): Promise<void> {
  const events =
    options.from === undefined
      ? (await storedFindings(options.dataDir)).map((finding) => finding.event)
      : await readEvents(options.from)
  const found = events.filter(
    ({ data }) => data.finding_info.uid === wanted || data.resources.some((app) => app.uid === wanted),
  )
  if (found.length === 0) {
    const known = events.slice(0, 5).map(({ data }) => data.finding_info.uid)
    const hint = known.length === 0 ? 'there are no findings' : `findings are e.g. ${known.join(', ')}`
    throw new SidestepError('usage', `no finding has the id, or the app, ${wanted}; ${hint}`)
  }
  for (const finding of found) {
    process.stdout.write(options.json === true ? `${JSON.stringify(finding)}\n` : `${renderFinding(finding)}\n\n`)
  }
}

export function explainCommand(): Command {
  return new Command('explain')
    .description(
      'Show one finding in full: who, what was observed, what chance gives, which innocent explanations were tested.',
    )
    .argument('<finding>', 'id of a finding, or of an app')
    .option('--data-dir <dir>', 'embedded data directory (default: CLICKHOUSE_URL, else DATA_DIR, else ./data)')
    .option('--from <file>', 'read a findings file that detect wrote, instead of a database')
    .option('--json', 'print the event as JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (wanted: string, options: Options) => await run(wanted, options))
}
