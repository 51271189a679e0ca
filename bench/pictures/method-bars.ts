/** Bars: what each method finds, its false findings and the benign apps that it names, a row of three charts for each kind of world. Pure. */
import type { MeasureName } from '../../evaluate/measures.ts'
import { worldTitle } from '../../evaluate/summary-report.ts'
import type { MethodSummary, WorldSummary } from '../../evaluate/summary.ts'
import { DETECTOR } from '../../evaluate/world-result.ts'
import { rect, svg, text } from './svg.ts'

interface Chart {
  readonly name: MeasureName
  readonly title: string
  readonly show: (value: number) => string
  /** What a full bar is worth; undefined: the largest value of the chart over all worlds. */
  readonly full?: number
}

const CHARTS: readonly Chart[] = [
  { name: 'found', title: 'violations found', show: (value) => `${Math.round(value * 100)} %`, full: 1 },
  { name: 'false_findings', title: 'false findings a world', show: (value) => value.toFixed(1) },
  { name: 'benign_apps_named', title: 'benign apps named a world', show: (value) => value.toFixed(1) },
]

const LABEL_WIDTH = 240
const CHART_WIDTH = 165
const VALUE_WIDTH = 50
const CHART_GAP = 15
const ROW_HEIGHT = 22
const BAR_HEIGHT = 14
const PANEL_HEAD = 48
const MARGIN = 16

const WIDTH = MARGIN * 2 + LABEL_WIDTH + CHARTS.length * (CHART_WIDTH + VALUE_WIDTH + CHART_GAP)

export function methodBars(summaries: readonly WorldSummary[]): string {
  const fulls = CHARTS.map(({ name, full }) => full ?? largestMean(summaries, name))
  const body: string[] = []
  let y = MARGIN
  for (const summary of summaries) {
    body.push(...panel(summary, fulls, y))
    y += PANEL_HEAD + summary.methods.length * ROW_HEIGHT + MARGIN
  }
  return svg(WIDTH, y, 'Violations found, false findings and benign apps named, by method and kind of world', body)
}

function largestMean(summaries: readonly WorldSummary[], name: MeasureName): number {
  const means = summaries.flatMap(({ methods }) => methods.map(({ measures }) => measures[name].mean ?? 0))
  return Math.max(1e-9, ...means)
}

function panel(summary: WorldSummary, fulls: readonly number[], top: number): string[] {
  const heads = CHARTS.map(({ title }, index) => text(chartX(index), top + 38, title, { look: 'muted' }))
  const rows = summary.methods.flatMap((method, row) => {
    const y = top + PANEL_HEAD + row * ROW_HEIGHT
    const look = method.method === DETECTOR ? 'title' : ''
    return [
      text(MARGIN, y + BAR_HEIGHT - 2, method.method, { look }),
      ...CHARTS.flatMap((chart, index) => bar(method, chart, fulls[index] ?? 1, chartX(index), y)),
    ]
  })
  return [text(MARGIN, top + 16, worldTitle(summary), { look: 'title' }), ...heads, ...rows]
}

function chartX(index: number): number {
  return MARGIN + LABEL_WIDTH + index * (CHART_WIDTH + VALUE_WIDTH + CHART_GAP)
}

function bar({ method, measures }: MethodSummary, chart: Chart, full: number, x: number, y: number): string[] {
  const { mean } = measures[chart.name]
  const track = rect({ x, y, width: CHART_WIDTH, height: BAR_HEIGHT }, 'track')
  const label = text(x + CHART_WIDTH + 6, y + BAR_HEIGHT - 2, mean === null ? '–' : chart.show(mean))
  const width = CHART_WIDTH * Math.min(1, (mean ?? 0) / full)
  const filled = rect({ x, y, width, height: BAR_HEIGHT }, method === DETECTOR ? 'ours' : 'theirs')
  return width === 0 ? [track, label] : [track, filled, label]
}
