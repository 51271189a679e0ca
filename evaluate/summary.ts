/**
 * Many worlds summed up: for each kind of world and strength, each method's means over the seeds with 95 % intervals. Pure.
 *
 * A published method is shown at its best setting: the one with the best mean pair F1 over the very worlds that it is then reported on. That is
 * generous to it, because who runs it does not have the truth to choose by. Worlds without violations have no F1; there it keeps the setting
 * that was best on average over all kinds of worlds with violations, and it is left out when there were none.
 */
import { z } from 'zod'
import { Ablation, sumAblations } from './ablation.ts'
import { MEASURES, MeasureName, recordOf } from './measures.ts'
import { estimate, mergeCalibrations, sum } from './statistics.ts'
import { DETECTOR, type MethodResult, type ScenarioFound, type WorldResult } from './world-result.ts'

const share = z.number().nullable()

const EstimatedMeasure = z.object({
  worlds: z.int(),
  mean: share,
  low: share,
  high: share,
  count: share.describe('Of all worlds together.'),
  total: share,
})
export type EstimatedMeasure = z.infer<typeof EstimatedMeasure>

const MethodSummary = z.object({
  method: z.string(),
  setting: z.string().nullable(),
  measures: z.record(MeasureName, EstimatedMeasure),
  found_by_scenario: z.array(z.object({ scenario: z.string(), held_out: z.boolean(), count: z.int(), total: z.int() })),
})
export type MethodSummary = z.infer<typeof MethodSummary>

const CalibrationSummary = z.object({
  forecasts: z.int(),
  expected_calibration_error: share,
  brier: share,
  bins: z.array(
    z.object({ from: z.number(), to: z.number(), forecasts: z.int(), mean_probability: share, observed: share }),
  ),
})

export const WorldSummary = z.object({
  world: z.string(),
  strength: z.string(),
  seeds: z.array(z.int()),
  apps: z.number().describe('Mean of a world.'),
  requests: z.number().describe('Mean of a world.'),
  violations: z.int().describe('Of all worlds together.'),
  methods: z.array(MethodSummary).describe('The detector first.'),
  calibration: z
    .object({ members: CalibrationSummary, findings: CalibrationSummary })
    .describe('Of the detector, over the forecasts of all worlds together.'),
  ablations: z.array(Ablation).describe('The detector without one part each, over all worlds together.'),
})
export type WorldSummary = z.infer<typeof WorldSummary>

/** One summary for each kind of world and strength, in order of first appearance. */
export function summarize(results: readonly WorldResult[]): WorldSummary[] {
  const kinds = [...Map.groupBy(results, ({ world, strength }) => JSON.stringify([world, strength])).values()]
  const withViolations = kinds.filter((worlds) => worlds.some(({ violations }) => violations > 0))
  return kinds.flatMap((worlds): WorldSummary[] => {
    const [first] = worlds
    if (first === undefined) return []
    const tuneOn = withViolations.includes(worlds) ? [worlds] : withViolations
    return [
      {
        world: first.world,
        strength: first.strength,
        seeds: worlds.map(({ seed }) => seed),
        apps: sum(worlds.map(({ card }) => card.simulation.apps)) / worlds.length,
        requests: sum(worlds.map(({ card }) => card.simulation.requests)) / worlds.length,
        violations: sum(worlds.map(({ violations }) => violations)),
        methods: summarizeMethods(worlds, tuneOn),
        calibration: {
          members: mergeCalibrations(worlds.map(({ card }) => card.calibration.members)),
          findings: mergeCalibrations(worlds.map(({ card }) => card.calibration.findings)),
        },
        ablations: sumAblations(worlds.flatMap(({ ablations }) => ablations)),
      },
    ]
  })
}

function summarizeMethods(
  worlds: readonly WorldResult[],
  tuneOn: readonly (readonly WorldResult[])[],
): MethodSummary[] {
  const names = [...new Set(worlds.flatMap(({ methods }) => methods.map(({ method }) => method)))]
  return names.flatMap((method): MethodSummary[] => {
    const setting = method === DETECTOR ? null : bestSetting(method, tuneOn)
    if (setting === undefined) return []
    return [
      summarizeMethod(
        method,
        setting,
        worlds.flatMap((world) => resultsOf(world, method, setting)),
      ),
    ]
  })
}

function resultsOf({ methods }: WorldResult, method: string, setting: string | null): MethodResult[] {
  return methods.filter((result) => result.method === method && result.setting === setting)
}

/** Undefined without a world to choose on. Of equals the one with the fewest false findings, then the first. */
function bestSetting(method: string, tuneOn: readonly (readonly WorldResult[])[]): string | undefined {
  if (tuneOn.length === 0) return undefined
  const results = tuneOn
    .flatMap((worlds) => worlds.flatMap(({ methods }) => methods))
    .filter((one) => one.method === method)
  const settings = [...new Set(results.flatMap(({ setting }) => setting ?? []))]
  const meanOf = (name: 'pair_f1' | 'false_findings', setting: string): number => {
    const means = tuneOn.map((worlds) => {
      const values = worlds.flatMap((world) => resultsOf(world, method, setting))
      return estimate(values.map(({ measures }) => measures[name].value)).mean ?? 0
    })
    return sum(means) / means.length
  }
  const ranked = settings.map((setting) => ({
    setting,
    f1: meanOf('pair_f1', setting),
    falseFindings: meanOf('false_findings', setting),
  }))
  return ranked.toSorted((one, other) => other.f1 - one.f1 || one.falseFindings - other.falseFindings)[0]?.setting
}

function summarizeMethod(method: string, setting: string | null, results: readonly MethodResult[]): MethodSummary {
  return {
    method,
    setting,
    measures: recordOf((name) => {
      const values = results.map(({ measures }) => measures[name])
      const max = MEASURES[name].unit === 'share' ? 1 : Infinity
      return {
        ...estimate(
          values.map(({ value }) => value),
          max,
        ),
        count: total(values.map(({ count }) => count)),
        total: total(values.map((value) => value.total)),
      }
    }),
    found_by_scenario: sumScenarios(results.flatMap(({ found_by_scenario }) => found_by_scenario)),
  }
}

function total(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : sum(known)
}

/** One row a scenario: tuned before held out, then by name. */
export function sumScenarios(rows: readonly ScenarioFound[]): ScenarioFound[] {
  return [...Map.groupBy(rows, rowOrder).entries()]
    .toSorted(([one], [other]) => (one < other ? -1 : Number(one > other)))
    .flatMap(([, [first, ...rest]]) =>
      first === undefined
        ? []
        : {
            scenario: first.scenario,
            held_out: first.held_out,
            count: first.count + sum(rest.map(({ count }) => count)),
            total: first.total + sum(rest.map((row) => row.total)),
          },
    )
}

function rowOrder({ held_out, scenario }: ScenarioFound): string {
  return `${Number(held_out)} ${scenario}`
}
