/**
 * Scores findings against what a simulation really contains. Pure: the same truth and findings give the same numbers, in any
 * order and under any names.
 *
 * - A finding accuses those of its apps that it names as operators; an app that it names as a victim is not accused. All that is said
 *   below of the apps of a finding is said of the accused ones.
 * - An app in a violation is violating, whatever other groups list it; every other app is innocent, exempt and look-alike apps too.
 *   The victims of a violation (framed, or with a stolen key) are no part of it.
 * - A finding is right when at least half of its apps, and at least 2, are in one violation; otherwise it is false.
 * - A violation is found when one finding holds >= 80 % of its apps and >= 80 % of that finding's apps are in it.
 * - Without findings precision is null: 1 would reward silence, 0 would rank it with wrong accusations. F is then 0.
 */
import type { Truth, TruthGroup } from '#schemas/truth.ts'
import { SidestepError } from '#lib/errors.ts'
import {
  appAgreement,
  membership,
  pairAgreement,
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
  strengthRows,
  type InnocentRow,
  type LabelAccuracy,
  type ScenarioRow,
  type StrengthRow,
} from './by-scenario.ts'
import {
  accusedBy,
  calibrate,
  judgeFinding,
  judgeFragments,
  judgeVictims,
  judgeViolation,
  violationOf,
  type Cluster,
  type FalseFinding,
  type Fragments,
  type PredictedCluster,
  type Victims,
} from './judge.ts'
import { proportion, type Calibration, type Proportion } from './statistics.ts'

export interface Scorecard {
  simulation: { seed: number; world: string | null; from: string; to: string; apps: number; requests: number }
  findings: number
  found: Proportion
  found_held_out: Proportion
  missed_ids: string[]
  /** Findings that are right, of all findings. */
  precision: Proportion
  false_findings: FalseFinding[]
  /** Of all apps that are in no violation. */
  innocent_apps_accused: Proportion
  /** Innocent apps named by findings that are right: the part of the damage that false findings do not show. */
  innocent_apps_in_right_findings: number
  victims: Victims
  fragments: Fragments
  exempt_flagged: Proportion
  lookalikes_flagged: Proportion
  pairs: PairAgreement
  b_cubed: AppAgreement
  labels: LabelAccuracy
  by_strength: StrengthRow[]
  by_scenario: ScenarioRow[]
  exempt: InnocentRow[]
  lookalikes: InnocentRow[]
  /** `members`: is this app in one violation with another app of its finding? `findings`: is this finding right? */
  calibration: { members: Calibration; findings: Calibration }
}

/**
 * @param truth groups may overlap; a violation outweighs the other kinds
 * @param predicted one entry a finding; findings may overlap, an app named twice in one finding counts once
 * @throws SidestepError (usage) when ids repeat, a probability is outside 0..1, or there are more apps than truth.apps
 */
export function score(truth: Truth, predicted: readonly PredictedCluster[]): Scorecard {
  checkInput(truth, predicted)
  const clusters = predicted.map((finding) => ({ finding, apps: accusedBy(finding) }))
  const violations = truth.groups.filter(({ kind }) => kind === 'violation').map(violationOf)
  const clustersOf = membership(clusters.map(({ apps }) => apps))
  const violationsOf = membership(violations.map(({ apps }) => apps))
  const outcomes = violations.map((violation) => judgeViolation(violation, clusters, clustersOf))
  const falseFindings = clusters.flatMap((cluster) => judgeFinding(cluster, violationsOf) ?? [])
  const falseIds = new Set(falseFindings.map(({ id }) => id))
  const right = clusters.filter(({ finding }) => !falseIds.has(finding.id))
  const innocent = (kind: TruthGroup['kind']) =>
    innocentRows(
      truth.groups.filter((group) => group.kind === kind),
      clustersOf,
      violationsOf,
    )
  const [exempt, lookalikes] = [innocent('exempt'), innocent('lookalike')]
  return {
    simulation: simulationOf(truth),
    findings: predicted.length,
    found: foundOf(outcomes),
    found_held_out: foundOf(outcomes.filter(({ group }) => group.held_out === true)),
    missed_ids: outcomes.filter(({ found }) => !found).map(({ group }) => group.id),
    precision: proportion(right.length, predicted.length),
    false_findings: falseFindings,
    innocent_apps_accused: proportion(innocentApps(clusters, violationsOf), truth.apps - violationsOf.size),
    innocent_apps_in_right_findings: innocentApps(right, violationsOf),
    victims: judgeVictims(truth.groups, predicted, clustersOf),
    fragments: judgeFragments(violations, clusters),
    exempt_flagged: flaggedOf(exempt),
    lookalikes_flagged: flaggedOf(lookalikes),
    pairs: pairAgreement(clustersOf, violationsOf),
    b_cubed: appAgreement(clustersOf, violationsOf),
    labels: labelsOf(outcomes),
    by_strength: strengthRows(outcomes),
    by_scenario: scenarioRows(outcomes),
    exempt,
    lookalikes,
    calibration: calibrate(clusters, violationsOf, falseIds),
  }
}

function simulationOf({ seed, world, from, to, apps, requests }: Truth): Scorecard['simulation'] {
  return { seed, world: world ?? null, from, to, apps, requests }
}

/** Apps of no violation that some of these findings accuse. */
function innocentApps(clusters: readonly Cluster[], violationsOf: Membership): number {
  const accused = new Set(clusters.flatMap(({ apps }) => [...apps]))
  return [...accused].filter((app) => !violationsOf.has(app)).length
}

function checkInput(truth: Truth, predicted: readonly PredictedCluster[]): void {
  const named = new Set<string>()
  for (const group of truth.groups) for (const app of [...group.apps, ...(group.victims ?? [])]) named.add(app)
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
