/**
 * Which records of a partition go into the open range: pure, one small decision a record.
 *
 * Ranges never reach across what is stored already, nor across the ends of a range that an earlier intent has fixed: such a range is built
 * again exactly as it was, whatever the limits are now.
 */
import type { OffsetRange } from './protocol.ts'

export interface Admission {
  /** Next offset that is not decided yet. */
  position: number
  /** Where the next range begins: right after what is stored or on its way, so that ranges leave no gaps where the topic has them. */
  rangeFrom: number
  /** Ranges that are stored; those before `position` are removed. */
  known: readonly OffsetRange[]
  /** A range fixed by an earlier intent, until it has been built. */
  pending: OffsetRange | undefined
  /** Something was passed over since the open range got its last record: it ends there. */
  isInterrupted: boolean
}

export function createAdmission(
  position: number,
  known: readonly OffsetRange[],
  pending: OffsetRange | undefined,
): Admission {
  return { position, rangeFrom: position, known, pending, isInterrupted: false }
}

/**
 * `add`: into the open range. `skip`: it is stored. `close`: the open range ends before this record; ask again once it is closed.
 * `isOpen`: the open range holds a record. Skipping moves the position; `taken` says when an added record is in.
 */
export function admit(admission: Admission, offset: number, isOpen: boolean): 'add' | 'skip' | 'close' {
  if (offset < admission.position) return 'skip'
  const { pending } = admission
  if (pending !== undefined && offset >= pending.from) {
    if (offset < pending.to) {
      if (!isOpen || admission.position > pending.from) return 'add'
      admission.position = pending.from
      return 'close'
    }
    // Kafka has nothing more of the fixed range.
    admission.position = Math.max(admission.position, pending.to)
    if (isOpen) return 'close'
    admission.pending = undefined
  }
  if (isKnown(admission, offset)) {
    admission.position = offset + 1
    if (isOpen) admission.isInterrupted = true
    else admission.rangeFrom = offset + 1
    return 'skip'
  }
  return admission.isInterrupted && isOpen ? 'close' : 'add'
}

export function taken(admission: Admission, offset: number): void {
  admission.position = offset + 1
}

/** The open range was closed; a pending range that it was is done with. `to`: its end. */
export function closed(admission: Admission, to: number): void {
  // What was passed over since then is stored.
  admission.rangeFrom = admission.isInterrupted ? admission.position : to
  admission.isInterrupted = false
  if (isPendingBuilt(admission)) admission.pending = undefined
}

/** True when everything of the pending range that Kafka still has was read. */
export function isPendingBuilt(admission: Admission): boolean {
  return admission.pending !== undefined && admission.position >= admission.pending.to
}

/** True while the open range belongs to the pending one. */
export function isBuildingPending(admission: Admission): boolean {
  return admission.pending !== undefined && admission.position > admission.pending.from
}

function isKnown(admission: Admission, offset: number): boolean {
  let [next] = admission.known
  while (next !== undefined && next.to <= offset) {
    admission.known = admission.known.slice(1)
    ;[next] = admission.known
  }
  return next !== undefined && offset >= next.from
}
