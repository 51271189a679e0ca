/**
 * Scores findings against what a simulation really contains. Pure: the same truth and findings give the same numbers, in any
 * order and under any names.
 *
 * - An app in a violation is violating, whatever other groups list it; every other app is innocent, exempt and look-alike apps too.
 * - A finding is right when more than half of its apps, and at least 2, are in one violation; otherwise it is false.
 * - A violation is found when one finding holds >= 80 % of its apps and >= 80 % of that finding's apps are in it.
 * - Without findings precision is null: 1 would reward silence, 0 would rank it with wrong accusations. F is then 0.
 */
import type { PolicyCode } from '#schemas/finding.ts'
import type { Truth, TruthGroup } from '#schemas/truth.ts'
import { SidestepError } from '#lib/errors.ts'
import {
  appAgreement,
  membership,
  pairAgreement,
  pairsTogether,
  type AppAgreement,
  type Membership,
  type PairAgreement,
} from './agreement.ts'
import {
  flaggedOf,
  foundOf,
  innocentRows,
  labelsOf,
  scenarioRows,
  type InnocentRow,
  type LabelAccuracy,
  type Outcome,
  type ScenarioRow,
} from './by-scenario.ts'
import { calibration, largest, proportion, type Calibration, type Proportion } from './statistics.ts'

/** The latest revision of one finding, as far as it is scored. Probabilities in 0..1; `policies` strongest first. */
export interface PredictedCluster {
  readonly id: string
  readonly policies: readonly PolicyCode[]
  readonly probability: number
  readonly members: readonly { readonly app_id: string; readonly probability: number }[]
}

interface FalseFinding {
  id: string
  apps: number
  reason: 'fewer_than_two_apps_of_a_violation' | 'no_violation_has_a_majority'
}

export interface Scorecard {
  simulation: { seed: number; from: string; to: string; apps: number; requests: number }
  findings: number
  found: Proportion
  found_held_out: Proportion
  missed_ids: string[]
  /** Findings that are right, of all findings. */
  precision: Proportion
  false_findings: FalseFinding[]
  /** Of all apps that are in no violation. */
  innocent_apps_accused: Proportion
  exempt_flagged: Proportion
  lookalikes_flagged: Proportion
  pairs: PairAgreement
  b_cubed: AppAgreement
  labels: LabelAccuracy
  by_scenario: ScenarioRow[]
  exempt: InnocentRow[]
  lookalikes: InnocentRow[]
  /** `members`: is this app in one violation with another app of its finding? `findings`: is this finding right? */
  calibration: { members: Calibration; findings: Calibration }
}

/** Share of a violation in one finding, and of that finding in the violation, from which the violation counts as found. */
const foundShare = 0.8

interface Cluster {
  finding: PredictedCluster
  apps: ReadonlySet<string>
}

interface Violation {
  group: TruthGroup
  apps: ReadonlySet<string>
}

/**
 * @param truth groups may overlap; a violation outweighs the other kinds
 * @param predicted one entry a finding; findings may overlap, an app named twice in one finding counts once
 * @throws SidestepError (usage) when ids repeat, a probability is outside 0..1, or there are more apps than truth.apps
 */
