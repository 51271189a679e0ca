/**
 * Recover(range) for a partition of Kafka: afterwards each record of the range is stored once and counted once in every rollup, whatever a
 * crash, a time-out or another owner's insert left behind. Other partitions may be inserted meanwhile, by this process or another.
 *
 * 1. Read which offsets of the range are stored, as records or dead letters.
 *    - none: insert the block under its token.
 *    - some, and the range is the same that was begun: insert it under its token; tables that have the block drop it.
 *    - some, and nobody knows under which tokens: what is stored is completed as a range of its own (steps 3 and 4), the rest is inserted
 *      under a token of its own.
 *    Where nothing of the source is stored and nobody has begun (doubt `token`), steps 1, 2 and 4 do: the rollups have nothing either.
 * 2. Read again. What is still missing had a token without rows (1 to 2 % of kills): put it into its table directly. An earlier owner's insert
 *    may be about to show, so it must be missing twice, a pause apart.
 * 3. Each rollup holds the block or lacks it, never a part of it within a week (a week is a partition, and a block is one part in each). Its
 *    buckets vote: `raw - rollup` is 0 where the block is in, and what the range adds where it is not; inserts of others disturb a few
 *    buckets for a moment, not all of them twice. A rollup without the block gets it by the token, else from the raw rows.
 * 4. The ledger still lacks the range: add it. Last, because step 3 may insert the block under its token, which brings its entry with it.
 */
import type { RangeDoubt } from '../kafka/protocol.ts'

/** How many buckets of one rollup and one week say that the block is in it, or is not. */
export interface RollupVote {
  readonly rollup: string
  /** Monday of the week, as the engine spells it. */
  readonly week: string
  readonly present: number
  readonly absent: number
  /** Buckets that the range touches. */
  readonly buckets: number
}

/** What recovery needs of the database. `Block` is a batch; tests use a model of their own. */
export interface RangeStore<Block> {
  /** Offsets of the records of the block that are not stored, in order. */
  missing(block: Block): Promise<readonly number[]>
  /** Inserts the block under its token. Resolves to the number of rows that were refused and became dead letters. */
  insert(block: Block): Promise<number>
  /** Puts the records that are not stored into their tables, past the views. */
  insertMissing(block: Block): Promise<void>
  /** Inserts the records that are not stored as a block of their own. */
  insertRest(block: Block): Promise<void>
  /** The records of the block before this offset. */
  before(block: Block, offset: number): Block
  /** Adds to the ledger what of the block is not covered there. */
  completeLedger(block: Block): Promise<void>
  votes(block: Block): Promise<readonly RollupVote[]>
  /** Adds to a rollup what the range has in the raw table, for one week. */
  addToRollup(block: Block, vote: RollupVote): Promise<void>
}

export interface RecoverOptions {
  /** Waits so many milliseconds; rejects when stopped. */
  readonly pause: (milliseconds: number) => Promise<void>
  /** Called for every thing that was not as it should be. */
  readonly onRepair: (repair: Repair) => void
}

export type Repair =
  | { readonly kind: 'rows'; readonly missing: number; readonly records: number }
  | { readonly kind: 'ghost_rows'; readonly missing: number }
  | { readonly kind: 'rollup'; readonly rollup: string; readonly week: string }
  /** The votes of a rollup were even: nothing was done, `reconcile` decides. */
  | { readonly kind: 'undecided'; readonly rollup: string; readonly week: string }

/** An insert of an earlier owner that is acknowledged nowhere shows within this time, or never: a part is renamed in milliseconds. */
const SHOW_PAUSE_MS = 300
/** Between two looks at the rollups (milliseconds): longer than a block of somebody else takes to reach all of its views. */
const VOTE_PAUSE_MS = 500
const VOTES_MAX = 6

/** Rows whose token was kept without them: they must be missing twice, a pause apart. */
async function completeGhosts<Block>(store: RangeStore<Block>, block: Block, options: RecoverOptions): Promise<void> {
  if ((await store.missing(block)).length === 0) return
  await options.pause(SHOW_PAUSE_MS)
  const ghosts = await store.missing(block)
  if (ghosts.length === 0) return
  options.onRepair({ kind: 'ghost_rows', missing: ghosts.length })
  await store.insertMissing(block)
}

