/**
 * What is compared between methods, worlds and seeds: one number each out of a scorecard, so that a mean over seeds means the same for all. Pure.
 */
import { z } from 'zod'
import type { Scorecard } from './score.ts'
import type { Ratio } from './statistics.ts'

export const MeasureName = z.enum([
  'found',
  'found_held_out',
  'pair_precision',
  'pair_recall',
  'pair_f1',
  'false_findings',
  'benign_apps_named',
  'benign_apps_in_right_findings',
  'environments_accused',
  'lookalikes_flagged',
  'victims_named',
  'violations_split',
  'first_code_right',
  'any_code_right',
  'calibration_error_apps',
  'calibration_error_findings',
])
export type MeasureName = z.infer<typeof MeasureName>

/** A number of one world; `total` is what it was out of, where that makes sense. Null where there was nothing to measure. */
export interface Measured {
  readonly value: number | null
  readonly count: number | null
  readonly total: number | null
}

export interface Measure {
  readonly title: string
  /** share: 0..1; count: things a world. */
  readonly unit: 'share' | 'count'
  readonly of: (card: Scorecard) => Measured
}

const share = ({ share: value, count, total }: Ratio): Measured => ({ value, count, total })
/** How many, out of how many; nothing where there were none. */
const number = ({ count, total }: Ratio): Measured => ({ value: total === 0 ? null : count, count, total })
const plain = (value: number | null): Measured => ({ value, count: null, total: null })

export const MEASURES: Readonly<Record<MeasureName, Measure>> = {
  found: { title: 'violations found', unit: 'share', of: (card) => share(card.found) },
  found_held_out: { title: '  of the held-out scenarios', unit: 'share', of: (card) => share(card.found_held_out) },
  pair_precision: { title: 'pairs: precision', unit: 'share', of: (card) => plain(card.pairs.precision.share) },
  pair_recall: { title: 'pairs: recall', unit: 'share', of: (card) => plain(card.pairs.recall.share) },
  pair_f1: { title: 'pairs: F1', unit: 'share', of: (card) => plain(card.pairs.f1) },
  false_findings: {
    title: 'false findings a world',
    unit: 'count',
    of: (card) => ({ value: card.false_findings.length, count: card.false_findings.length, total: card.findings }),
  },
  benign_apps_named: {
    title: 'benign apps named a world',
    unit: 'count',
    of: (card) => number(card.innocent_apps_accused),
  },
  benign_apps_in_right_findings: {
    title: '  of them in right findings',
    unit: 'count',
    of: (card) => plain(card.innocent_apps_in_right_findings),
  },
  environments_accused: {
    title: 'honest environments accused a world',
    unit: 'count',
    of: (card) => number(card.exempt_flagged),
  },
  lookalikes_flagged: {
    title: 'look-alike groups flagged a world',
    unit: 'count',
    of: (card) => number(card.lookalikes_flagged),
  },
  victims_named: {
    title: 'victims named as operators a world',
    unit: 'count',
    of: (card) => number(card.victims.named_as_operators),
  },
  violations_split: {
    title: 'violations split over findings a world',
    unit: 'count',
    of: (card) => number(card.fragments.split),
  },
  first_code_right: {
    title: 'policy right: first code',
    unit: 'share',
    of: (card) => share(card.labels.strict),
  },
  any_code_right: { title: 'policy right: any code', unit: 'share', of: (card) => share(card.labels.listed) },
  calibration_error_apps: {
    title: 'calibration error, apps',
    unit: 'share',
    of: (card) => plain(card.calibration.members.expected_calibration_error),
  },
  calibration_error_findings: {
    title: 'calibration error, findings',
    unit: 'share',
    of: (card) => plain(card.calibration.findings.expected_calibration_error),
  },
}

export function measure(card: Scorecard): Readonly<Record<MeasureName, Measured>> {
  return recordOf((name) => MEASURES[name].of(card))
}

/** A value for each measure. */
export function recordOf<Value>(value: (name: MeasureName) => Value): Record<MeasureName, Value> {
  return {
    found: value('found'),
    found_held_out: value('found_held_out'),
    pair_precision: value('pair_precision'),
    pair_recall: value('pair_recall'),
    pair_f1: value('pair_f1'),
    false_findings: value('false_findings'),
    benign_apps_named: value('benign_apps_named'),
    benign_apps_in_right_findings: value('benign_apps_in_right_findings'),
    environments_accused: value('environments_accused'),
    lookalikes_flagged: value('lookalikes_flagged'),
    victims_named: value('victims_named'),
    violations_split: value('violations_split'),
    first_code_right: value('first_code_right'),
    any_code_right: value('any_code_right'),
    calibration_error_apps: value('calibration_error_apps'),
    calibration_error_findings: value('calibration_error_findings'),
  }
}
