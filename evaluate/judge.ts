/**
 * Judges one finding, one violation, and the victims: the definitions that score.ts states. Pure.
 */
import type { PolicyCode } from '#schemas/finding.ts'
import type { TruthGroup } from '#schemas/truth.ts'
import { pairsTogether, type Membership } from './agreement.ts'
import type { Outcome } from './by-scenario.ts'
import {
  calibration,
  largest,
  proportion,
  ratio,
  sum,
  type Calibration,
  type Proportion,
  type Ratio,
} from './statistics.ts'

/** The latest revision of one finding, as far as it is scored. Probabilities in 0..1; `policies` strongest first. */
export interface PredictedCluster {
  readonly id: string
  readonly policies: readonly PolicyCode[]
  readonly probability: number
  readonly members: readonly PredictedMember[]
}

export interface PredictedMember {
  readonly app_id: string
  readonly probability: number
  /** An operator is accused, a victim is not; without a role the app is accused. */
  readonly role?: 'operator' | 'victim'
}

export interface FalseFinding {
  id: string
  apps: number
  reason: 'fewer_than_two_apps_of_a_violation' | 'no_violation_has_half'
}

/** Violations that are spread over several right findings. */
export interface Fragments {
  split: Proportion
  /** Findings beyond the first of each violation. */
  surplus_findings: number
  split_ids: string[]
}

/** Apps that the truth names as victims. */
export interface Victims {
  named_as_operators: Proportion
  /** Of all victims: told as victims by some finding, and accused by none. */
  told_as_victims: Ratio
  named_apps: string[]
}

/** Share of a violation in one finding, and of that finding in the violation, from which the violation counts as found. */
const foundShare = 0.8

export interface Cluster {
  finding: PredictedCluster
  apps: ReadonlySet<string>
}

export interface Violation {
  group: TruthGroup
  apps: ReadonlySet<string>
}

function operators({ members }: PredictedCluster): PredictedMember[] {
  return members.filter(({ role }) => role !== 'victim')
}

export function accusedBy(finding: PredictedCluster): Set<string> {
  return new Set(operators(finding).map(({ app_id }) => app_id))
}

export function violationOf(group: TruthGroup): Violation {
  return { group, apps: new Set(group.apps).difference(new Set(group.victims)) }
}

/** How many of `apps` are in each group: group index -> apps. */
function overlaps(apps: ReadonlySet<string>, groupsOf: Membership): Map<number, number> {
  const counts = new Map<number, number>()
  for (const app of apps) {
    for (const index of groupsOf.get(app) ?? []) counts.set(index, (counts.get(index) ?? 0) + 1)
  }
  return counts
}

/** When several overlapping findings find one violation, all of them must be labelled right. */
export function judgeViolation(
  { group, apps }: Violation,
  clusters: readonly Cluster[],
  clustersOf: Membership,
): Outcome {
  const shared = overlaps(apps, clustersOf)
  const finders = clusters.filter((cluster, index) => {
    const count = shared.get(index) ?? 0
    return count >= 2 && count / apps.size >= foundShare && count / cluster.apps.size >= foundShare
  })
  const found = finders.length > 0
  const labels = finders.map(({ finding }) => finding.policies.map((code) => group.policy.includes(code)))
  return {
    group,
    found,
    strict: found && labels.every(([first]) => first === true),
    listed: found && labels.every((acceptable) => acceptable.includes(true)),
    pairs: (apps.size * (apps.size - 1)) / 2,
    pairsRecalled: pairsTogether(apps, clustersOf),
  }
}

/** Null when the finding is right. */
export function judgeFinding({ finding, apps }: Cluster, violationsOf: Membership): FalseFinding | null {
  const best = largest(overlaps(apps, violationsOf).values()) ?? 0
  if (best < 2) return { id: finding.id, apps: apps.size, reason: 'fewer_than_two_apps_of_a_violation' }
  if (best * 2 < apps.size) return { id: finding.id, apps: apps.size, reason: 'no_violation_has_half' }
  return null
}

/** A violation is split when several findings are right about it: at least 2 of their apps, and half of them, are its own. */
export function judgeFragments(violations: readonly Violation[], clusters: readonly Cluster[]): Fragments {
  const split = violations.flatMap((violation) => {
    const fragments = clusters.filter(({ apps }) => {
      const common = apps.intersection(violation.apps).size
      return common >= 2 && common * 2 >= apps.size
    }).length
    return fragments > 1 ? [{ id: violation.group.id, surplus: fragments - 1 }] : []
  })
  return {
    split: proportion(split.length, violations.length),
    surplus_findings: sum(split.map(({ surplus }) => surplus)),
    split_ids: split.map(({ id }) => id),
  }
}

export function judgeVictims(
  groups: readonly TruthGroup[],
  predicted: readonly PredictedCluster[],
  clustersOf: Membership,
): Victims {
  const victims = [...new Set(groups.flatMap((group) => group.victims ?? []))]
  const told = new Set(predicted.flatMap(({ members }) => members.filter(({ role }) => role === 'victim')).map(appOf))
  const named = victims.filter((app) => clustersOf.has(app))
  return {
    named_as_operators: proportion(named.length, victims.length),
    told_as_victims: ratio(victims.filter((app) => told.has(app) && !clustersOf.has(app)).length, victims.length),
    named_apps: named,
  }
}

function appOf({ app_id }: PredictedMember): string {
  return app_id
}

/** Only apps in a finding have a probability, so misses do not show here. An app named twice counts with its highest. */
export function calibrate(
  clusters: readonly Cluster[],
  violationsOf: Membership,
  falseIds: ReadonlySet<string>,
): { members: Calibration; findings: Calibration } {
  const members = clusters.flatMap(({ finding, apps }) => {
    const shared = overlaps(apps, violationsOf)
    const highest = new Map<string, number>()
    for (const { app_id, probability } of operators(finding)) {
      highest.set(app_id, Math.max(probability, highest.get(app_id) ?? 0))
    }
    return [...highest].map(([app, probability]) => ({
      probability,
      outcome: (violationsOf.get(app) ?? []).some((violation) => (shared.get(violation) ?? 0) >= 2),
    }))
  })
  const findings = clusters.map(({ finding }) => ({
    probability: finding.probability,
    outcome: !falseIds.has(finding.id),
  }))
  return { members: calibration(members), findings: calibration(findings) }
}
