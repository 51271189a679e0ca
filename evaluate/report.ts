/**
 * A scorecard as plain text for people, at most 100 columns wide. Pure; `--json` prints the Scorecard itself.
 */
import type { InnocentRow, ScenarioRow } from './by-scenario.ts'
import type { Scorecard } from './score.ts'
import type { Calibration, Proportion, Ratio } from './statistics.ts'

/** A column is as wide as `width`; text is cut and starts left, numbers end right. */
interface Column {
  title: string
  width: number
  align: 'left' | 'right'
}

/** One printed page of a terminal: wider lines wrap and the tables fall apart. */
const lineWidth = 100

/** False findings and missed violations named one by one; the rest is in --json. */
const namedMax = 10

const gap = '  '

/** Ends with a newline. Sections without cases say so rather than vanish. */
export function renderScorecard(card: Scorecard): string {
  const sections = [
    headline(card),
    agreement(card),
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
  const { seed, from, to, apps, requests } = card.simulation
  const rows: [string, Proportion][] = [
    ['violations found (>= 80 % complete, >= 80 % pure)', card.found],
    ['  of the held-out ones', card.found_held_out],
    ['findings that are right (precision)', card.precision],
    ['innocent apps accused', card.innocent_apps_accused],
    ['look-alike groups flagged', card.lookalikes_flagged],
    ['exempt groups flagged', card.exempt_flagged],
    ['policy right: first code of a found violation', card.labels.strict],
    ['policy right: any code of a found violation', card.labels.listed],
  ]
  return [
    fit(`Simulation: seed ${seed}, ${apps} apps, ${requests} requests, ${from} to ${to}`, lineWidth, 'left').trimEnd(),
    '',
    ...table(
      [text('Headline', 52), number('share', 8), number('95 % interval', 16), number('cases', 18)],
      rows.map(([label, share]) => [label, percent(share.share), interval(share), cases(share)]),
    ),
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
  return [
    row.scenario,
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

function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    columns
      .map(({ width, align }, index) => fit(cells[index] ?? '', width, align))
      .join(gap)
      .trimEnd()
  const header = line(columns.map(({ title }) => title))
  const rule = columns.map(({ width }) => '-'.repeat(width)).join(gap)
  return [header, rule, ...(rows.length === 0 ? ['none'] : rows.map(line))]
}

/** Exactly `width` code points: padded or cut. Control characters become ?, so that no name can move the cursor. */
function fit(value: string, width: number, align: Column['align']): string {
  const characters = Array.from(value.replaceAll(/\p{C}/gu, '?'))
  const cut = characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : characters.join('')
  const padding = ' '.repeat(Math.max(0, width - characters.length))
  return align === 'left' ? `${cut}${padding}` : `${padding}${cut}`
}

function text(title: string, width: number): Column {
  return { title, width, align: 'left' }
}

function number(title: string, width: number): Column {
  return { title, width, align: 'right' }
}

function percent(share: number | null): string {
  return share === null ? '-' : `${(share * 100).toFixed(1)} %`
}

function interval({ low, high }: Proportion): string {
  return low === null || high === null ? '-' : `${(low * 100).toFixed(1)} - ${(high * 100).toFixed(1)} %`
}

function cases({ count, total }: Ratio): string {
  return `${count} of ${total}`
}

function decimal(value: number | null): string {
  return value === null ? '-' : value.toFixed(3)
}

function words(code: string): string {
  return code.replaceAll('_', ' ')
}
