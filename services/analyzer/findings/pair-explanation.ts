/**
 * Why two apps were linked or were not: both ledgers, what vetoed, what their common addresses counted for, and what came of the clusters that they
 * are in. Reads the store for the one question of succession.
 */
import type { ClickHouse } from '#lib/clickhouse.ts'
import { SidestepError } from '#lib/errors.ts'
import { quoted } from '#lib/printable.ts'
import type { Evidence, Ledger } from '#schemas/finding.ts'
import type { Investigation } from '../analyse.ts'
import type { Candidates } from '../clusters/candidates.ts'
import { successions } from '../clusters/succession.ts'
import { isOne, measureBackground, openLedgers, type PairLedgers } from '../evidence/ledgers.ts'
import { pairFacts } from '../evidence/pair-facts.ts'
import { probabilityOfBits } from '../statistics.ts'
import type { Gain } from '../judgement/materiality.ts'
import { isOneOwner } from '../judgement/policy.ts'
import type { Judged } from '../judgement/verdicts.ts'
import type { Tuning } from '../tuning.ts'
import { pairEvidence, pairLedgers, placeWords } from './pair-evidence.ts'
import { accusedApp, type AccusedApp } from './violation.ts'
import { amount, sureness } from './words.ts'

export interface PairExplanation {
  readonly apps: readonly AccusedApp[]
  /** Rules that proposed the pair; none: it was compared for this explanation only. */
  readonly rules: readonly string[]
  readonly ledgers: readonly Ledger[]
  readonly evidence: readonly Evidence[]
  /** Both questions were answered yes for this pair by itself. */
  readonly isLinked: boolean
  /** What stands between the two, or what holds them together, in words. */
  readonly reasons: readonly string[]
  /** Clusters that hold one or both, with what was judged of them. */
  readonly clusters: readonly {
    readonly apps: readonly string[]
    readonly of: 'both' | 'one'
    readonly verdict: string
  }[]
}

export interface PairQuestion {
  readonly clickhouse: ClickHouse
  readonly investigation: Investigation
  readonly tuning: Tuning
}

function numberOf({ snapshot }: Investigation, id: string): number {
  const app = snapshot.apps.findIndex(({ app_id }) => app_id === id)
  if (app >= 0) return app
  throw new SidestepError('usage', `the app ${quoted(id)} sent no request in the window that the database holds`)
}

const NOTHING_LEFT_OUT: ReadonlySet<never> = new Set()

/** The ledgers of a pair; of one that no rule proposed they are opened now, its brushes with common places not counted. */
function ledgersOf({ candidates, snapshot }: Investigation, a: number, b: number, tuning: Tuning): PairLedgers {
  const known = candidates.ledgers.get(`${a} ${b}`)
  if (known !== undefined) return known
  const n = snapshot.apps.length
  const facts = [...candidates.ledgers.values()].map((pair) => pair.facts)
  const background = measureBackground(facts, Math.max(1, (n * (n - 1)) / 2), tuning)
  const pair = pairFacts(candidates.context, a, b)
  return openLedgers(pair, undefined, background, n, true, NOTHING_LEFT_OUT, tuning)
}

/** What the common places counted for. */
function placeReasons(link: PairLedgers, { context, groups }: Candidates): string[] {
  const { facts } = link
  if (facts.places.length === 0) return ['the two run at no common address']
  if (link.operator.some(({ signal }) => signal === 'place')) return []
  return facts.places.slice(0, 3).map((common) => {
    const { place } = common
    const group = groups.find(
      ({ place: at, apps }) => at.id === place.id && apps.includes(facts.a) && apps.includes(facts.b),
    )
    const alike =
      group === undefined
        ? 'the two are in no group there that does the same thing'
        : `they are among ${group.apps.length} of ${group.residents} that are alike there (${amount(group.surpriseBits)} bits of surprise), too few to stand out`
    return `${placeWords(context, common)} counted for nothing: ${place.residents.length} apps run there, anyone can move in, and ${alike}`
  })
}

const said = (bits: number): string => `${amount(bits)} bits, ${sureness(probabilityOfBits(bits))}`

/** Hand-overs that count for nothing because they go one way. */
function followerReasons({ facts }: PairLedgers, { handOvers }: Candidates, { spells }: Tuning): string[] {
  const time = handOvers.get(`${facts.a} ${facts.b}`)
  if (time === undefined || time.back >= spells.backMin) return []
  return [
    `${time.hits} hand-overs in time (chance ${amount(time.expected)}) counted for nothing: nearly all go one way, as they do when one follows the other`,
  ]
}

