/**
 * How sure a finding is, from what judged it. Two ways to it, the surer counts: the links between its members (both questions' posteriors of the
 * middle link), and the group against its place's background (its surprise above what strangers reached). Proof of one hand adds to the second.
 */
import type { EvidenceFamily } from '#schemas/finding.ts'
import type { LedgerEntry, PairLedgers } from '../evidence/ledgers.ts'
import { median, probabilityOfBits } from '../statistics.ts'
import type { Tuning } from '../tuning.ts'
import type { Judged } from './verdicts.ts'

/** The kind of evidence that each entry of a ledger is. */
export const FAMILY_OF: Readonly<Record<LedgerEntry['signal'], EvidenceFamily>> = {
  place: 'network',
  users: 'users',
  agent: 'behaviour',
  mix: 'behaviour',
  hand_over: 'timing',
  alternation: 'timing',
  owner: 'registry',
  name: 'registry',
  domain: 'registry',
}

/** The most surprising of 273 groups of strangers, bits. */
const STRANGERS_BITS = 14

export interface ConfidenceScope {
  /** One member: links of its own, and groups that it is in. */
  readonly app?: number
  /** A family of evidence that is left out. */
  readonly without?: EvidenceFamily
}

function linkProbability(
  { operator, useCase, operatorBits, useCaseBits }: PairLedgers,
  without: EvidenceFamily | undefined,
): number {
  const left = (entries: readonly LedgerEntry[]): number =>
    entries.reduce((sum, { signal, bits }) => (FAMILY_OF[signal] === without ? sum + bits : sum), 0)
  return probabilityOfBits(operatorBits - left(operator)) * probabilityOfBits(useCaseBits - left(useCase))
}

/** Bits of the proof that one process drives the keys; 0 without one. */
function proofBits({ process }: Pick<Judged, 'process'>): number {
  return process === undefined ? 0 : -Math.log2(process.p)
}

/** 0..1, never above the tuning's `probabilityMax`. */
export function confidence(
  judged: Pick<Judged, 'draft' | 'members' | 'process'>,
  { evidence }: Tuning,
  { app, without }: ConfidenceScope = {},
): number {
  const members = new Set(judged.members)
  const links = judged.draft.links.filter(
    ({ facts: { a, b } }) => members.has(a) && members.has(b) && (app === undefined || a === app || b === app),
  )
  const byLinks = links.length === 0 ? 0 : median(links.map((link) => linkProbability(link, without)))
  // A group is alike in what it does, at one place: without either there is none.
  const groups = without === 'network' || without === 'behaviour' ? [] : judged.draft.groups
  const surprise = Math.max(
    Number.NEGATIVE_INFINITY,
    ...groups.filter(({ apps }) => app === undefined || apps.includes(app)).map((group) => group.surpriseBits),
  )
  const byGroups = probabilityOfBits(surprise - STRANGERS_BITS + (without === 'timing' ? 0 : proofBits(judged)))
  return Math.min(evidence.probabilityMax, Math.max(byLinks, byGroups))
}
