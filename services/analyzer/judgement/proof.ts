/** What says, beside likeness, that one hand is behind a cluster. */
import { isRing } from '../signals/timing/hand-over.ts'
import type { Part, Tuning } from '../tuning.ts'
import { areBorrowed } from './keys.ts'
import type { Judged } from './verdicts.ts'

/** Proof that one hand is behind keys that look like many people's. */
export function hasProof(
  judged: Pick<Judged, 'process' | 'borrowed' | 'ring' | 'mode' | 'draft' | 'apps'>,
  without: ReadonlySet<Part>,
  tuning: Tuning,
): boolean {
  if (judged.process !== undefined || (areBorrowed(judged.borrowed, tuning) && !without.has('borrowed'))) return true
  // People at work by the clock hand over too, but they meet: keys with users take turns only where they exclude each other.
  if (judged.ring !== undefined && isRing(judged.ring, tuning)) {
    const { overlapZ } = judged.ring
    if (overlapZ <= tuning.spells.overlapZMax || judged.apps.every((app) => app.users === 0)) return true
  }
  if (judged.mode.isAlternating && !without.has('alternation')) return true
  return judged.draft.links.some(({ operator }) =>
    operator.some(({ signal, bits }) => signal === 'users' && bits >= tuning.ledgers.proofBits),
  )
}

/** Only users in common link these, no place and no order in time. */
export function isByUsersAlone(
  { draft, mode, ring }: Pick<Judged, 'draft' | 'mode' | 'ring'>,
  tuning: Tuning,
): boolean {
  if (draft.groups.length > 0 || mode.isAlternating || (ring !== undefined && isRing(ring, tuning))) return false
  const entries = draft.links.flatMap(({ operator }) => operator)
  const says = (signal: string): boolean =>
    entries.some((entry) => entry.signal === signal && entry.bits >= tuning.ledgers.corroborationBits)
  return says('users') && !says('place') && !says('hand_over') && !says('alternation')
}

/** One account may have two products that ask for the same: beside the account and the mix something must say that they work together. */
export function isCorroborated(
  { draft, mode, rhythm, ring }: Pick<Judged, 'draft' | 'mode' | 'rhythm' | 'ring'>,
  tuning: Tuning,
): boolean {
  if ((rhythm?.z ?? 0) >= tuning.alternation.coActivityZMin || (ring !== undefined && isRing(ring, tuning))) return true
  if (draft.groups.length > 0 || mode.isAlternating || mode.mode === 'failover') return true
  // Three products of one account that all ask for the same are one: chance would have to strike twice.
  if (draft.apps.length >= 3 && draft.links.length >= draft.apps.length) return true
  const entries = draft.links.flatMap(({ operator }) => operator)
  return entries.some(({ signal, bits }) => signal !== 'owner' && bits >= tuning.ledgers.corroborationBits)
}
