/**
 * Recovery of one range after a kill, exactly: afterwards each of its records is stored once and counted once in every rollup.
 *
 * A kill in the middle of an insert leaves a block in some of the tables behind `landing`, and now and then (1 to 2 % of kills) its token in a
 * table without its rows. So neither the token nor the ledger alone can be believed; the offsets decide.
 *
 * 1. Nothing of the range is stored: insert it under its token (tables that have it drop it).
 * 2. Rows that are missing then had a token without rows, or belong to lines that the file has got since: put them into their table directly, past
 *    the views.
 * 3. The ledger lacks the range: add it.
 * 4. A rollup that lacks exactly what the range adds, or what the rows of step 2 add, gets that from the raw rows. "Exactly" is told by
 *    fingerprints, sums over hashes of the keys of each request, because two blocks often have the same number of requests. Any other
 *    lack is reported: it is not of this range (`sidestep reconcile` looks at all of them).
 *
 * Comparing rollups with the raw table needs that nobody else inserts into the same hours meanwhile, as is so for files. Kafka has recovery.ts.
 */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { SqlQuery } from '#lib/sql-query.ts'

import { batchToken, type Batch } from '../blocks/block.ts'
import { LANDING_COLUMNS } from '../blocks/encode.ts'
import { insertLedgerEntry } from '../blocks/ledger.ts'
import { OF_RANGE, readRollups, type Rollup } from './rollups.ts'
import { insertBatch, insertRows, type RetryPolicy } from '../blocks/insert.ts'

const RangeParams = z.object({ source: z.string(), partition: z.int(), from: z.int(), to: z.int() })
type RangeParams = z.infer<typeof RangeParams>

const CountRow = z.object({ accepted: z.coerce.number(), dead: z.coerce.number(), ledger: z.coerce.number() })
const OffsetRow = z.object({ offset: z.coerce.number() })
/** What a rollup lacks over the hours that a range touches. Fingerprints are 64 bits as decimal text. */
const GapRow = z.object({
  /** Requests that the raw table has and the rollup lacks. */
  missing: z.coerce.number(),
  missing_fingerprint: z.string(),
  /** Fingerprint of the requests of the range. */
  own_fingerprint: z.string(),
})
type Gap = z.infer<typeof GapRow>

function rangeQuery<Row extends z.ZodType>(name: string, row: Row): SqlQuery<typeof RangeParams, Row> {
  return { name, params: RangeParams, row }
}

const countQuery = rangeQuery('ingest/stored-count', CountRow)
const offsetsQuery = rangeQuery('ingest/stored-offsets', OffsetRow)

/** Count and fingerprint of rows of a rollup. Both are sums that wrap, so they subtract. */
function fingerprintSql(rollup: Rollup, rows: string): string {
  const requests = rollup.count === 'count()' ? '1' : 'requests'
  const hash = `cityHash64(${rollup.keys.join(', ')})`
  return `SELECT toInt64(sum(${requests})) AS total, toInt64(sum(${hash} * toUInt64(${requests}))) AS fingerprint FROM (${rows})`
}

function gapSql(rollup: Rollup): string {
  const hours = `(SELECT toStartOfHour(timestamp) FROM requests WHERE ${OF_RANGE})`
  const raw = fingerprintSql(rollup, rollup.rowsOf(`toStartOfHour(timestamp) IN ${hours}`))
  const rolled = fingerprintSql(rollup, `SELECT * FROM ${rollup.table} WHERE toStartOfHour(${rollup.time}) IN ${hours}`)
  const own = fingerprintSql(rollup, rollup.rowsOf(OF_RANGE))
  return `SELECT raw.total - rolled.total AS missing, toString(raw.fingerprint - rolled.fingerprint) AS missing_fingerprint,
      toString(own.fingerprint) AS own_fingerprint
    FROM (${raw}) AS raw, (${rolled}) AS rolled, (${own}) AS own`
}

function addSql(rollup: Rollup): string {
  const columns = rollup.columns.join(', ')
  return `INSERT INTO ${rollup.table} (${columns}) SELECT ${columns} FROM (${rollup.rowsOf(OF_RANGE)}) SETTINGS insert_deduplicate = 0`
}

const NEWLINE = 10
const TAB = 9

/** A row of a batch: its bytes without the newline, and where its columns 4 to 6 (reason, detail, payload) are. */
export interface EncodedRow {
  readonly offset: number
  readonly isDead: boolean
  readonly bytes: Buffer
  /** Position of the first byte after the offset column, its tab included. */
  readonly reasonAt: number
  /** Position of the first byte after the payload column, its tab included. */
  readonly timestampAt: number
}

export function* encodedRows(batch: Batch): Generator<EncodedRow> {
  const body = batch.rows.bytes.subarray(0, batch.rows.length)
  for (let start = 0; start < body.length;) {
    const end = body.indexOf(NEWLINE, start)
    const bytes = body.subarray(start, end)
    const offsetAt = bytes.indexOf(TAB, bytes.indexOf(TAB) + 1) + 1
    const reasonAt = bytes.indexOf(TAB, offsetAt) + 1
    const detailAt = bytes.indexOf(TAB, reasonAt) + 1
    const payloadAt = bytes.indexOf(TAB, detailAt) + 1
    const timestampAt = bytes.indexOf(TAB, payloadAt) + 1
    const offset = Number(bytes.toString('latin1', offsetAt, reasonAt - 1))
    yield { offset, isDead: detailAt - reasonAt > 1, bytes, reasonAt, timestampAt }
    start = end + 1
  }
}

