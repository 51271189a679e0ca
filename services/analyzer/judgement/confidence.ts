/**
 * How sure a finding is, from what judged it. Three ways to it, the surest counts: the links between its members (both questions' posteriors of the
 * middle link), the group against its place's background (its surprise above what strangers reached; proof of one process adds to it), and the
 * ring that takes turns (against shifted times).
 */
import type { EvidenceFamily } from '#schemas/finding.ts'
import type { LedgerEntry, PairLedgers } from '../evidence/ledgers.ts'
import { median, probabilityOfBits } from '../statistics.ts'
import { isRing } from '../signals/timing/hand-over.ts'
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

/** What strangers reached: the most surprising of 273 of their groups, bits. */
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

/** Bits of a normal deviate, for the hand-overs or for the absence of overlap, whichever is rarer; 0 where no ring takes turns. */
function turnsBits({ ring }: Pick<Judged, 'ring'>, app: number | undefined, tuning: Tuning): number {
  if (ring === undefined || !isRing(ring, tuning) || (app !== undefined && !ring.apps.includes(app))) return 0
  return Math.max(0, ring.hitsZ, -ring.overlapZ) ** 2 / 2 / Math.LN2
}

/** 0..1, never above the tuning's `probabilityMax`. */
export function confidence(
  judged: Pick<Judged, 'draft' | 'members' | 'process' | 'ring'>,
  tuning: Tuning,
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
  const turns = without === 'timing' ? 0 : turnsBits(judged, app, tuning)
  const byTurns = turns === 0 ? 0 : probabilityOfBits(turns - STRANGERS_BITS)
  return Math.min(tuning.evidence.probabilityMax, Math.max(byLinks, byGroups, byTurns))
}
