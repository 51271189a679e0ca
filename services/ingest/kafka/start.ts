/**
 * Where to begin in a partition after the group was joined: pure, from what the group committed, what ClickHouse holds and what Kafka
 * still has.
 *
 * Order of belief: the log of the topic (offsets beyond its end belong to an earlier topic of this name), then the ledger (what is not in
 * it is not stored), then the commit. Nothing that the ledger holds is stored again, wherever the commit was moved to.
 */
import type { Intent } from './intent.ts'
import type { OffsetRange } from './protocol.ts'

export interface StartFacts {
  /** Offset that the group committed; undefined when there is none. */
  readonly committed: number | undefined
  /** What the commit says is under way from `committed` on. */
  readonly intent: Intent | undefined
  /** Stored ranges of the source, in order, merged where they meet. */
  readonly ledger: readonly OffsetRange[]
  /** The block that the ledger has last: a kill may have left it in some tables only. */
  readonly lastBlock: (OffsetRange & { readonly records: number }) | undefined
  /** After the last record that is stored beyond the ledger, if any: what a kill left of a block that no commit tells of any more. */
  readonly storedBeyond: number | undefined
  /** First offset that Kafka still has, and the offset after its last. */
  readonly low: number
  readonly high: number
  /** When the group is ahead of the ledger: read again what is missing, or go on where the group is. */
  readonly behind: 'rewind' | 'continue'
  /** Epoch milliseconds. */
  readonly nowMs: number
}

/** What a person should know about a start. */
export type StartNote =
  /** ClickHouse lacks offsets [from, to) that the group has passed: a restore, a power loss, another database. */
  | { readonly kind: 'ledger_behind'; readonly from: number; readonly to: number; readonly isRewound: boolean }
  /** Kafka has deleted offsets [from, to) before they were stored. */
  | { readonly kind: 'retention_cut'; readonly from: number; readonly to: number }
  /** The group was moved back; what is stored already is passed over. */
  | { readonly kind: 'moved_back'; readonly from: number; readonly to: number }

export interface StartPosition {
  readonly kind: 'start'
  /** First offset to read. */
  readonly position: number
  /** A range that must be completed as it was begun. Its `from` may be below the first offset that Kafka still has. */
  readonly pending: (OffsetRange & { readonly records: number; readonly openedAtMs: number }) | undefined
  /** Ranges from `position` on that are stored already. */
  readonly known: readonly OffsetRange[]
  /** Below this offset, what `known` does not have may be stored all the same: look before inserting. */
  readonly doubtBelow: number
  readonly doubt: 'offsets' | 'token'
  readonly notes: readonly StartNote[]
}

/** The topic is not the one that the ledger knows: its log ends before offsets that were stored. */
export interface RecreatedTopic {
  readonly kind: 'recreated'
  /** End of what was known, and of what there is now. */
  readonly knownEnd: number
  readonly high: number
}

function intendedRange(facts: StartFacts): StartPosition['pending'] {
  const { committed, intent } = facts
  if (committed === undefined || intent === undefined || intent.to <= committed) return undefined
  return { from: committed, to: intent.to, records: intent.n, openedAtMs: intent.at }
}

/** Without an intent nobody knows whether the last block is whole, so it is built again as if it had been intended. */
function lastBlock(facts: StartFacts): StartPosition['pending'] {
  return facts.lastBlock === undefined ? undefined : { ...facts.lastBlock, openedAtMs: facts.nowMs }
}

/** True when the commit and the ledger tell the same: all up to the commit is stored, and what comes after it is known. */
export function isCertain(facts: Pick<StartFacts, 'committed' | 'intent' | 'ledger'>): boolean {
  const { committed, intent, ledger } = facts
  if (committed === undefined) return false
  const end = ledger.at(-1)?.to
  return committed === end || (intent !== undefined && committed <= (end ?? committed))
}

/** True when nothing of the source is stored and no commit tells that anybody has begun to. */
function isUntouched({ committed, ledger, storedBeyond }: StartFacts): boolean {
  return committed === undefined && ledger.length === 0 && storedBeyond === undefined
}

/** Where the group says it is, corrected by the ledger. Adds to `notes`. */
function wantedPosition(facts: StartFacts, pending: StartPosition['pending'], notes: StartNote[]): number {
  const { committed, ledger, low, intent } = facts
  const end = ledger.at(-1)?.to
  const certainEnd = intent === undefined ? (pending?.from ?? end ?? low) : (end ?? low)
  if (committed === undefined) return certainEnd
  if (committed < (end ?? 0) && intent === undefined) {
    notes.push({ kind: 'moved_back', from: committed, to: end ?? 0 })
    return Math.min(committed, certainEnd)
  }
  if (committed <= (end ?? low)) return committed
  const isRewound = facts.behind === 'rewind'
  notes.push({ kind: 'ledger_behind', from: end ?? low, to: committed, isRewound })
  return isRewound ? certainEnd : committed
}

/** Decides the start. Total. */
export function startPosition(facts: StartFacts): StartPosition | RecreatedTopic {
  const { committed, ledger, low, high } = facts
  const end = ledger.at(-1)?.to
  const knownEnd = Math.max(end ?? 0, committed ?? 0)
  if (high < knownEnd) return { kind: 'recreated', knownEnd, high }
  const notes: StartNote[] = []
  const certain = isCertain(facts)
  const begun = intendedRange(facts) ?? (certain ? undefined : lastBlock(facts))
  const wanted = wantedPosition(facts, begun, notes)
  const position = Math.max(wanted, low)
  if (position > wanted && !isCovered({ from: wanted, to: position }, ledger)) {
    notes.push({ kind: 'retention_cut', from: wanted, to: position })
  }
  const pending = begun !== undefined && begun.to > position ? begun : undefined
  const known = ledger
    .flatMap((range) => without(range, { from: 0, to: wanted }))
    .flatMap((range) => (pending === undefined ? [range] : without(range, pending)))
  // The first block after the ledger's end too: its token may be taken without a row to show.
  const doubtBelow = certain ? 0 : Math.max(facts.storedBeyond ?? 0, (end ?? 0) + 1, position + 1)
  const doubt = isUntouched(facts) ? 'token' : 'offsets'
  return { kind: 'start', position, pending, known, doubtBelow, doubt, notes }
}

/** What of `range` lies outside `hole`. */
function without(range: OffsetRange, hole: OffsetRange): OffsetRange[] {
  const before = { from: range.from, to: Math.min(range.to, hole.from) }
  const after = { from: Math.max(range.from, hole.to), to: range.to }
  return [before, after].filter((part) => part.from < part.to)
}

function isCovered(range: OffsetRange, stored: readonly OffsetRange[]): boolean {
  return stored.some((known) => known.from <= range.from && known.to >= range.to)
}
