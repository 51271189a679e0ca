/**
 * Where to begin in a partition after the group was joined: pure, from what the group committed, what ClickHouse holds and what Kafka
 * still has.
 *
 * Order of belief: the log of the topic (offsets beyond its end belong to an earlier topic of this name), then the ledger (what is not in
 * it is not stored), then the commit. Nothing that the ledger holds is stored again, wherever the commit was moved to.
 */
import { covers, difference, type OffsetRange } from '../blocks/range.ts'
import { nextSource } from './incarnation.ts'
import type { Intent } from './intent.ts'

export interface StartFacts {
  /** Source that is known last: of what `ledger`, `lastBlock` and `storedBeyond` tell. */
  readonly source: string
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
export type StartWarning =
  /** ClickHouse lacks offsets [from, to) that the group has passed: a restore, a power loss, another database. */
  | { readonly kind: 'ledger_behind'; readonly from: number; readonly to: number; readonly isRewound: boolean }
  /** Kafka has deleted offsets [from, to) before they were stored. */
  | { readonly kind: 'retention_cut'; readonly from: number; readonly to: number }
  /** The group was moved back; what is stored already is passed over. */
  | { readonly kind: 'moved_back'; readonly from: number; readonly to: number }

export interface StartPosition {
  /** Source under which the records are stored. */
  readonly source: string
  /** The log is another one than that of the source known last: a topic made anew. */
  readonly isRenewed: boolean
  /** First offset to read. */
  readonly position: number
  /** A range that must be completed as it was begun. Its `from` may be below the first offset that Kafka still has. */
  readonly pending: (OffsetRange & { readonly records: number; readonly openedAtMs: number }) | undefined
  /** Ranges from `position` on that are stored already. */
  readonly known: readonly OffsetRange[]
  /** Below this offset, what `known` does not have may be stored all the same: look before inserting. */
  readonly doubtBelow: number
  readonly warnings: readonly StartWarning[]
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

/** Where the group says it is, corrected by the ledger. Adds to `warnings`. */
function wantedPosition(facts: StartFacts, pending: StartPosition['pending'], warnings: StartWarning[]): number {
  const { committed, ledger, low, intent } = facts
  const end = ledger.at(-1)?.to
  const certainEnd = intent === undefined ? (pending?.from ?? end ?? low) : (end ?? low)
  if (committed === undefined) return certainEnd
  if (committed < (end ?? 0) && intent === undefined) {
    warnings.push({ kind: 'moved_back', from: committed, to: end ?? 0 })
    return Math.min(committed, certainEnd)
  }
  if (committed <= (end ?? low)) return committed
  const isRewound = facts.behind === 'rewind'
  warnings.push({ kind: 'ledger_behind', from: end ?? low, to: committed, isRewound })
  return isRewound ? certainEnd : committed
}

/** The first start in a topic that was made anew: nothing of it is known or stored. */
function renewedStart(topic: string, { source, low }: StartFacts): StartPosition {
  return {
    source: nextSource(topic, source),
    isRenewed: true,
    position: low,
    pending: undefined,
    known: [],
    doubtBelow: 0,
    warnings: [],
  }
}

/** Decides the start. `endedSource`: one that was found to be of an earlier topic of this name. Total. */
export function startPosition(topic: string, facts: StartFacts, endedSource?: string): StartPosition {
  const { source, committed, ledger, low, high } = facts
  const end = ledger.at(-1)?.to
  if (source === endedSource || high < Math.max(end ?? 0, committed ?? 0)) return renewedStart(topic, facts)
  const warnings: StartWarning[] = []
  const certain = isCertain(facts)
  const begun = intendedRange(facts) ?? (certain ? undefined : lastBlock(facts))
  const wanted = wantedPosition(facts, begun, warnings)
  const position = Math.max(wanted, low)
  if (position > wanted && !covers(ledger, { from: wanted, to: position })) {
    warnings.push({ kind: 'retention_cut', from: wanted, to: position })
  }
  const pending = begun !== undefined && begun.to > position ? begun : undefined
  const passed = { from: 0, to: wanted }
  const known = difference(ledger, pending === undefined ? [passed] : [passed, pending])
  // The first block after the ledger's end too: its token may be taken without a row to show.
  const doubtBelow = certain ? 0 : Math.max(facts.storedBeyond ?? 0, (end ?? 0) + 1, position + 1)
  return { source, isRenewed: false, position, pending, known, doubtBelow, warnings }
}
