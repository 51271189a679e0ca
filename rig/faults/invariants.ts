/**
 * What must hold whatever happened: every record that Kafka acknowledged is stored once, as a record or as a dead letter, under its own offset;
 * every rollup equals the raw table; the ledger covers every offset once.
 */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { WEIGHTS, type Cut, type ExpectedPartition, type TopicOracle } from './oracle.ts'
import { rollupDifferences } from './rollup-truth.ts'

export interface Verdict {
  readonly produced: number
  readonly raw: number
  readonly dead: number
  /** Records that are stored nowhere, those that Kafka deleted not counted. */
  readonly lost: number
  /** Rows that are stored again, in the raw or the dead table or in both. */
  readonly doubled: number
  /** Partitions that hold another record, or another kind of record, at an offset than was produced there, and lives of a topic that it never had. */
  readonly mistaken: readonly string[]
  /** Offsets that no row of the ledger covers, and that more than one row covers. */
  readonly ledgerGaps: number
  readonly ledgerOverlaps: number
  /** Buckets that differ, by rollup. */
  readonly rollups: Readonly<Record<string, number>>
}

/** What a verdict says when nothing is wrong. */
export const SOUND = { lost: 0, doubled: 0, mistaken: [], ledgerGaps: 0, ledgerOverlaps: 0, rollups: {} } as const

export function isSound(verdict: Verdict): boolean {
  const { lost, doubled, mistaken, ledgerGaps, ledgerOverlaps, rollups } = verdict
  return lost + doubled + mistaken.length + ledgerGaps + ledgerOverlaps + Object.keys(rollups).length === 0
}

const StoredRow = z.object({
  source: z.string(),
  partition: z.number(),
  records: z.coerce.number(),
  offsets: z.coerce.number(),
  kept: z.coerce.number(),
  one: z.coerce.number(),
  two: z.coerce.number(),
})
type StoredRow = z.infer<typeof StoredRow>
const SourceRow = z.object({ source: z.string() })
const CountRow = z.object({ count: z.coerce.number() })
const LedgerRow = z.object({
  source: z.string(),
  partition: z.number(),
  from: z.coerce.number(),
  to: z.coerce.number(),
})
type LedgerRow = z.infer<typeof LedgerRow>

const IS_CUT = `arrayExists((s, p, f, t) -> source = s AND partition = p AND offset >= f AND offset < t,
  {cutSources:Array(String)}, {cutPartitions:Array(UInt32)}, {cutFroms:Array(UInt64)}, {cutTos:Array(UInt64)})`

/** Sums over each offset once: `one` and `two` do not show doubles, which are counted apart. */
function storedSql(table: string, one: string, two: string): string {
  return `SELECT source, partition, sum(copies) AS records, count() AS offsets, countIf(NOT is_cut) AS kept,
      sumIf(one, NOT is_cut) AS one, sumIf(two, NOT is_cut) AS two
    FROM (
      SELECT source, partition, offset, count() AS copies, ${IS_CUT} AS is_cut, any(${one}) AS one, any(${two}) AS two
      FROM ${table} WHERE source IN {sources:Array(String)} GROUP BY source, partition, offset
    )
    GROUP BY source, partition`
}

const NUMBER = 'toUInt64OrZero(request_id)'
const RAW = storedSql('requests', NUMBER, `${NUMBER} * (offset % ${WEIGHTS} + 1)`)
const DEAD = storedSql('dead_requests', 'offset', '0')
const BOTH = `SELECT count() AS count FROM requests WHERE source IN {sources:Array(String)}
  AND (source, partition, offset) IN (SELECT source, partition, offset FROM dead_requests)`
const LEDGER = `SELECT source, partition, offset_from AS from, offset_to AS to FROM ingest_ledger
  WHERE source IN {sources:Array(String)} ORDER BY source, partition, offset_from, offset_to`

const STRANGERS = `SELECT DISTINCT source FROM (SELECT source FROM requests UNION ALL SELECT source FROM dead_requests)
  WHERE source NOT IN {sources:Array(String)} AND splitByChar('@', source)[1] IN {sources:Array(String)}`

function parametersOf(oracles: readonly TopicOracle[]): Record<string, readonly (string | number)[]> {
  const cuts = oracles.flatMap(({ source, cuts: own }) => own.map((cut) => ({ source, ...cut })))
  return {
    sources: oracles.map((oracle) => oracle.source),
    cutSources: cuts.map((cut) => cut.source),
    cutPartitions: cuts.map((cut) => cut.partition),
    cutFroms: cuts.map((cut) => cut.from),
    cutTos: cuts.map((cut) => cut.to),
  }
}

