/**
 * A scorecard as plain text for people, at most 100 columns wide. Pure; `--json` prints the Scorecard itself.
 */
import type { InnocentRow, ScenarioRow, StrengthRow } from './by-scenario.ts'
import type { Scorecard } from './score.ts'
import type { Calibration, Proportion, Ratio } from './statistics.ts'
import { decimal, fit, gap, lineWidth, number, percent, table, text, type Column } from './text-table.ts'

/** False findings and missed violations named one by one; the rest is in --json. */
const namedMax = 10

/** Ends with a newline. Sections without cases say so rather than vanish. */
export function renderScorecard(card: Scorecard): string {
  const sections = [
    headline(card),
    agreement(card),
    strengths(card.by_strength),
    scenarios(card.by_scenario),
    innocents('Look-alike groups', card.lookalikes),
    innocents('Exempt groups (compliant dev/staging/prod)', card.exempt),
    named(
      'False findings',
      card.false_findings.map(({ id, apps, reason }) => `${id} (${apps} apps): ${words(reason)}`),
    ),
    named('Violations not found', card.missed_ids),
    calibrations(card.calibration),
  ]
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function headline(card: Scorecard): string[] {
  const { seed, world, from, to, apps, requests } = card.simulation
  const rows: [string, Proportion][] = [
    ['violations found (>= 80 % complete, >= 80 % pure)', card.found],
    ['  of the held-out ones', card.found_held_out],
    ['findings that are right (precision)', card.precision],
    ['innocent apps accused', card.innocent_apps_accused],
    ['victims named as operators', card.victims.named_as_operators],
    ['violations split over several findings', card.fragments.split],
    ['look-alike groups flagged', card.lookalikes_flagged],
    ['exempt groups flagged', card.exempt_flagged],
    ['policy right: first code of a found violation', card.labels.strict],
    ['policy right: any code of a found violation', card.labels.listed],
  ]
  return [
    fit(
      `Simulation: ${world === null ? '' : `${world}, `}seed ${seed}, ${apps} apps, ${requests} requests, ${from} to ${to}`,
      lineWidth,
      'left',
    ).trimEnd(),
    '',
    ...table(
      [text('Headline', 52), number('share', 8), number('95 % interval', 16), number('cases', 18)],
      rows.map(([label, share]) => [label, percent(share.share), interval(share), cases(share)]),
    ),
    `${card.innocent_apps_in_right_findings} of the innocent apps are in findings that are right`,
    ...(card.findings === 0 ? ['No findings: precision is undefined, neither 100 % nor 0 %.'] : []),
  ]
}

function agreement({ pairs, b_cubed }: Scorecard): string[] {
  return table(
    [text('Agreement', 40), number('precision', 9), number('recall', 9), number('F1', 9)],
    [
      ['pairs of apps', percent(pairs.precision.share), percent(pairs.recall.share), percent(pairs.f1)],
      ['B-cubed, apps', percent(b_cubed.precision), percent(b_cubed.recall), percent(b_cubed.f)],
    ],
  )
}

function strengths(rows: readonly StrengthRow[]): string[] {
  return table(
    scenarioColumns('Violations by strength'),
    rows.map((row) => [row.held_out ? 'held out' : 'used in tuning', ...strengthCells(row)]),
  )
}

function scenarios(rows: readonly ScenarioRow[]): string[] {
  const tuned = rows.filter((row) => !row.held_out)
  const heldOut = rows.filter((row) => row.held_out)
  return [
    ...table(scenarioColumns('Violations by scenario'), tuned.map(scenarioCells)),
    ...(heldOut.length === 0
      ? []
      : ['', ...table(scenarioColumns('Held out (not used in tuning)'), heldOut.map(scenarioCells))]),
  ]
}

function scenarioColumns(title: string): Column[] {
  return [
    text(title, 30),
    text('strength', 8),
    number('found', 13),
    number('95 % interval', 15),
    number('pairs', 7),
    number('1st code', 8),
    number('any', 7),
  ]
}

function scenarioCells(row: ScenarioRow): string[] {
  return [row.scenario, ...strengthCells(row)]
}

function strengthCells(row: StrengthRow): string[] {
  return [
    row.strength ?? '-',
    cases(row.found),
    interval(row.found),
    percent(row.pair_recall.share),
    percent(row.labels.strict.share),
    percent(row.labels.listed.share),
  ]
}

function innocents(title: string, rows: readonly InnocentRow[]): string[] {
  return table(
    [text(title, 45), number('flagged', 13), number('95 % interval', 15), number('apps accused', 18)],
    rows.map((row) => [
      row.held_out ? `${row.scenario} (held out)` : row.scenario,
      cases(row.flagged),
      interval(row.flagged),
      cases(row.apps_accused),
    ]),
  )
}

function named(title: string, entries: readonly string[]): string[] {
  const shown = entries.slice(0, namedMax).map((entry) => fit(`${gap}${entry}`, lineWidth, 'left').trimEnd())
  const rest = entries.length - shown.length
  return [`${title}: ${entries.length}`, ...shown, ...(rest === 0 ? [] : [`${gap}and ${rest} more, in --json`])]
}

function calibrations({ members, findings }: Scorecard['calibration']): string[] {
  const columns = [
    text('Calibration', 14),
    ...['apps', 'mean p', 'true', 'findings', 'mean p', 'true'].map((title) => number(title, 9)),
  ]
  const rows = members.bins.flatMap(({ from, to }, index) => {
    const empty = members.bins[index]?.forecasts === 0 && findings.bins[index]?.forecasts === 0
    return empty
      ? []
      : [[`p ${from.toFixed(1)} - ${to.toFixed(1)}`, ...binCells(members, index), ...binCells(findings, index)]]
  })
  return [...table(columns, rows), errors('apps', members), errors('findings', findings)]
}

function binCells({ bins }: Calibration, index: number): string[] {
  const bin = bins[index]
  return [String(bin?.forecasts ?? 0), percent(bin?.mean_probability ?? null), percent(bin?.observed ?? null)]
}

function errors(name: string, { expected_calibration_error, brier }: Calibration): string {
  return `${name}: expected calibration error ${decimal(expected_calibration_error)}, Brier score ${decimal(brier)}`
}

function interval({ low, high }: Proportion): string {
  return low === null || high === null ? '-' : `${(low * 100).toFixed(1)} - ${(high * 100).toFixed(1)} %`
}

function cases({ count, total }: Ratio): string {
  return `${count} of ${total}`
}

function words(code: string): string {
  return code.replaceAll('_', ' ')
}
