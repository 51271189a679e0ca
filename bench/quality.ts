/**
 * How good is the detection? `evaluate` over kinds of worlds, strengths and seeds, beside published methods; written as the generated part of
 * docs/quality.md with its pictures. The evaluation is a process of its own, so that the page can be made again from its saved results.
 */
import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { WorldSummary } from '../evaluate/summary.ts'
import { docs, writeGenerated } from './generated-part.ts'
import { calibrationCurve } from './pictures/calibration-curve.ts'
import { methodBars } from './pictures/method-bars.ts'
import { scenarioMap } from './pictures/scenario-map.ts'
import { PICTURES, qualityPage } from './quality-page.ts'

export interface QualityOptions {
  readonly from: number
  readonly seeds: number
  readonly world: string
  readonly strength: string
  readonly apps: number
  readonly requests: number
  /** For how many seeds without each part of the detector too. */
  readonly ablate?: number
  /** Where the results are kept, after each world. */
  readonly save?: string
  /** Results to draw again, instead of a run. */
  readonly results?: string
}

const Results = z.object({
  planned: z.int().describe('Worlds that were asked for.'),
  worlds: z.array(z.unknown()),
  summaries: z.array(WorldSummary),
})

const cli = fileURLToPath(new URL('../cli/main.ts', import.meta.url))

export async function benchQuality(options: QualityOptions): Promise<void> {
  const saved = options.results
  const { summaries, planned, worlds } = Results.parse(
    JSON.parse(saved === undefined ? await evaluate(options) : await readFile(saved, 'utf8')),
  )
  const made = { command: commandOf(options), planned, evaluated: worlds.length }
  await mkdir(new URL('pictures/', docs), { recursive: true })
  await writeFile(new URL(PICTURES.methods, docs), methodBars(summaries))
  await writeFile(new URL(PICTURES.scenarios, docs), scenarioMap(summaries))
  await writeFile(new URL(PICTURES.calibration, docs), calibrationCurve(summaries))
  const page = await writeGenerated('quality.md', 'quality', qualityPage(summaries, made))
  process.stdout.write(`${page}\n`)
}

function commandOf({ from, seeds, world, strength, apps, requests, ablate }: QualityOptions): string {
  return `npm run bench -- quality --from ${from} --seeds ${seeds} --world ${world} --strength ${strength} --apps ${apps} --requests ${requests}${ablate === undefined ? '' : ` --ablate ${ablate}`}`
}

/** What `evaluate --json` prints. */
async function evaluate(options: QualityOptions): Promise<string> {
  const { from, seeds, world, strength, apps, requests, ablate, save } = options
  const sizes = ['--apps', String(apps), '--requests', String(requests)]
  const args = ['--seed', String(from), '--seeds', String(seeds), '--world', world, '--strength', strength, ...sizes]
  if (ablate !== undefined) args.push('--ablate', String(ablate))
  if (save !== undefined) args.push('--save', save)
  const child = spawn(process.execPath, [cli, 'evaluate', ...args, '--peers', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [output, code] = await Promise.all([text(child.stdout), ended])
  if (code !== 0) throw new Error(`evaluate ended with ${code}; its message is above`)
  return output
}