const isAbsent = (vote: RollupVote): boolean => vote.absent > vote.present
const isPresent = (vote: RollupVote): boolean => vote.present > vote.absent
const sameAs = (one: RollupVote) => (other: RollupVote) => other.rollup === one.rollup && other.week === one.week

/** Votes that say "absent" twice in a row, once nothing is undecided any more (or waiting does not help). */
async function absentRollups<Block>(
  store: RangeStore<Block>,
  block: Block,
  options: RecoverOptions,
): Promise<{ readonly absent: readonly RollupVote[]; readonly undecided: readonly RollupVote[] }> {
  let before: readonly RollupVote[] | undefined
  for (let look = 1; ; look += 1) {
    const votes = await store.votes(block)
    const undecided = votes.filter((vote) => !isAbsent(vote) && !isPresent(vote))
    const absent = votes.filter(isAbsent)
    const confirmed = absent.filter((vote) => before?.some((earlier) => sameAs(vote)(earlier) && isAbsent(earlier)))
    if (undecided.length === 0 && confirmed.length === absent.length) return { absent, undecided }
    if (look === VOTES_MAX) return { absent: confirmed, undecided }
    before = votes
    await options.pause(VOTE_PAUSE_MS)
  }
}

async function completeRollups<Block extends { readonly records: number }>(
  store: RangeStore<Block>,
  block: Block,
  doubt: RangeDoubt,
  options: RecoverOptions,
): Promise<void> {
  let found = await absentRollups(store, block, options)
  if (found.absent.length > 0 && doubt !== 'offsets') {
    // The raw rows are in and a rollup is not: where its token is unknown, the block is taken; elsewhere it is dropped.
    await store.insert(block)
    found = await absentRollups(store, block, options)
  }
  for (const vote of found.absent) {
    options.onRepair({ kind: 'rollup', rollup: vote.rollup, week: vote.week })
    await store.addToRollup(block, vote)
  }
  for (const vote of found.undecided) options.onRepair({ kind: 'undecided', rollup: vote.rollup, week: vote.week })
}

/** Rows, ledger and rollups of a block whose token is the one that it was begun under. */
async function completeBlock<Block extends { readonly records: number }>(
  store: RangeStore<Block>,
  block: Block,
  doubt: RangeDoubt,
  options: RecoverOptions,
): Promise<void> {
  const missing = await store.missing(block)
  if (missing.length > 0) {
    // A first block is no repair.
    if (doubt !== 'token') options.onRepair({ kind: 'rows', missing: missing.length, records: block.records })
    await store.insert(block)
    await completeGhosts(store, block, options)
  }
  if (doubt !== 'token') await completeRollups(store, block, doubt, options)
  await store.completeLedger(block)
}

async function recoverRange<Block extends { readonly records: number }>(
  store: RangeStore<Block>,
  block: Block,
  doubt: RangeDoubt,
  options: RecoverOptions,
): Promise<void> {
  const missing = doubt === 'offsets' ? await store.missing(block) : []
  const [first] = missing
  if (first === undefined || missing.length === block.records) {
    await completeBlock(store, block, doubt, options)
    return
  }
  await completeBlock(store, store.before(block, first), doubt, options)
  options.onRepair({ kind: 'rows', missing: missing.length, records: block.records })
  await store.insertRest(block)
  await store.completeLedger(block)
}

/**
 * A try to make the range of a block complete. It rejects when the database cannot be asked or cannot store, and may be repeated until it resolves: what
 * a try that failed has left is in doubt in every table.
 */
export function recoveryOf<Block extends { readonly records: number }>(
  store: RangeStore<Block>,
  block: Block,
  doubt: RangeDoubt,
  options: RecoverOptions,
): () => Promise<void> {
  let present = doubt
  return async () => {
    const now = present
    if (present === 'token') present = 'same_range'
    await recoverRange(store, block, now, options)
  }
}
