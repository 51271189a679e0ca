/** What came of the records that were read: counts, and the first few problems in words. Bounded, whatever the input holds. */
import type { DeadReason } from '#schemas/dead-letter.ts'

import type { Decoded } from '../decode/decode.ts'
import { countAdjusted, type AdjustedCounts } from '../decode/repair.ts'

/** What can be wrong with a file, beside its records. */
export type FileProblem =
  | 'empty'
  /** The stream broke off: truncated or damaged. */
  | 'cut_off'
  /** The last line is not whole. */
  | 'unfinished_line'

/** Something a person should know, with where it is. */
export interface Problem {
  readonly reason: DeadReason | FileProblem
  readonly file: string
  /** Counted from 1; undefined when the whole file is meant. */
  readonly line?: number
  readonly message: string
}

export interface Tally {
  /** Records read: stored + dead + duplicate. */
  read: number
  stored: number
  dead: number
  /** Records that were in the database already. */
  duplicate: number
  readonly deadByReason: Map<DeadReason, number>
  /** Records in which each unknown field was seen. */
  readonly unknownFields: Map<string, number>
  /** Records by what was done to which field, so that it could be stored. */
  readonly adjusted: AdjustedCounts
  readonly problems: Problem[]
  /** Bytes of records read, decompressed. */
  bytes: number
  /** Of the records stored, epoch milliseconds; undefined when there are none. */
  firstTimestampMs: number | undefined
  lastTimestampMs: number | undefined
}

export function createTally(): Tally {
  return {
    read: 0,
    stored: 0,
    dead: 0,
    duplicate: 0,
    deadByReason: new Map(),
    unknownFields: new Map(),
    adjusted: new Map(),
    problems: [],
    bytes: 0,
    firstTimestampMs: undefined,
    lastTimestampMs: undefined,
  }
}

/** Enough to see what is wrong; the dead-letter table has them all. */
const PROBLEMS_PER_REASON_MAX = 5
/** Different unknown fields that are told apart; a log with random keys must not fill the memory. */
const UNKNOWN_FIELDS_MAX = 200
const FIELD_NAME_MAX_CHARS = 100

export function addProblem(tally: Tally, problem: Problem): void {
  const known = tally.problems.filter((other) => other.reason === problem.reason && other.file === problem.file)
  if (known.length < PROBLEMS_PER_REASON_MAX) tally.problems.push(problem)
}

export function addUnknownFields(tally: Tally, names: readonly string[]): void {
  for (const name of names) {
    const key = name.slice(0, FIELD_NAME_MAX_CHARS)
    const count = tally.unknownFields.get(key)
    if (count !== undefined) tally.unknownFields.set(key, count + 1)
    else if (tally.unknownFields.size < UNKNOWN_FIELDS_MAX) tally.unknownFields.set(key, 1)
  }
}

function addDeadReason(tally: Tally, reason: DeadReason, count = 1): void {
  tally.deadByReason.set(reason, (tally.deadByReason.get(reason) ?? 0) + count)
}

/** Counts a record that has been decoded and is on its way into the database. */
export function addDecoded(tally: Tally, decoded: Decoded): void {
  if (decoded.kind === 'dead') {
    addDeadReason(tally, decoded.reason)
    return
  }
  if (decoded.unknownFields.length > 0) addUnknownFields(tally, decoded.unknownFields)
  if (decoded.adjusted.length > 0) countAdjusted(tally.adjusted, decoded.adjusted)
  const timestampMs = decoded.record.timestamp_ms
  if (tally.firstTimestampMs === undefined || timestampMs < tally.firstTimestampMs) tally.firstTimestampMs = timestampMs
  if (tally.lastTimestampMs === undefined || timestampMs > tally.lastTimestampMs) tally.lastTimestampMs = timestampMs
}

/** Adds the counts of a part to those of the whole. */
export function mergeTally(whole: Tally, part: Tally): void {
  whole.read += part.read
  whole.stored += part.stored
  whole.dead += part.dead
  whole.duplicate += part.duplicate
  whole.bytes += part.bytes
  for (const [reason, count] of part.deadByReason) addDeadReason(whole, reason, count)
  for (const [name, count] of part.unknownFields) {
    const known = whole.unknownFields.get(name)
    if (known !== undefined || whole.unknownFields.size < UNKNOWN_FIELDS_MAX) {
      whole.unknownFields.set(name, (known ?? 0) + count)
    }
  }
  for (const [change, count] of part.adjusted) whole.adjusted.set(change, (whole.adjusted.get(change) ?? 0) + count)
  for (const problem of part.problems) addProblem(whole, problem)
  whole.firstTimestampMs = leastOf(whole.firstTimestampMs, part.firstTimestampMs)
  whole.lastTimestampMs = greatestOf(whole.lastTimestampMs, part.lastTimestampMs)
}

/** Adds the counts of a block that is stored. `refused`: rows that the engine refused and that are dead letters now. */
export function tallyStored(whole: Tally, part: Tally, block: StoredBlock, refused: number): void {
  const dead = block.dead + refused
  if (refused > 0) addDeadReason(part, 'refused_by_engine', refused)
  mergeTally(whole, { ...part, read: block.records, stored: block.records - dead, dead, bytes: block.inputBytes })
}

/** What is counted of a block, whatever is in it. */
export interface StoredBlock {
  readonly records: number
  readonly dead: number
  readonly inputBytes: number
}

function leastOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)
}

function greatestOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
