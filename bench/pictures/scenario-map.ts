/** Heat map: the share of the violations of each scenario that is found, by the detector in each kind of world and by the other methods. Pure. */
import { sumScenarios, type MethodSummary, type WorldSummary } from '../../evaluate/summary.ts'
import { DETECTOR, type ScenarioFound } from '../../evaluate/world-result.ts'
import { rect, svg, text } from './svg.ts'

interface MapColumn {
  readonly title: string
  readonly rows: readonly ScenarioFound[]
}

const LABEL_WIDTH = 270
const CELL_WIDTH = 74
const CELL_HEIGHT = 22
const HEAD = 150
const MARGIN = 16
/** Between the detector's columns and those of the other methods. */
const GROUP_GAP = 18

/** A share of nothing is still drawn faintly, so that "none found" differs from "none there". */
const OPACITY_MIN = 0.06
/** From this share on the cell is dark enough for the text to need the other colour. */
const CONTRAST_SHARE = 0.65

export function scenarioMap(summaries: readonly WorldSummary[]): string {
  const withViolations = summaries.filter(({ violations }) => violations > 0)
  const ours = withViolations.map(({ world, strength, methods }) => ({
    title: `${DETECTOR}: ${world}, ${strength}`,
    rows: methods.find(({ method }) => method === DETECTOR)?.found_by_scenario ?? [],
  }))
  const theirs = peerColumns(withViolations.flatMap(({ methods }) => methods))
  const scenarios = sumScenarios(ours.flatMap(({ rows }) => rows))
  const body = [
    ...columnCells(ours, 0, scenarios),
    ...columnCells(theirs, ours.length * CELL_WIDTH + GROUP_GAP, scenarios),
    ...scenarios.map(({ scenario, held_out }, row) =>
      text(MARGIN + LABEL_WIDTH - 10, rowY(row) + 15, `${words(scenario)}${held_out ? ' (held out)' : ''}`, {
        anchor: 'end',
      }),
    ),
  ]
  // The last slanted title leans out to the right.
  const width = MARGIN * 2 + LABEL_WIDTH + (ours.length + theirs.length) * CELL_WIDTH + GROUP_GAP + 100
  return svg(width, rowY(scenarios.length) + MARGIN, 'Share of the violations found, by scenario and method', body)
}

/** The other methods, each over all kinds of worlds together. */
function peerColumns(methods: readonly MethodSummary[]): MapColumn[] {
  const peers = methods.filter(({ method }) => method !== DETECTOR)
  return [...Map.groupBy(peers, ({ method }) => method)].map(([title, summaries]) => ({
    title,
    rows: sumScenarios(summaries.flatMap(({ found_by_scenario }) => found_by_scenario)),
  }))
}

function rowY(row: number): number {
  return HEAD + row * CELL_HEIGHT
}

function columnCells(columns: readonly MapColumn[], offset: number, scenarios: readonly ScenarioFound[]): string[] {
  return columns.flatMap(({ title, rows }, index) => {
    const x = MARGIN + LABEL_WIDTH + offset + index * CELL_WIDTH
    const found = new Map(rows.map((row) => [row.scenario, row]))
    return [
      text(x + CELL_WIDTH / 2, HEAD - 10, title, { rotate: -35 }),
      ...scenarios.flatMap(({ scenario }, row) => cell(x, rowY(row), found.get(scenario))),
    ]
  })
}

function cell(x: number, y: number, found: ScenarioFound | undefined): string[] {
  const box = { x: x + 1, y: y + 1, width: CELL_WIDTH - 2, height: CELL_HEIGHT - 2 }
  if (found === undefined || found.total === 0) return [rect(box, 'track')]
  const share = found.count / found.total
  const look = share >= CONTRAST_SHARE ? 'on-ours' : ''
  return [
    rect(box, 'track'),
    rect(box, 'ours', OPACITY_MIN + (1 - OPACITY_MIN) * share),
    text(x + CELL_WIDTH / 2, y + 15, `${found.count} of ${found.total}`, { anchor: 'middle', look }),
  ]
}

function words(name: string): string {
  return name.replaceAll('_', ' ')
}