const EMPTY = { records: 0, offsets: 0, kept: 0, one: 0, two: 0 } as const

function nameOf(row: { readonly source: string; readonly partition: number }): string {
  return `${row.source}/${row.partition}`
}

function isMistaken(
  expected: ExpectedPartition,
  raw: Omit<StoredRow, 'source' | 'partition'>,
  dead: typeof raw,
): boolean {
  if (raw.kept === expected.accepted && (raw.one !== expected.numbers || raw.two !== expected.weighted)) return true
  return (
    raw.kept > expected.accepted ||
    dead.kept > expected.dead ||
    (dead.kept === expected.dead && dead.one !== expected.deadOffsets)
  )
}

interface Coverage {
  gaps: number
  overlaps: number
}

/** Offsets [0, high) that rows of the ledger, in order, leave out or cover twice; `cuts` may be left out. */
export function coverageOf(
  rows: readonly Pick<LedgerRow, 'from' | 'to'>[],
  high: number,
  cuts: readonly Cut[],
): Coverage {
  const coverage = { gaps: 0, overlaps: 0 }
  let end = 0
  const leave = (from: number, to: number): void => {
    const covered = cuts.reduce((sum, cut) => sum + Math.max(0, Math.min(to, cut.to) - Math.max(from, cut.from)), 0)
    coverage.gaps += Math.max(0, to - from - covered)
  }
  for (const row of rows) {
    leave(end, row.from)
    coverage.overlaps += Math.max(0, Math.min(end, row.to) - row.from)
    end = Math.max(end, row.to)
  }
  leave(end, high)
  return coverage
}

function sumCoverage(oracles: readonly TopicOracle[], ledger: readonly LedgerRow[]): Coverage {
  const rows = Map.groupBy(ledger, nameOf)
  const total = { gaps: 0, overlaps: 0 }
  for (const oracle of oracles) {
    for (const { partition, high, source } of oracle.expected()) {
      const cuts = oracle.cuts.filter((cut) => cut.partition === partition)
      const coverage = coverageOf(rows.get(nameOf({ source, partition })) ?? [], high, cuts)
      total.gaps += coverage.gaps
      total.overlaps += coverage.overlaps
    }
  }
  return total
}

/** Compares what is stored with what was produced. Only after everything has settled. */
export async function checkInvariants(clickhouse: ClickHouse, oracles: readonly TopicOracle[]): Promise<Verdict> {
  const params = parametersOf(oracles)
  const rawRows = await clickhouse.select(RAW, StoredRow, params)
  const deadRows = await clickhouse.select(DEAD, StoredRow, params)
  const [both] = await clickhouse.select(BOTH, CountRow, params)
  const ledger = await clickhouse.select(LEDGER, LedgerRow, params)
  const raws = new Map(rawRows.map((row) => [nameOf(row), row]))
  const deads = new Map(deadRows.map((row) => [nameOf(row), row]))
  // Lives of a topic that it never had.
  const mistaken = (await clickhouse.select(STRANGERS, SourceRow, params)).map((row) => row.source)
  let lost = 0
  for (const expected of oracles.flatMap((oracle) => oracle.expected())) {
    const name = nameOf(expected)
    const raw = raws.get(name) ?? EMPTY
    const dead = deads.get(name) ?? EMPTY
    lost += Math.max(0, expected.accepted + expected.dead - raw.kept - dead.kept)
    if (isMistaken(expected, raw, dead)) mistaken.push(name)
    raws.delete(name)
    deads.delete(name)
  }
  mistaken.push(...raws.keys(), ...deads.keys())
  const all = [...rawRows, ...deadRows]
  const coverage = sumCoverage(oracles, ledger)
  return {
    produced: oracles.reduce((sum, oracle) => sum + oracle.records(), 0),
    raw: rawRows.reduce((sum, row) => sum + row.records, 0),
    dead: deadRows.reduce((sum, row) => sum + row.records, 0),
    lost,
    doubled: all.reduce((sum, row) => sum + row.records - row.offsets, 0) + (both?.count ?? 0),
    mistaken,
    ledgerGaps: coverage.gaps,
    ledgerOverlaps: coverage.overlaps,
    rollups: await rollupDifferences(clickhouse),
  }
}
