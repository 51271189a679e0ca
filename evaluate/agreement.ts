/**
 * How well two sets of overlapping groups of apps agree: pairs, and B-cubed.
 *
 * Apps that are in the same findings and the same violations are counted together as one block, so one finding that
 * swallows every app costs no more than a good one: pairs are counted, never listed.
 */
import { harmonicMean, largest, ratio, sum, type Ratio } from './statistics.ts'

/** Indexes of the groups that an app is in, ascending; an app in no group is absent. */
export type Membership = ReadonlyMap<string, readonly number[]>

export interface PairAgreement {
  /** Of the pairs of apps that share a finding, those that share a violation. */
  precision: Ratio
  /** Of the pairs of apps that share a violation, those that share a finding. */
  recall: Ratio
  f1: number | null
}

export interface AppAgreement {
  precision: number | null
  recall: number | null
  f: number | null
}

/** `apps` apps with the same groups on one side. */
interface Block {
  apps: number
  sets: readonly number[]
}

/** `apps` apps with the same findings and the same violations. */
interface JointBlock {
  apps: number
  predicted: readonly number[]
  actual: readonly number[]
}

export function membership(groups: readonly ReadonlySet<string>[]): Membership {
  const groupsOf = new Map<string, number[]>()
  for (const [index, apps] of groups.entries()) {
    for (const app of apps) {
      const known = groupsOf.get(app)
      if (known === undefined) groupsOf.set(app, [index])
      else known.push(index)
    }
  }
  return groupsOf
}

/** Pairs among `apps` that share at least one group of `groupsOf`. */
export function pairsTogether(apps: ReadonlySet<string>, groupsOf: Membership): number {
  const alike = Map.groupBy([...apps], (app) => (groupsOf.get(app) ?? []).join())
  const blocks = [...alike.values()].map(([first, ...rest]) => ({
    apps: rest.length + 1,
    sets: groupsOf.get(first ?? '') ?? [],
  }))
  return pairsSharing(blocks)
}

/** Pair counting; an app in several groups counts each of its pairs once, however many groups the two share. */
export function pairAgreement(predicted: Membership, actual: Membership): PairAgreement {
  const blocks = jointBlocks(predicted, actual)
  const actualCount = 1 + (largest(blocks.flatMap((block) => block.actual)) ?? 0)
  // A pair is right when it shares a finding and a violation: exactly when it shares one of these (finding, violation) cells.
  const right = pairsSharing(
    blocks.map((block) => ({
      apps: block.apps,
      sets: block.predicted.flatMap((finding) => block.actual.map((group) => finding * actualCount + group)),
    })),
  )
  const precision = ratio(right, pairsSharing(blocks.map((block) => ({ apps: block.apps, sets: block.predicted }))))
  const recall = ratio(right, pairsSharing(blocks.map((block) => ({ apps: block.apps, sets: block.actual }))))
  return { precision, recall, f1: harmonicMean(precision.share, recall.share) }
}

/**
 * B-cubed (Bagga & Baldwin 1998), extended to overlapping groups by multiplicity (Amigó, Gonzalo, Artiles, Verdejo 2009, §6):
 * precision of an app = mean over the apps e' that share a finding with it (itself included) of
 * min(findings shared, violations shared) / findings shared; recall the same with the sides exchanged.
 *
 * Precision is the mean over apps in a finding, recall over apps in a violation. An app on one side only scores 0 there: an
 * innocent in a finding is wrong, a violating app in no finding is missed. The usual completion (a group of its own for each
 * such app) would give both full marks, and silence a precision of 1.
 */
export function appAgreement(predicted: Membership, actual: Membership): AppAgreement {
  const blocks = jointBlocks(predicted, actual)
  const precision = meanMultiplicity(
    blocks.map((block) => ({ apps: block.apps, of: block.predicted, in: block.actual })),
  )
  const recall = meanMultiplicity(blocks.map((block) => ({ apps: block.apps, of: block.actual, in: block.predicted })))
  return { precision, recall, f: harmonicMean(precision, recall) }
}

function jointBlocks(predicted: Membership, actual: Membership): JointBlock[] {
  const blocks = new Map<string, JointBlock>()
  for (const app of new Set([...predicted.keys(), ...actual.keys()])) {
    const block = { apps: 1, predicted: predicted.get(app) ?? [], actual: actual.get(app) ?? [] }
    const key = `${block.predicted.join()}|${block.actual.join()}`
    const known = blocks.get(key)
    if (known === undefined) blocks.set(key, block)
    else known.apps += 1
  }
  return [...blocks.values()]
}

/** Pairs of apps whose blocks share a set. Each pair of blocks is counted in the lowest set they share, so only once. */
function pairsSharing(blocks: readonly Block[]): number {
  let pairs = 0
  for (const [set, inSet] of blocksOfSets(blocks, (block) => block.sets)) {
    for (const [position, one] of inSet.entries()) {
      if (one.sets[0] === set) pairs += (one.apps * (one.apps - 1)) / 2
      for (const other of inSet.slice(position + 1)) {
        if (one.sets.find((candidate) => other.sets.includes(candidate)) === set) pairs += one.apps * other.apps
      }
    }
  }
  return pairs
}

/** Mean over apps with an `of` group of their mean multiplicity with their neighbours; null when no app has one. */
function meanMultiplicity(
  blocks: readonly { apps: number; of: readonly number[]; in: readonly number[] }[],
): number | null {
  const inSet = blocksOfSets(blocks, (block) => block.of)
  const counted = blocks.filter((block) => block.of.length > 0)
  if (counted.length === 0) return null
  const total = sum(
    counted.map((block) => {
      const neighbours = [...new Set(block.of.flatMap((set) => inSet.get(set) ?? []))]
      const agreed = neighbours.map((other) => {
        const together = sharedCount(block.of, other.of)
        return (other.apps * Math.min(together, sharedCount(block.in, other.in))) / together
      })
      return (block.apps * sum(agreed)) / sum(neighbours.map((other) => other.apps))
    }),
  )
  return total / sum(counted.map((block) => block.apps))
}

function sharedCount(one: readonly number[], other: readonly number[]): number {
  return one.filter((set) => other.includes(set)).length
}

function blocksOfSets<B>(blocks: readonly B[], setsOf: (block: B) => readonly number[]): Map<number, B[]> {
  const inSet = new Map<number, B[]>()
  for (const block of blocks) {
    for (const set of setsOf(block)) {
      const known = inSet.get(set)
      if (known === undefined) inSet.set(set, [block])
      else known.push(block)
    }
  }
  return inSet
}
