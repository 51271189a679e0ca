/**
 * How good is the detection? `evaluate` over several seeds, pooled, with 95 % intervals; by strength; held-out scenarios apart.
 * Every seed is a process of its own, because the embedded engine holds one data directory per process.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Table from 'cli-table3'
import { z } from 'zod'
import { proportion } from '../evaluate/statistics.ts'

const Count = z.object({ count: z.number(), total: z.number() })
const Card = z.object({
  findings: z.number(),
  found: Count,
  precision: Count,
  innocent_apps_accused: Count,
  exempt_flagged: Count,
  lookalikes_flagged: Count,
  labels: z.object({ strict: Count }),
  by_scenario: z.array(
    z.object({ scenario: z.string(), strength: z.string().nullable(), held_out: z.boolean(), found: Count }),
  ),
})
type Card = z.infer<typeof Card>
type Counts = z.infer<typeof Count>

const cli = fileURLToPath(new URL('../cli/main.ts', import.meta.url))

async function evaluate(seed: number): Promise<Card> {
  const { stdout } = await promisify(execFile)(process.execPath, [cli, 'evaluate', '--seed', String(seed), '--json'], {
    maxBuffer: 64 * 1024 * 1024,
  })
  return Card.parse(JSON.parse(stdout))
}

const pool = (counts: readonly Counts[]): Counts => ({
  count: counts.reduce((sum, item) => sum + item.count, 0),
  total: counts.reduce((sum, item) => sum + item.total, 0),
})

const percent = (share: number | null): string => (share === null ? '-' : `${(100 * share).toFixed(1)} %`)

function cells(counts: Counts): string[] {
  const { share, low, high } = proportion(counts.count, counts.total)
  const interval = low === null || high === null ? '-' : `${percent(low)} - ${percent(high)}`
  return [percent(share), interval, `${counts.count} of ${counts.total}`]
}

/** `seeds` such as 101..110, none of which was used while developing (1-59 were). */
export async function benchQuality(seeds: readonly number[]): Promise<void> {
  const cards: Card[] = []
  for (const seed of seeds) {
    const card = await evaluate(seed)
    cards.push(card)
    process.stderr.write(
      `seed ${seed}: ${card.found.count} of ${card.found.total} found, ${card.precision.count} of ${card.precision.total} findings right\n`,
    )
  }
  const table = new Table({ head: ['', 'share', '95 % interval', 'cases'], style: { head: [], border: [] } })
  const rows = cards.flatMap((card) => card.by_scenario)
  const found = (test: (row: (typeof rows)[number]) => boolean) =>
    cells(pool(rows.filter(test).map((row) => row.found)))
  table.push(
    ['findings that are right', ...cells(pool(cards.map((card) => card.precision)))],
    ['innocent apps accused', ...cells(pool(cards.map((card) => card.innocent_apps_accused)))],
    ['look-alike groups flagged', ...cells(pool(cards.map((card) => card.lookalikes_flagged)))],
    ['exempt groups flagged', ...cells(pool(cards.map((card) => card.exempt_flagged)))],
    ['first policy code right', ...cells(pool(cards.map((card) => card.labels.strict)))],
    ['violations found, strong', ...found((row) => row.strength === 'strong' && !row.held_out)],
    ['violations found, medium', ...found((row) => row.strength === 'medium' && !row.held_out)],
    ['violations found, weak', ...found((row) => row.strength === 'weak' && !row.held_out)],
    ['violations found, held-out scenarios', ...found((row) => row.held_out)],
  )
  process.stdout.write(`${table.toString()}\n`)
}