export function score(truth: Truth, predicted: readonly PredictedCluster[]): Scorecard {
  checkInput(truth, predicted)
  const clusters = predicted.map((finding) => ({ finding, apps: new Set(finding.members.map(({ app_id }) => app_id)) }))
  const violations = truth.groups
    .filter(({ kind }) => kind === 'violation')
    .map((group) => ({ group, apps: new Set(group.apps) }))
  const clustersOf = membership(clusters.map(({ apps }) => apps))
  const violationsOf = membership(violations.map(({ apps }) => apps))
  const outcomes = violations.map((violation) => judgeViolation(violation, clusters, clustersOf))
  const falseFindings = clusters.flatMap((cluster) => judgeFinding(cluster, violationsOf) ?? [])
  const accused = [...clustersOf.keys()].filter((app) => !violationsOf.has(app)).length
  const innocent = (kind: TruthGroup['kind']) =>
    innocentRows(
      truth.groups.filter((group) => group.kind === kind),
      clustersOf,
      violationsOf,
    )
  const [exempt, lookalikes] = [innocent('exempt'), innocent('lookalike')]
  return {
    simulation: { seed: truth.seed, from: truth.from, to: truth.to, apps: truth.apps, requests: truth.requests },
    findings: predicted.length,
    found: foundOf(outcomes),
    found_held_out: foundOf(outcomes.filter(({ group }) => group.held_out === true)),
    missed_ids: outcomes.filter(({ found }) => !found).map(({ group }) => group.id),
    precision: proportion(predicted.length - falseFindings.length, predicted.length),
    false_findings: falseFindings,
    innocent_apps_accused: proportion(accused, truth.apps - violationsOf.size),
    exempt_flagged: flaggedOf(exempt),
    lookalikes_flagged: flaggedOf(lookalikes),
    pairs: pairAgreement(clustersOf, violationsOf),
    b_cubed: appAgreement(clustersOf, violationsOf),
    labels: labelsOf(outcomes),
    by_scenario: scenarioRows(outcomes),
    exempt,
    lookalikes,
    calibration: calibrate(clusters, violationsOf, new Set(falseFindings.map(({ id }) => id))),
  }
}

function checkInput(truth: Truth, predicted: readonly PredictedCluster[]): void {
  const named = new Set<string>()
  for (const group of truth.groups) for (const app of group.apps) named.add(app)
  for (const { members } of predicted) for (const { app_id } of members) named.add(app_id)
  if (named.size > truth.apps) {
    const message = `The truth has ${truth.apps} apps, but its groups and the findings name ${named.size}. Score findings against the truth.json of the same simulation.`
    throw new SidestepError('usage', message)
  }
  const group = repeated(truth.groups.map(({ id }) => id))
  if (group !== undefined)
    throw new SidestepError('usage', `Two truth groups have the id ${group}. Give each its own id.`)
  const finding = repeated(predicted.map(({ id }) => id))
  if (finding !== undefined) {
    throw new SidestepError(
      'usage',
      `Finding ${finding} is given twice. Pass only the latest revision of each finding.`,
    )
  }
  for (const { id, probability, members } of predicted) {
    const wrong = [probability, ...members.map((member) => member.probability)].find((p) => !(p >= 0 && p <= 1))
    if (wrong !== undefined) {
      throw new SidestepError('usage', `Finding ${id} has the probability ${wrong}. Pass probabilities in 0..1.`)
    }
  }
}

function repeated(ids: readonly string[]): string | undefined {
  const seen = new Set<string>()
  return ids.find((id) => seen.size === seen.add(id).size)
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
function judgeViolation({ group, apps }: Violation, clusters: readonly Cluster[], clustersOf: Membership): Outcome {
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
function judgeFinding({ finding, apps }: Cluster, violationsOf: Membership): FalseFinding | null {
  const best = largest(overlaps(apps, violationsOf).values()) ?? 0
  if (best < 2) return { id: finding.id, apps: apps.size, reason: 'fewer_than_two_apps_of_a_violation' }
  if (best * 2 <= apps.size) return { id: finding.id, apps: apps.size, reason: 'no_violation_has_a_majority' }
  return null
}

/** Only apps in a finding have a probability, so misses do not show here. An app named twice counts with its highest. */
function calibrate(
  clusters: readonly Cluster[],
  violationsOf: Membership,
  falseIds: ReadonlySet<string>,
): Scorecard['calibration'] {
  const members = clusters.flatMap(({ finding, apps }) => {
    const shared = overlaps(apps, violationsOf)
    const highest = new Map<string, number>()
    for (const { app_id, probability } of finding.members) {
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
