/** A cluster that breaks a rule, as plain data with its evidence: all that a finding says of it. Made once, from what judged it. */
import type {
  Evidence,
  EvidenceFamily,
  Finding,
  HandOverExample,
  InnocentExplanation,
  Ledger,
  PolicyCode,
} from '#schemas/finding.ts'
import type { Candidates } from '../clusters/candidates.ts'
import type { PairLedgers } from '../evidence/ledgers.ts'
import { confidence } from '../judgement/confidence.ts'
import { notProduction, type Exemption } from '../judgement/exemption.ts'
import type { Gain } from '../judgement/materiality.ts'
import type { Judged } from '../judgement/verdicts.ts'
import type { SnapshotApp } from '../run/snapshot.ts'
import { isRing } from '../signals/timing/hand-over.ts'
import type { Mode } from '../signals/timing/mode.ts'
import type { Tuning } from '../tuning.ts'
import { clusterEvidence, handOverExamples } from './cluster-evidence.ts'
import { closesWhen, innocentExplanations } from './explanations.ts'
import { pairEvidence, pairLedgers } from './pair-evidence.ts'
import { address } from './words.ts'

/** What the registry and the counters say of an app. */
export type AccusedApp = Pick<SnapshotApp, 'app_id' | 'owner_id' | 'name' | 'requests' | 'throttled'>

export interface Violation {
  readonly cluster: {
    /** Ids of those held to be one, sorted; victims are not among them. */
    readonly apps: readonly string[]
    /** That they are one use case of one operator, 0..1. */
    readonly probability: number
    readonly memberProbability: ReadonlyMap<string, number>
  }
  readonly apps: readonly AccusedApp[]
  /** Framed, or their keys were stolen. */
  readonly victims: readonly AccusedApp[]
  /** Ids of those that do not claim to be production, when environments are claimed. */
  readonly notProduction: ReadonlySet<string>
  readonly policies: readonly PolicyCode[]
  readonly exemption: Exemption
  readonly gain: Gain
  readonly mode: Mode
  /** Strongest first within each question. */
  readonly evidence: readonly Evidence[]
  readonly ledgers: readonly Ledger[]
  readonly handOvers: readonly HandOverExample[]
  readonly explanations: readonly InnocentExplanation[]
  readonly closesWhen: readonly string[]
  readonly networks: Finding['data']['unmapped']['shared_networks']
  /** The probability without each family of evidence. */
  readonly probabilityWithout: Readonly<Record<EvidenceFamily, number>>
}

/** Accepted links between the members; when victims held it together, all links of the draft. */
function memberLinks({ draft, members }: Judged): readonly PairLedgers[] {
  const own = new Set(members)
  const links = draft.links.filter(({ facts: { a, b } }) => own.has(a) && own.has(b))
  return links.length > 0 || draft.groups.length > 0 ? links : draft.links
}

/** Pairs whose ledgers are shown: the links; where a group was found as a whole, all of its pairs that were looked at. */
function shownPairs(
  { members }: Judged,
  links: readonly PairLedgers[],
  { ledgers }: Candidates,
): readonly PairLedgers[] {
  if (links.length > 0) return links
  const sorted = members.toSorted((x, y) => x - y).slice(0, PAIRS_OF_MAX)
  return sorted.flatMap((a, i) => sorted.slice(i + 1).flatMap((b) => ledgers.get(`${a} ${b}`) ?? []))
}

const bothBits = (link: PairLedgers): number => link.operatorBits + link.useCaseBits

/** The pair in the middle by both ledgers together. */
export function middleLink(links: readonly PairLedgers[]): PairLedgers | undefined {
  const sorted = links.toSorted((x, y) => bothBits(x) - bothBits(y) || x.facts.a - y.facts.a || x.facts.b - y.facts.b)
  return sorted[sorted.length >> 1]
}

/** Members whose pairs are looked through for the middle one. */
const PAIRS_OF_MAX = 100

const NETWORKS_MAX = 20

/** Networks on which several of the members run, those of most of their requests first. */
function networksOf({ members }: Judged, { context: { snapshot } }: Candidates): Violation['networks'] {
  const own = new Set(members)
  const all = members.reduce((sum, app) => sum + (snapshot.apps[app]?.requests ?? 0), 0)
  const shared = snapshot.streamsOf.flatMap((streams, network) => {
    const ours = streams.filter((stream) => own.has(stream.app) && !stream.isPersonal)
    if (ours.length < 2) return []
    const requests = ours.reduce((sum, stream) => sum + stream.mix.total, 0)
    return [{ network, apps: streams.length, members: ours.length, requests }]
  })
  return shared
    .toSorted((x, y) => y.requests - x.requests || x.network - y.network)
    .slice(0, NETWORKS_MAX)
    .map((one) => ({
      network: address(snapshot.networks[one.network] ?? ''),
      apps: one.apps,
      cluster_apps: one.members,
      class:
        one.apps === one.members ? 'these apps only' : 2 * one.members >= one.apps ? 'mostly these apps' : 'others too',
      share: Math.round((one.requests / Math.max(1, all)) * 10_000) / 10_000,
    }))
}

export function accusedApp({ app_id, owner_id, name, requests, throttled }: SnapshotApp): AccusedApp {
  return { app_id, owner_id, name, requests, throttled }
}

/** Undefined when the cluster breaks no rule. */
export function violationOf(judged: Judged, candidates: Candidates, tuning: Tuning): Violation | undefined {
  const { verdict, members, apps, exemption, gain, mode, ring } = judged
  if (verdict.kind !== 'violation') return undefined
  const { snapshot } = candidates.context
  const links = memberLinks(judged)
  const pairs = shownPairs(judged, links, candidates)
  const middle = middleLink(pairs)
  const accused = { judged, candidates, links, pairs, tuning }
  const isTimed =
    (ring !== undefined && isRing(ring, tuning)) ||
    middle?.operator.some(({ signal }) => signal === 'hand_over') === true
  return {
    cluster: {
      apps: apps.map((app) => app.app_id).toSorted(),
      probability: confidence(judged, tuning),
      memberProbability: new Map(
        members.map((app) => [snapshot.apps[app]?.app_id ?? '', confidence(judged, tuning, { app })]),
      ),
    },
    apps: apps.map(accusedApp),
    victims: judged.victims.flatMap((app) => snapshot.apps[app] ?? []).map(accusedApp),
    notProduction: notProduction(apps),
    policies: verdict.policies,
    exemption,
    gain,
    mode: mode.mode,
    evidence: [
      ...clusterEvidence(judged, candidates, tuning),
      ...(middle === undefined ? [] : pairEvidence(middle, candidates)),
    ],
    ledgers: middle === undefined ? [] : pairLedgers(middle, candidates),
    handOvers: isTimed ? handOverExamples(judged, candidates, tuning) : [],
    explanations: innocentExplanations(accused),
    closesWhen: closesWhen(accused),
    networks: networksOf(judged, candidates),
    probabilityWithout: {
      network: confidence(judged, tuning, { without: 'network' }),
      users: confidence(judged, tuning, { without: 'users' }),
      behaviour: confidence(judged, tuning, { without: 'behaviour' }),
      timing: confidence(judged, tuning, { without: 'timing' }),
      registry: confidence(judged, tuning, { without: 'registry' }),
    },
  }
}