function contradictions(link: PairLedgers, candidates: Candidates, tuning: Tuning): string[] {
  const { ledgers } = tuning
  const { operatorBits, useCaseBits, facts } = link
  const veto = (facts.mixBits ?? 0) <= ledgers.vetoBits
  return [
    ...(veto
      ? [
          `veto: what they do contradicts one use case (${amount(facts.mixBits ?? 0)} bits, from ${ledgers.vetoBits} on nothing else can link a pair)`,
        ]
      : []),
    ...(facts.mixBits === undefined ? ['one of them sent too few requests to compare what they do'] : []),
    ...(link.isAnchored
      ? []
      : ['nothing but what anyone can copy (programs, names, routes) says that one operator is behind both']),
    ...(operatorBits < ledgers.operatorBitsMin
      ? [`one operator? is not answered: ${said(operatorBits)}; at least ${ledgers.operatorBitsMin} bits are needed`]
      : []),
    ...(useCaseBits < ledgers.useCaseBitsMin
      ? [`one use case? is not answered: ${said(useCaseBits)}; at least ${ledgers.useCaseBitsMin} bits are needed`]
      : []),
    ...(operatorBits >= ledgers.operatorBitsMin &&
    useCaseBits >= ledgers.useCaseBitsMin &&
    operatorBits + useCaseBits < ledgers.jointBitsMin
      ? [
          `both questions together reach ${amount(operatorBits + useCaseBits)} bits; at least ${ledgers.jointBitsMin} are needed`,
        ]
      : []),
    ...followerReasons(link, candidates, tuning),
    ...(facts.areOwnersKnown
      ? []
      : ['the account of at least one of them is not known: that counts neither for nor against']),
  ]
}

function verdictWords({ verdict, gain, apps, victims, members, process }: Judged, pair: readonly number[]): string {
  if (pair.some((app) => victims.includes(app))) {
    const those = pair.filter((app) => victims.includes(app)).length
    return `${those === 2 ? 'both are' : 'one of them is'} a victim there: bound by traces that others could make`
  }
  if (verdict.kind === 'violation') return `a finding: ${verdict.policies.join(', ')}`
  if (verdict.kind === 'exempt') {
    return 'exempt: development, staging and production of one service, as the rule allows'
  }
  if (verdict.explanation === 'own_tools') {
    return `each person's own copy of one tool: ${members.length} keys of different people, and no proof that one hand drives them (${process === undefined ? 'no common schedule, no common fate, ' : ''}no borrowed keys, no turns, no users in common)`
  }
  return isOneOwner(apps)
    ? `related apps of one account, not accused: ${relatedWords(gain)}`
    : `related, not accused: only users in common say that one operator is behind them, as competitors have them too, and ${withinLimit(gain)}`
}

function withinLimit({ value }: Pick<Gain, 'value'>): string {
  return value === null
    ? 'what one app may use is not known, so nobody can say that they got more than that'
    : `together they used ${amount(value)} times what one app may, no more than one app's limit`
}

/** Why one account's apps that do the same are no finding. */
function relatedWords({ value }: Pick<Gain, 'value'>): string {
  return value === null || value <= 1
    ? withinLimit({ value })
    : 'nothing beside the account and what they do says that they work together'
}

const NOT_PROPOSED =
  'no rule proposed the pair: no common place, no common users, no common account, name or domain, no hand-overs'

/** What came of a pair of which both questions are answered yes. */
function answered({ operatorBits, useCaseBits }: PairLedgers, isMove: boolean, isTogether: boolean): string[] {
  const yes = `both questions are answered yes: ${said(operatorBits)}, and ${said(useCaseBits)}`
  if (isMove) {
    return [yes, 'but one comes after the other, at once or user by user: a move from an old app to its successor']
  }
  return isTogether ? [yes] : [yes, 'but too few links hold the clusters of the two together']
}

/** Throws a usage error for an app that sent nothing in the window. */
export async function explainPair(question: PairQuestion, one: string, other: string): Promise<PairExplanation> {
  const { clickhouse, investigation, tuning } = question
  const { snapshot, candidates, judged } = investigation
  const pair = [numberOf(investigation, one), numberOf(investigation, other)].toSorted((x, y) => x - y)
  const [a = 0, b = 0] = pair
  if (a === b) throw new SidestepError('usage', 'name two different apps')
  const link = ledgersOf(investigation, a, b, tuning)
  const isLinked = isOne(link, NOTHING_LEFT_OUT, tuning)
  const ids = { a: snapshot.apps[a]?.app_id ?? '', b: snapshot.apps[b]?.app_id ?? '' }
  const moves = isLinked ? await successions(clickhouse, [ids], snapshot.window, tuning) : new Set()
  const isMove = moves.size > 0
  const holding = judged.filter(({ draft }) => pair.some((app) => draft.apps.includes(app)))
  const together = holding.find(({ draft }) => pair.every((app) => draft.apps.includes(app)))
  const rules = candidates.blocked.pairs.get(`${a} ${b}`)?.rules ?? []
  return {
    apps: pair.flatMap((app) => snapshot.apps[app] ?? []).map(accusedApp),
    rules,
    ledgers: pairLedgers(link, candidates),
    evidence: pairEvidence(link, candidates),
    isLinked: isLinked && !isMove,
    reasons: [
      ...(rules.length === 0 ? [NOT_PROPOSED] : []),
      ...placeReasons(link, candidates),
      ...(isLinked ? answered(link, isMove, together !== undefined) : contradictions(link, candidates, tuning)),
      ...(isLinked || together === undefined
        ? []
        : ['other members, or a group at one place, hold both in one cluster']),
    ],
    clusters: holding.map((found) => ({
      apps: found.draft.apps.flatMap((app) => snapshot.apps[app]?.app_id ?? []),
      of: found === together ? ('both' as const) : ('one' as const),
      verdict: verdictWords(
        found,
        pair.filter((app) => found.draft.apps.includes(app)),
      ),
    })),
  }
}
