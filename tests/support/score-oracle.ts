/**
 * Small and random cases for scoring, and an independent oracle for them: naive, quadratic, sharing no code with evaluate/.
 */
import * as fc from 'fast-check'
import type { PredictedCluster } from '../../evaluate/judge.ts'
import type { PolicyCode } from '#schemas/finding.ts'
import type { Truth, TruthGroup } from '#schemas/truth.ts'

/** Apps are single letters: 'abc' is three apps. */
export function group(id: string, apps: string, more: Partial<TruthGroup> = {}): TruthGroup {
  return {
    id,
    scenario: 's',
    kind: 'violation',
    policy: ['duplicate_apps_single_owner'],
    apps: apps.split(''),
    ...more,
  }
}

export function truthOf(groups: TruthGroup[], apps = 10): Truth {
  return { seed: 7, from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', apps, requests: 1000, groups }
}

export function cluster(
  id: string,
  apps: string,
  policies: PolicyCode[] = ['duplicate_apps_single_owner'],
): PredictedCluster {
  return { id, policies, probability: 0.9, members: apps.split('').map((app_id) => ({ app_id, probability: 0.9 })) }
}

/** What the oracle and `score` both read. */
export interface Case {
  truth: Truth
  predicted: PredictedCluster[]
}

/** Every app of a random case. */
export const letters = Array.from('abcdefghijkl')
const sets = fc.array(fc.subarray(letters, { minLength: 1 }), { maxLength: 5 })
/** A label for each app: 0 = in no group. */
const partition = fc
  .array(fc.nat(4), { minLength: letters.length, maxLength: letters.length })
  .map((labels) => [1, 2, 3, 4].map((label) => letters.filter((_, index) => labels[index] === label)))
  .map((parts) => parts.filter((part) => part.length > 0))
const kinds = fc.array(fc.constantFrom('violation', 'violation', 'exempt', 'lookalike'), { minLength: 5, maxLength: 5 })
/** Random truth and findings: partitions, and groups that overlap; some apps are victims, some are told as that. */
export const cases: fc.Arbitrary<Case> = fc
  .tuple(fc.oneof(sets, partition), fc.oneof(sets, partition), kinds, fc.infiniteStream(fc.nat(100)))
  .map(([actual, predicted, kind, percents]) => {
    const p = () => Number(percents.next().value) / 100
    const rarely = () => p() > 0.9
    return {
      truth: truthOf(
        actual.map((apps, i) =>
          group(`v${i}`, apps.join(''), { kind: kind[i] ?? 'violation', victims: letters.filter(rarely) }),
        ),
        12,
      ),
      predicted: predicted.map((apps, i) => ({
        ...cluster(`c${i}`, ''),
        probability: p(),
        members: apps.map((app_id) => ({ app_id, probability: p(), ...(rarely() ? { role: 'victim' } : {}) })),
      })),
    }
  })

/** Written from the definitions, app by app and pair by pair, without the code under test. */
export function oracle({ truth, predicted }: Case) {
  const actual = truth.groups
    .filter(({ kind }) => kind === 'violation')
    .map(({ apps, victims }) => apps.filter((app) => victims?.includes(app) !== true))
  const accusing = predicted.map(({ members }) => members.filter(({ role }) => role !== 'victim'))
  const findings = accusing.map((members) => members.map(({ app_id }) => app_id))
  const rightOn = (v: string[], f: string[]) => common(v, f) >= 2 && common(v, f) >= f.length / 2
  const right = findings.filter((f) => actual.some((v) => rightOn(v, f)))
  const fragments = actual.map((v) => findings.filter((f) => rightOn(v, f)).length)
  const victims = letters.filter((app) => truth.groups.some((g) => g.victims?.includes(app) === true))
  const told = predicted.flatMap(({ members }) => members.filter(({ role }) => role === 'victim'))
  const pairs = letters.flatMap((a, index) => letters.slice(index + 1).map((b) => [a, b] as const))
  const hits = (groups: string[][]) => pairs.filter(([a, b]) => shared(groups, a, b) > 0)
  const innocentAccused = letters.filter((a) => shared(findings, a, a) > 0 && shared(actual, a, a) === 0)
  const lookalikes = truth.groups.filter(({ kind }) => kind === 'lookalike')
  const errors = accusing.flatMap((members) =>
    members.map(({ app_id: app, probability }) => {
      const partners = members.filter((other) => other.app_id !== app && shared(actual, app, other.app_id) > 0)
      return (probability - Math.min(1, partners.length)) ** 2
    }),
  )
  return {
    pairs: [
      hits(findings).filter(([a, b]) => shared(actual, a, b) > 0).length,
      hits(findings).length,
      hits(actual).length,
    ],
    bCubed: [bCubed(findings, actual), bCubed(actual, findings)].map((value) => value?.toFixed(9)),
    right: right.length,
    found: actual.filter((v) =>
      findings.some((f) => common(v, f) >= 2 && 5 * common(v, f) >= 4 * Math.max(v.length, f.length)),
    ).length,
    accused: innocentAccused.length,
    lookalikes: lookalikes.filter(({ apps }) => common(apps, innocentAccused) > 0).length,
    brier: mean(errors)?.toFixed(9),
    accusedRightly: innocentAccused.filter((a) => shared(right, a, a) > 0).length,
    split: [fragments.filter((n) => n > 1).length, fragments.reduce((total, n) => total + Math.max(0, n - 1), 0)],
    victims: [
      victims.filter((app) => shared(findings, app, app) > 0).length,
      victims.length,
      victims.filter((app) => shared(findings, app, app) === 0 && told.some((member) => member.app_id === app)).length,
    ],
  }
}

/** How many of `groups` hold both apps. */
function shared(groups: string[][], a: string, b: string): number {
  return groups.filter((apps) => apps.includes(a) && apps.includes(b)).length
}

function common(one: string[], other: string[]): number {
  return one.filter((app) => other.includes(app)).length
}

function mean(values: number[]): number | null {
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0) / values.length
}

/** Amigó et al. 2009: the mean, over apps that `of` groups, of the mean multiplicity with each neighbour. */
function bCubed(of: string[][], against: string[][]): number | null {
  const grouped = letters.filter((a) => shared(of, a, a) > 0)
  return mean(
    grouped.map((a) => {
      const near = letters.filter((b) => shared(of, a, b) > 0)
      return mean(near.map((b) => Math.min(shared(of, a, b), shared(against, a, b)) / shared(of, a, b))) ?? 0
    }),
  )
}
