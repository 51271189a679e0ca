/**
 * Recovery of a range, the only one, for partitions of Kafka and for files: afterwards each record of the range is stored once, as a record or
 * as a dead letter, and the ledger covers it, whatever a crash, a time-out or another owner's insert left behind. Any number of ranges may be
 * recovered at a time, and others inserted meanwhile: a range is compared with its own offsets only.
 *
 * A kill in the middle of an insert leaves a block in some of the tables behind `landing`, and now and then (1 to 2 % of kills) its token in a table
 * without its rows. So neither the token nor the ledger alone can be believed; the offsets decide.
 *
 * 1. Read which offsets of the range are stored. When some are missing, and the range is the one that was begun or nothing is known of it anywhere:
 *    insert the block under its token. A table that has it drops it, also when the insert of an earlier owner comes in only then.
 * 2. What is still missing had a token without rows, or was stored under tokens that nobody knows: put it into its table directly, past the views. An
 *    insert of an earlier owner may be about to show, so it must be missing twice, a pause apart.
 * 3. What the ledger still lacks of the range is added to it. Last, because step 1 brings its entry with it.
 *
 * Steps 2 and 3 look again after what they did, and try again under another token: theirs may be one without rows too.
 */
import { SidestepError } from '#lib/errors.ts'

import type { OffsetRange } from '../blocks/range.ts'

/** What recovery needs of the database. `Block` is a batch; tests use a model of their own. */
export interface RangeStore<Block> {
  /** Offsets of the records of the block that are not stored, in order. */
  missing(block: Block): Promise<readonly number[]>
  /** Inserts the block under its token. Resolves to the number of rows that were refused and became dead letters. */
  insert(block: Block): Promise<number>
  /** Puts records into their tables, past the views. `attempt` is part of the token. */
  insertMissing(block: Block, offsets: readonly number[], attempt: number): Promise<void>
  /** Ranges of the block that hold records and that the ledger does not cover. */
  uncovered(block: Block): Promise<readonly OffsetRange[]>
  /** Adds ranges of the block to the ledger. `attempt` is part of the token. */
  insertLedger(block: Block, ranges: readonly OffsetRange[], attempt: number): Promise<void>
}

export type Repair =
  /** A block that was begun lacked records, and was inserted again. */
  | { readonly kind: 'block'; readonly missing: number; readonly records: number }
  /** Records were put in past the views. */
  | { readonly kind: 'rows'; readonly missing: number }
  | { readonly kind: 'ledger'; readonly ranges: number }

export interface RecoverOptions {
  /**
   * The range is the very one that was begun, so that whatever is stored of it is stored under its token. Otherwise it may be stored under
   * tokens that nobody knows any more.
   */
  readonly isSameRange: boolean
  /** Waits so many milliseconds; rejects when stopped. */
  readonly pause: (milliseconds: number) => Promise<void>
  /** Called for every thing that was not as it should be. */
  readonly onRepair: (repair: Repair) => void
}

/** An insert of an earlier owner that is acknowledged nowhere shows within this time, or never: a part is renamed in milliseconds. */
const SHOW_PAUSE_MS = 300
/** Each failure takes a kill at the moment of an insert that left a token without rows: more than a few in a row are something else. */
const ATTEMPTS_MAX = 20

/** Mends until a look finds nothing any more. `attempt` counts from 1. Throws SidestepError when that does not help. */
export async function mendUntilNone<Lack>(
  look: () => Promise<readonly Lack[]>,
  mend: (lacking: readonly Lack[], attempt: number) => Promise<void>,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const lacking = await look()
    if (lacking.length === 0) return
    await mend(lacking, attempt)
  }
  if ((await look()).length === 0) return
  throw new SidestepError(
    'failure',
    `ClickHouse acknowledged rows ${ATTEMPTS_MAX} times and does not show them: check its log and its disk`,
  )
}

interface RecordRange extends OffsetRange {
  readonly records: number
}

/** True when no record of the block is stored and no row of the ledger reaches into it. */
async function isUntouched<Block extends RecordRange>(
  store: RangeStore<Block>,
  block: Block,
  missing: number,
): Promise<boolean> {
  if (missing < block.records) return false
  const [range, ...more] = await store.uncovered(block)
  return range?.from === block.from && range.to === block.to && more.length === 0
}

async function completeRows<Block>(store: RangeStore<Block>, block: Block, options: RecoverOptions): Promise<void> {
  if ((await store.missing(block)).length === 0) return
  await options.pause(SHOW_PAUSE_MS)
  await mendUntilNone(
    async () => await store.missing(block),
    async (missing, attempt) => {
      options.onRepair({ kind: 'rows', missing: missing.length })
      await store.insertMissing(block, missing, attempt)
    },
  )
}

async function completeLedger<Block>(store: RangeStore<Block>, block: Block, options: RecoverOptions): Promise<void> {
  await mendUntilNone(
    async () => await store.uncovered(block),
    async (ranges, attempt) => {
      options.onRepair({ kind: 'ledger', ranges: ranges.length })
      await store.insertLedger(block, ranges, attempt)
    },
  )
}

/**
 * A try to make the range of a block complete, resolving to the rows that the engine refused, dead letters now. It rejects when the database cannot
 * be asked or cannot store, and may be repeated until it resolves.
 */
export function recoveryOf<Block extends RecordRange>(
  store: RangeStore<Block>,
  block: Block,
  options: RecoverOptions,
): () => Promise<number> {
  let { isSameRange } = options
  let refused = 0
  return async () => {
    const missing = (await store.missing(block)).length
    if (missing > 0 && isSameRange) {
      options.onRepair({ kind: 'block', missing, records: block.records })
      refused += await store.insert(block)
    } else if (missing > 0 && (await isUntouched(store, block, missing))) {
      // From here on whatever is stored of it is ours: a try that fails half-way is repeated under the same token.
      isSameRange = true
      refused += await store.insert(block)
    }
    if (missing > 0) await completeRows(store, block, options)
    await completeLedger(store, block, options)
    return refused
  }
}