/** The rows whose offset is not among those stored. */
export async function missingRows(clickhouse: ClickHouse, batch: Batch, range: RangeParams): Promise<EncodedRow[]> {
  const counts = (await clickhouse.query(countQuery, range))[0]
  const stored = (counts?.accepted ?? 0) + (counts?.dead ?? 0)
  if (stored === 0) return [...encodedRows(batch)]
  if (stored === batch.records) return []
  const offsets = new Set((await clickhouse.query(offsetsQuery, range)).map((row) => row.offset))
  return encodedRows(batch)
    .filter((row) => !offsets.has(row.offset))
    .toArray()
}

const LINE_END = Buffer.from('\n')

function bodyOf(parts: readonly Buffer[][]): Buffer {
  return Buffer.concat(parts.flatMap((row) => [...row, LINE_END]))
}

/** Columns of `landing` that `requests` and `dead_requests` have. */
const DEAD_COLUMNS = LANDING_COLUMNS.slice(0, 6)
const REQUEST_COLUMNS = [...LANDING_COLUMNS.slice(0, 3), ...LANDING_COLUMNS.slice(6)]

/** Puts rows into their tables past `landing`, so that the views behind it do not see them again. */
export async function insertDirectly(
  clickhouse: ClickHouse,
  rows: readonly EncodedRow[],
  token: string,
  retry: RetryPolicy,
): Promise<void> {
  const accepted = rows.filter((row) => !row.isDead)
  const dead = rows.filter((row) => row.isDead)
  if (accepted.length > 0) {
    const body = bodyOf(
      accepted.map((row) => [row.bytes.subarray(0, row.reasonAt), row.bytes.subarray(row.timestampAt)]),
    )
    await insertRows(clickhouse, { table: 'requests', columns: REQUEST_COLUMNS, body, token }, retry)
  }
  if (dead.length > 0) {
    const body = bodyOf(dead.map((row) => [row.bytes.subarray(0, row.timestampAt - 1)]))
    await insertRows(clickhouse, { table: 'dead_requests', columns: DEAD_COLUMNS, body, token }, retry)
  }
}

/** True when records behind an offset are stored: then every block before it had been acknowledged, and is complete. */
export async function isStoredBeyond(clickhouse: ClickHouse, range: Omit<RangeParams, 'to'>): Promise<boolean> {
  const counts = (await clickhouse.query(countQuery, { ...range, to: Number.MAX_SAFE_INTEGER }))[0]
  return counts !== undefined && counts.accepted + counts.dead > 0
}

/** What steps 1 and 2 did. */
interface CompletedRows {
  /** Rows that the engine refused and that are dead letters now. */
  readonly refused: number
  /** Range of the rows that were put in directly. */
  readonly direct: RangeParams | undefined
}

/** Steps 1 and 2. */
async function completeRows(
  clickhouse: ClickHouse,
  batch: Batch,
  range: RangeParams,
  retry: RetryPolicy,
): Promise<CompletedRows> {
  let refused = 0
  let missing = await missingRows(clickhouse, batch, range)
  if (missing.length === batch.records) {
    refused = await insertBatch(clickhouse, batch, retry)
    missing = await missingRows(clickhouse, batch, range)
  }
  const first = missing[0]
  const last = missing.at(-1)
  if (first === undefined || last === undefined) return { refused, direct: undefined }
  await insertDirectly(clickhouse, missing, `${batchToken(batch, first.offset, last.offset + 1)}/direct`, retry)
  return { refused, direct: { ...range, from: first.offset, to: last.offset + 1 } }
}

async function gapOf(clickhouse: ClickHouse, rollup: Rollup, range: RangeParams): Promise<Gap> {
  const [gap] = await clickhouse.select(gapSql(rollup), GapRow, range)
  if (gap === undefined) throw new Error(`no answer about ${rollup.table}`)
  return gap
}

const ADVICE = 'run sidestep reconcile --repair'

/** Step 4. `ranges`: the whole range, and those parts of it that may be what is lacking. */
async function completeRollups(clickhouse: ClickHouse, ranges: readonly RangeParams[]): Promise<string[]> {
  const problems: string[] = []
  for (const rollup of await readRollups(clickhouse)) {
    const gaps = await Promise.all(
      ranges.map(async (range) => ({ range, gap: await gapOf(clickhouse, rollup, range) })),
    )
    const whole = gaps[0]?.gap
    if (whole === undefined || whole.missing_fingerprint === '0') continue
    const lacking = gaps.find(({ gap }) => gap.own_fingerprint === whole.missing_fingerprint)
    if (lacking !== undefined) await clickhouse.command(addSql(rollup), lacking.range)
    else if (whole.missing > 0)
      problems.push(`${rollup.table} lacks ${whole.missing} requests around this range; ${ADVICE}`)
    else if (-BigInt(whole.missing_fingerprint) === BigInt(whole.own_fingerprint)) {
      problems.push(`${rollup.table} holds this range twice; ${ADVICE}`)
    }
  }
  return problems
}

export interface Recovered {
  /** What could not be repaired, in words. */
  readonly problems: readonly string[]
  /** Rows that the engine refused and that are dead letters now. */
  readonly refused: number
}

/** Makes the range of a batch complete. Throws when ClickHouse cannot store. */
export async function recoverBatch(clickhouse: ClickHouse, batch: Batch, retry: RetryPolicy): Promise<Recovered> {
  const range = { source: batch.source, partition: batch.partition, from: batch.from, to: batch.to }
  const { refused, direct } = await completeRows(clickhouse, batch, range, retry)
  const counts = (await clickhouse.query(countQuery, range))[0]
  if ((counts?.ledger ?? 0) < batch.records) {
    await insertLedgerEntry(clickhouse, { ...range, records: batch.records, dead: batch.dead + refused }, retry)
  }
  const problems = await completeRollups(clickhouse, direct === undefined ? [range] : [range, direct])
  return { problems, refused }
}
