/**
 * Clusters: apps believed to be one use case of one operator. The unit of a finding.
 *
 * Groups against their background enter whole and are merged where they share members; accepted pairs then join what they link, the surest
 * first, but only where enough of the possible links between both sides are accepted (average linkage): one false edge chains nothing. The order
 * of input never changes the result.
 */
import type { PairLedgers } from '../evidence/ledgers.ts'
import type { MixModel } from '../evidence/route-mix.ts'
import type { Tuning } from '../tuning.ts'
import type { Group } from './groups.ts'

export interface DraftCluster {
  /** App numbers, ascending. */
  readonly apps: readonly number[]
  /** Groups that it contains, the most surprising first. */
  readonly groups: readonly Group[]
  /** Accepted links between its members. */
  readonly links: readonly PairLedgers[]
}

const strength = (link: PairLedgers): number => link.operatorBits + link.useCaseBits

const key = (a: number, b: number): string => (a < b ? `${a} ${b}` : `${b} ${a}`)

/** Groups that have a good part of the lesser one's members in common, and do the same, are one. */
export function mergeGroups(
  groups: readonly Group[],
  model: MixModel,
  { groups: tuning }: Tuning,
): (readonly Group[])[] {
  const isAlike = (one: Group, other: Group): boolean =>
    model.logProbability(other.mix, one.mix) - model.logProbability(other.mix) > tuning.letInBits &&
    model.logProbability(one.mix, other.mix) - model.logProbability(one.mix) > tuning.letInBits
  const merged: { apps: Set<number>; groups: Group[] }[] = []
  for (const group of groups.toSorted(
    (x, y) => y.surpriseBits - x.surpriseBits || (x.apps[0] ?? 0) - (y.apps[0] ?? 0),
  )) {
    const into = merged.find(({ apps, groups: some }) => {
      const common = group.apps.filter((app) => apps.has(app)).length
      return (
        common >= 2 &&
        common >= tuning.mergeShareMin * Math.min(apps.size, group.apps.length) &&
        some.every((one) => isAlike(one, group))
      )
    })
    if (into === undefined) merged.push({ apps: new Set(group.apps), groups: [group] })
    else {
      for (const app of group.apps) into.apps.add(app)
      into.groups.push(group)
    }
  }
  return merged.map((one) => one.groups)
}

class Draft {
  readonly apps: Set<number>
  readonly groups: Group[]
  constructor(apps: Iterable<number>, groups: readonly Group[] = []) {
    this.apps = new Set(apps)
    this.groups = [...groups]
  }
}

/** `rings`: apps that hand over to each other. `linkShareMin`: of the possible links between two sides, how many must be accepted before they join. */
export function assemble(
  groups: readonly (readonly Group[])[],
  rings: readonly (readonly number[])[],
  links: readonly PairLedgers[],
  linkShareMin: number,
): DraftCluster[] {
  const draftOf = new Map<number, Draft>()
  for (const some of groups) {
    // An app in two groups that are not one goes with the more surprising.
    const apps = new Set(some.flatMap((group) => group.apps).filter((app) => !draftOf.has(app)))
    const draft = new Draft(apps, some)
    for (const app of apps) draftOf.set(app, draft)
  }
  for (const ring of rings) {
    const apps = ring.filter((app) => !draftOf.has(app))
    if (apps.length < 2) continue
    const draft = new Draft(apps)
    for (const app of apps) draftOf.set(app, draft)
  }
  const accepted = new Set(links.map(({ facts }) => key(facts.a, facts.b)))
  const sorted = links.toSorted((x, y) => strength(y) - strength(x) || x.facts.a - y.facts.a || x.facts.b - y.facts.b)
  let joined = true
  while (joined) {
    joined = false
    for (const { facts } of sorted) {
      const one = draftOf.get(facts.a) ?? new Draft([facts.a])
      const other = draftOf.get(facts.b) ?? new Draft([facts.b])
      if (one === other) continue
      let found = 0
      for (const a of one.apps) for (const b of other.apps) if (accepted.has(key(a, b))) found += 1
      if (found < linkShareMin * one.apps.size * other.apps.size) continue
      const both = new Draft([...one.apps, ...other.apps], [...one.groups, ...other.groups])
      for (const app of both.apps) draftOf.set(app, both)
      joined = true
    }
  }
  const drafts = [...new Set(draftOf.values())].filter((draft) => draft.apps.size >= 2)
  return drafts
    .map(({ apps, groups: some }) => ({
      apps: [...apps].toSorted((x, y) => x - y),
      groups: some.toSorted((x, y) => y.surpriseBits - x.surpriseBits),
      links: sorted.filter(({ facts }) => apps.has(facts.a) && apps.has(facts.b)),
    }))
    .toSorted((x, y) => (x.apps[0] ?? 0) - (y.apps[0] ?? 0))
}
