/** Summaries of many worlds as plain text for people, at most 100 columns wide. Pure. */
import type { Ablation } from './ablation.ts'
import { MEASURES, MeasureName } from './measures.ts'
import type { EstimatedMeasure, MethodSummary, WorldSummary } from './summary.ts'
import { fit, lineWidth, number, percent, table, text } from './text-table.ts'
import { DETECTOR } from './world-result.ts'

/** Ends with a newline. */
export function renderSummaries(summaries: readonly WorldSummary[]): string {
  return `${summaries.map((summary) => summaryLines(summary).join('\n')).join('\n\n')}\n`
}

/** What kind of worlds, in words. */
export function worldTitle({ world, strength, seeds }: WorldSummary): string {
  const violations = strength === 'none' ? 'nobody breaks a rule' : `${strength} violations`
  return `${world} worlds, ${violations}, ${seeds.length} seed${seeds.length === 1 ? '' : 's'}`
}

function summaryLines(summary: WorldSummary): string[] {
  const { apps, requests, violations, seeds, methods, ablations } = summary
  const size = `${Math.round(apps)} apps, ${Math.round(requests)} requests a world; ${violations} violations; seeds ${seeds.join(', ')}`
  const [detector, ...peers] = methods
  return [
    worldTitle(summary),
    fit(size, lineWidth, 'left').trimEnd(),
    '',
    ...(detector === undefined ? [] : detectorTable(detector)),
    ...(peers.length === 0 ? [] : ['', ...methodTable(methods), ...settings(peers)]),
    ...(ablations.length === 0 ? [] : ['', ...ablationTable(ablations)]),
  ]
}

function detectorTable({ measures }: MethodSummary): string[] {
  return table(
    [text(DETECTOR, 44), number('mean', 10), number('95 % interval', 20), number('all worlds', 18)],
    MeasureName.options.map((name) => [
      MEASURES[name].title,
      valueText(name, measures[name].mean),
      intervalText(name, measures[name]),
      casesText(measures[name]),
    ]),
  )
}

function methodTable(methods: readonly MethodSummary[]): string[] {
  const columns: readonly [MeasureName, string][] = [
    ['found', 'found'],
    ['pair_f1', 'pair F1'],
    ['false_findings', 'false'],
    ['benign_apps_named', 'benign'],
    ['environments_accused', 'env.'],
    ['victims_named', 'victims'],
  ]
  return table(
    [text('Methods, means of a world', 46), ...columns.map(([, title]) => number(title, 7))],
    methods.map(({ method, measures }) => [method, ...columns.map(([name]) => shortText(name, measures[name].mean))]),
  )
}

function settings(peers: readonly MethodSummary[]): string[] {
  return [
    'each at its best setting for these worlds:',
    ...peers.map(({ method, setting }) => fit(`  ${method}: ${setting ?? '-'}`, lineWidth, 'left').trimEnd()),
  ]
}

function ablationTable(ablations: readonly Ablation[]): string[] {
  return table(
    [
      text('Without one part, all worlds together', 44),
      number('found', 8),
      number('lost', 6),
      number('gained', 7),
      number('false', 7),
      number('benign', 7),
    ],
    ablations.map(({ without, found, lost, gained, false_findings, benign_apps_named }) =>
      [without].concat([found, lost, gained, false_findings, benign_apps_named].map(String)),
    ),
  )
}

/** A share in percent, a count with one decimal. */
export function valueText(name: MeasureName, value: number | null): string {
  if (value === null) return '-'
  return MEASURES[name].unit === 'share' ? percent(value) : value.toFixed(1)
}

function shortText(name: MeasureName, value: number | null): string {
  if (value === null) return '-'
  return MEASURES[name].unit === 'share' ? value.toFixed(2) : value.toFixed(1)
}

export function intervalText(name: MeasureName, { low, high }: EstimatedMeasure): string {
  return low === null || high === null ? '-' : `${valueText(name, low)} - ${valueText(name, high)}`
}

export function casesText({ count, total }: EstimatedMeasure): string {
  return count === null || total === null || total === 0 ? '-' : `${count} of ${total}`
}
