/** The generated part of docs/quality.md, out of the summaries of a run. Pure: every number in it is one of theirs. */
import { NOTHING, type Ablation } from '../evaluate/ablation.ts'
import { MEASURES, MeasureName } from '../evaluate/measures.ts'
import { casesText, intervalText, valueText, worldTitle } from '../evaluate/summary-report.ts'
import type { MethodSummary, WorldSummary } from '../evaluate/summary.ts'
import { percent } from '../evaluate/text-table.ts'
import { DETECTOR } from '../evaluate/world-result.ts'
import { markdownTable } from './generated-part.ts'

export const PICTURES = {
  methods: 'pictures/quality-methods.svg',
  scenarios: 'pictures/quality-scenarios.svg',
  calibration: 'pictures/quality-calibration.svg',
} as const

/** What made the summaries. */
export interface Made {
  readonly command: string
  /** Worlds that the command asks for, and how many of them the summaries are of. */
  readonly planned: number
  readonly evaluated: number
}

/** Markdown, ending with a newline. */
export function qualityPage(summaries: readonly WorldSummary[], made: Made): string {
  return `${[
    intro(summaries, made),
    '## The detector',
    detectorTable(summaries),
    'Means over seeds with 95 % intervals (Student’s t; of no width where all seeds agree), below them the cases of all seeds together.',
    '## Against published methods, on the same traffic',
    `![Violations found, false findings and benign apps named, by method and kind of world](${PICTURES.methods})`,
    ...summaries.map((summary) => methodTable(summary)),
    '## What is found, by scenario',
    `![Share of the violations found, by scenario and method](${PICTURES.scenarios})`,
    'The columns of the detector are kinds of worlds; those of the other methods are over all of them together.',
    '## Can its probabilities be believed?',
    `![Stated probability against the share that is true](${PICTURES.calibration})`,
    'Findings and named apps of all worlds together.',
    ...ablationSection(summaries),
  ].join('\n\n')}\n`
}

function ablationSection(summaries: readonly WorldSummary[]): string[] {
  const ablated = summaries.filter(({ ablations }) => ablations.length > 0)
  if (ablated.length === 0) return []
  return [
    '## What is each part good for?',
    'The same worlds (with `--ablate n` those of the first n seeds alone), analysed again without one part of the detector at a time. Lost: violations that only the whole detector finds; gained: violations that are found only without the part.',
    ...ablated.map((summary) => ablationTable(summary)),
  ]
}

function ablationTable(summary: WorldSummary): string {
  const rowOf = ({ without, found, lost, gained, false_findings, benign_apps_named }: Ablation): string[] =>
    [without === NOTHING ? '**the whole detector**' : `without ${without.replaceAll('_', ' ')}`].concat(
      [found, lost, gained, false_findings, benign_apps_named].map(String),
    )
  const { world, strength, ablations } = summary
  const what = `${world} worlds${strength === 'none' ? '' : `, ${strength}`}; ${ablations[0]?.violations ?? 0} violations`
  const head = [what, 'found', 'lost', 'gained', 'false findings', 'benign apps named']
  return markdownTable(head, ablations.map(rowOf))
}

function intro(summaries: readonly WorldSummary[], { command, planned, evaluated }: Made): string {
  const sizes = summaries.map(
    (summary) =>
      `- ${worldTitle(summary)} (${summary.seeds.join(', ')}): ${Math.round(summary.apps)} apps and ${Math.round(summary.requests)} requests a world, ${summary.violations} violations in all`,
  )
  const part = evaluated < planned ? `, stopped after ${evaluated} of ${planned} worlds` : ''
  return [`Made by \`${command}\`${part}:`, '', ...sizes].join('\n')
}

/** One column a kind of world. */
function detectorTable(summaries: readonly WorldSummary[]): string {
  const detectors = summaries.flatMap(({ methods }) => methods.filter(({ method }) => method === DETECTOR))
  const rows = MeasureName.options.map((name) =>
    [MEASURES[name].title.trim()].concat(detectors.map((detector) => detectorCell(name, detector))),
  )
  const pooled = (name: string, errorOf: (summary: WorldSummary) => number | null): string[] =>
    [`calibration error, ${name} of all seeds together`].concat(
      summaries.map((summary) => `**${percent(errorOf(summary))}**`),
    )
  rows.push(
    pooled('apps', ({ calibration }) => calibration.members.expected_calibration_error),
    pooled('findings', ({ calibration }) => calibration.findings.expected_calibration_error),
  )
  return markdownTable(['', ...summaries.map((summary) => worldTitle(summary))], rows)
}

function detectorCell(name: MeasureName, { measures }: MethodSummary): string {
  const interval = intervalText(name, measures[name])
  const cases = casesText(measures[name])
  const mean = `**${valueText(name, measures[name].mean)}**`
  return `${interval === '-' ? mean : `${mean} (${interval})`}${cases === '-' ? '' : `<br>${cases}`}`
}

function methodTable(summary: WorldSummary): string {
  const names: readonly MeasureName[] = [
    'found',
    'pair_f1',
    'false_findings',
    'benign_apps_named',
    'environments_accused',
    'victims_named',
  ]
  const rowOf = ({ method, setting, measures }: MethodSummary): string[] => [
    method === DETECTOR ? `**${method}**` : method,
    ...names.map((name) => valueText(name, measures[name].mean)),
    setting ?? 'as shipped',
  ]
  const head = [worldTitle(summary), ...names.map((name) => MEASURES[name].title), 'setting']
  return markdownTable(head, summary.methods.map(rowOf))
}
