/** Stated probability against what turned out to be true: over findings and over the apps that they name. Pure. */
import { mergeCalibrations, type Calibration } from '../../evaluate/statistics.ts'
import type { WorldSummary } from '../../evaluate/summary.ts'
import { circle, line, polyline, svg, text } from './svg.ts'

const SIDE = 320
const LEFT = 70
const TOP = 24
const WIDTH = 700
const HEIGHT = TOP + SIDE + 60

/** Radius of a bin's dot: its area grows with the share of the forecasts that are in it. Pixels. */
const RADIUS_MIN = 3
const RADIUS_MAX = 11

export function calibrationCurve(summaries: readonly WorldSummary[]): string {
  const findings = mergeCalibrations(summaries.map(({ calibration }) => calibration.findings))
  const apps = mergeCalibrations(summaries.map(({ calibration }) => calibration.members))
  return svg(WIDTH, HEIGHT, 'Calibration: stated probability against the share that turned out to be true', [
    ...axes(),
    line(place(0, 0), place(1, 1), 'grid'),
    ...curve(findings, 'ours'),
    ...curve(apps, 'second'),
    ...legend(TOP + 40, 'ours', 'findings', findings),
    ...legend(TOP + 120, 'second', 'apps named in findings', apps),
    text(LEFT + SIDE + 24, TOP + 200, 'on the diagonal: believe the number', { look: 'muted' }),
    text(LEFT + SIDE + 24, TOP + 220, 'below: too sure; above: too careful', { look: 'muted' }),
    text(LEFT + SIDE + 24, TOP + 240, 'size of a dot: how many', { look: 'muted' }),
  ])
}

function place(probability: number, observed: number): [number, number] {
  return [LEFT + probability * SIDE, TOP + (1 - observed) * SIDE]
}

function axes(): string[] {
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].flatMap((tick) => {
    const [x] = place(tick, 0)
    const [, y] = place(0, tick)
    return [
      line([x, TOP], [x, TOP + SIDE], 'grid'),
      line([LEFT, y], [LEFT + SIDE, y], 'grid'),
      text(x, TOP + SIDE + 20, String(tick), { anchor: 'middle', look: 'muted' }),
      text(LEFT - 8, y + 4, String(tick), { anchor: 'end', look: 'muted' }),
    ]
  })
  return [
    ...ticks,
    text(LEFT + SIDE / 2, TOP + SIDE + 44, 'stated probability', { anchor: 'middle' }),
    text(22, TOP + SIDE / 2, 'share that is true', { anchor: 'middle', rotate: -90 }),
  ]
}

function curve({ bins, forecasts }: Calibration, look: string): string[] {
  const points = bins.flatMap(({ mean_probability, observed, forecasts: inBin }) =>
    mean_probability === null || observed === null ? [] : [{ at: place(mean_probability, observed), inBin }],
  )
  const dots = points.map(({ at: [x, y], inBin }) =>
    circle(x, y, RADIUS_MIN + (RADIUS_MAX - RADIUS_MIN) * Math.sqrt(inBin / forecasts), look),
  )
  return [
    polyline(
      points.map(({ at }) => at),
      `${look}-line`,
    ),
    ...dots,
  ]
}

function legend(y: number, look: string, name: string, calibration: Calibration): string[] {
  const x = LEFT + SIDE + 24
  const { forecasts, expected_calibration_error: error } = calibration
  const words = error === null ? 'no forecasts' : `expected error ${error.toFixed(3)}, ${forecasts} forecasts`
  return [
    line([x, y - 4], [x + 28, y - 4], `${look}-line`),
    circle(x + 14, y - 4, 5, look),
    text(x + 38, y, name),
    text(x + 38, y + 20, words, { look: 'muted' }),
  ]
}
