/**
 * Sums up judged groups: violations by scenario and strength, innocent groups by scenario; held-out groups never share a row
 * with the ones that tuning saw. Pure. Rows are sorted: tuned before held out, then by scenario, then from weak to strong.
 */
import type { TruthGroup } from '#schemas/truth.ts'
import type { Membership } from './agreement.ts'
import { proportion, ratio, sum, type Proportion, type Ratio } from './statistics.ts'

/** Right policy codes among found violations: the first code is an acceptable one; any listed code is. */
export interface LabelAccuracy {
  strict: Proportion
  listed: Proportion
}

/** Violations of one strength. */
export interface StrengthRow {
  strength: 'weak' | 'medium' | 'strong' | null
  held_out: boolean
  found: Proportion
  pair_recall: Ratio
  labels: LabelAccuracy
}

/** Violations of one scenario and strength. */
export interface ScenarioRow extends StrengthRow {
  scenario: string
}

/** Innocent groups of one scenario. A group is flagged when one of its innocent apps is in a finding. */
export interface InnocentRow {
  scenario: string
  held_out: boolean
  flagged: Proportion
  apps_accused: Ratio
  flagged_ids: string[]
}

/** One violation's result; the labels are false unless it is found. */
export interface Outcome {
  group: TruthGroup
  found: boolean
  strict: boolean
  listed: boolean
  pairs: number
  pairsRecalled: number
}

export function scenarioRows(outcomes: readonly Outcome[]): ScenarioRow[] {
  const rows: ScenarioRow[] = []
  for (const [{ group }, row] of rowsBy(outcomes, (outcome) => outcome.group.scenario)) {
    rows.push({ scenario: group.scenario, ...row })
  }
  return rows
}

export function strengthRows(outcomes: readonly Outcome[]): StrengthRow[] {
  return rowsBy(outcomes, () => '').map(([, row]) => row)
}

/** One row, with its first outcome, for each `name` and strength. */
function rowsBy(outcomes: readonly Outcome[], name: (outcome: Outcome) => string): [Outcome, StrengthRow][] {
  const rows = Map.groupBy(outcomes, (outcome) => {
    const { held_out, strength } = outcome.group
    return JSON.stringify([held_out === true, name(outcome), strengthRank(strength), strength ?? null])
  })
  return [...rows.entries()].toSorted(byKey).flatMap(([, cases]): [Outcome, StrengthRow][] => {
    const [first] = cases
    if (first === undefined) return []
    return [[first, rowOf(first.group, cases)]]
  })
}

function rowOf({ strength, held_out }: TruthGroup, cases: readonly Outcome[]): StrengthRow {
  return {
    strength: strength ?? null,
    held_out: held_out === true,
    found: foundOf(cases),
    pair_recall: ratio(sum(cases.map((one) => one.pairsRecalled)), sum(cases.map((one) => one.pairs))),
    labels: labelsOf(cases),
  }
}

function strengthRank(strength: TruthGroup['strength']): number {
  return ['weak', 'medium', 'strong'].indexOf(strength ?? '')
}

export function innocentRows(
  groups: readonly TruthGroup[],
  clustersOf: Membership,
  violationsOf: Membership,
): InnocentRow[] {
  const judged = groups.map((group) => {
    const apps = [...new Set(group.apps)].filter((app) => !violationsOf.has(app))
    return { group, apps: apps.length, accused: apps.filter((app) => clustersOf.has(app)).length }
  })
  const rows = Map.groupBy(judged, ({ group }) => JSON.stringify([group.held_out === true, group.scenario]))
  return [...rows.entries()].toSorted(byKey).flatMap(([, [first, ...rest]]) => {
    if (first === undefined) return []
    const cases = [first, ...rest]
    const flagged = cases.filter(({ accused }) => accused > 0)
    return {
      scenario: first.group.scenario,
      held_out: first.group.held_out === true,
      flagged: proportion(flagged.length, cases.length),
      apps_accused: ratio(sum(cases.map(({ accused }) => accused)), sum(cases.map(({ apps }) => apps))),
      flagged_ids: flagged.map(({ group }) => group.id),
    }
  })
}

function byKey([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : Number(one > other)
}

export function foundOf(outcomes: readonly Outcome[]): Proportion {
  return proportion(outcomes.filter(({ found }) => found).length, outcomes.length)
}

export function labelsOf(outcomes: readonly Outcome[]): LabelAccuracy {
  const found = outcomes.filter((outcome) => outcome.found)
  return {
    strict: proportion(found.filter(({ strict }) => strict).length, found.length),
    listed: proportion(found.filter(({ listed }) => listed).length, found.length),
  }
}

export function flaggedOf(rows: readonly InnocentRow[]): Proportion {
  return proportion(sum(rows.map(({ flagged }) => flagged.count)), sum(rows.map(({ flagged }) => flagged.total)))
}
