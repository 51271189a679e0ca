/** The generated part of docs/quality.md, out of the summaries of a run. Pure: every number in it is one of theirs. */
import { MEASURES, MeasureName } from '../evaluate/measures.ts'
import { casesText, intervalText, valueText, worldTitle } from '../evaluate/summary-report.ts'
import type { MethodSummary, WorldSummary } from '../evaluate/summary.ts'
import { percent } from '../evaluate/text-table.ts'
import { DETECTOR } from '../evaluate/world-result.ts'

export const PICTURES = {
  methods: 'pictures/quality-methods.svg',
  scenarios: 'pictures/quality-scenarios.svg',
  calibration: 'pictures/quality-calibration.svg',
} as const

/** Markdown, ending with a newline. `command` is what made the summaries. */
export function qualityPage(summaries: readonly WorldSummary[], command: string): string {
  return `${[
    intro(summaries, command),
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
  ].join('\n\n')}\n`
}

function intro(summaries: readonly WorldSummary[], command: string): string {
  const sizes = summaries.map(
    (summary) =>
      `- ${worldTitle(summary)} (${summary.seeds.join(', ')}): ${Math.round(summary.apps)} apps and ${Math.round(summary.requests)} requests a world, ${summary.violations} violations in all`,
  )
  return [`Made by \`${command}\`:`, '', ...sizes].join('\n')
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lineOf = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [lineOf(head), lineOf(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(lineOf)].join('\n')
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
