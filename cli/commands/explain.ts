/** `sidestep explain FINDING`: one finding in full, as it can be told to the one accused. `--pair A B`: why two apps were linked or were not. */
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'

import { errorMessage, SidestepError } from '#lib/errors.ts'
import { quoted } from '#lib/printable.ts'
import { Finding } from '#schemas/finding.ts'

import { investigate, storedWindow } from '../../services/analyzer/analyse.ts'
import { explainPair } from '../../services/analyzer/findings/pair-explanation.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { renderFinding } from '../render/finding.ts'
import { DEFAULT_WIDTH } from '../render/lines.ts'
import { renderPair } from '../render/pair.ts'
import { storedFindings, withStore } from '../stored-findings.ts'

const EXAMPLE = `
Examples:
  $ sidestep explain sf-3f2a91c07b1e --data-dir ./data
  $ sidestep explain sf-3f2a91c07b1e --from findings.ndjson
  $ sidestep explain 4109661669 --data-dir ./data      (an app id: every finding that it is in)
  $ sidestep explain --pair 4109661669 887210033 --data-dir ./data      (why these two were not linked)
`

interface Options {
  readonly dataDir?: string
  readonly from?: string
  readonly pair?: readonly string[]
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

const width = (): number => process.stdout.columns ?? DEFAULT_WIDTH

async function findingsOf(wanted: string, options: Options): Promise<void> {
  const events =
    options.from === undefined
      ? (await storedFindings(options.dataDir)).map((finding) => finding.event)
      : await readEvents(options.from)
  const found = events.filter(
    ({ data }) => data.finding_info.uid === wanted || data.resources.some((app) => app.uid === wanted),
  )
  if (found.length === 0) {
    const known = events.slice(0, 5).map(({ data }) => data.finding_info.uid)
    const hint = known.length === 0 ? 'there are no findings' : `findings are e.g. ${known.map(quoted).join(', ')}`
    throw new SidestepError('usage', `no finding has the id, or the app, ${quoted(wanted)}; ${hint}`)
  }
  for (const finding of found) {
    process.stdout.write(
      options.json === true ? `${JSON.stringify(finding)}\n` : `${renderFinding(finding, width())}\n\n`,
    )
  }
}

async function pairOf(pair: readonly string[], { dataDir, json }: Options): Promise<void> {
  const [one, other] = pair
  if (one === undefined || other === undefined || pair.length !== 2)
    throw new SidestepError('usage', '--pair takes the ids of two apps')
  const text = await withStore(dataDir, async (clickhouse) => {
    const window = await storedWindow(clickhouse)
    if (window === undefined) throw new SidestepError('usage', 'the database holds no requests')
    const investigation = await investigate({ clickhouse, window, tuning: TUNING })
    const found = await explainPair({ clickhouse, investigation, tuning: TUNING }, one, other)
    return json === true ? JSON.stringify(found) : renderPair(found, width())
  })
  process.stdout.write(`${text}\n`)
}

async function run(wanted: string | undefined, options: Options): Promise<void> {
  if (options.pair !== undefined) {
    if (wanted !== undefined) throw new SidestepError('usage', 'name a finding, or --pair A B, not both')
    await pairOf(options.pair, options)
    return
  }
  if (wanted === undefined) throw new SidestepError('usage', 'name a finding, an app, or --pair A B')
  await findingsOf(wanted, options)
}

export function explainCommand(): Command {
  return new Command('explain')
    .description(
      'Show one finding in full: who, what was observed, what chance gives, which innocent explanations were tested; or why two apps were not linked.',
    )
    .argument('[finding]', 'id of a finding, or of an app')
    .option('--pair <app...>', 'ids of two apps: why they were linked or were not, over all that the database holds')
    .option('--data-dir <dir>', 'embedded data directory (default: CLICKHOUSE_URL, else DATA_DIR, else ./data)')
    .option('--from <file>', 'read a findings file that detect wrote, instead of a database')
    .option('--json', 'print it as JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (wanted: string | undefined, options: Options) => await run(wanted, options))
}
