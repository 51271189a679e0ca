/** Rows of a block as they are encoded: found, cut and counted by their offsets, without decoding them. */
import { DEAD_COLUMNS, OFFSET_INDEX, REASON_INDEX, REQUEST_COLUMNS, TIMESTAMP_INDEX } from './encode.ts'
import type { Batch } from './block.ts'
import type { OffsetRange } from './range.ts'

const NEWLINE = 10
const TAB = 9

/** Position of the first byte of a column of the row that starts at `start`. A text holds no tab and no newline that is not escaped. */
function columnAt(body: Buffer, start: number, index: number): number {
  let at = start
  for (let column = 0; column < index; column += 1) at = body.indexOf(TAB, at) + 1
  return at
}

/** Offset of the row that starts at `start`. */
export function offsetAt(body: Buffer, start: number): number {
  const at = columnAt(body, start, OFFSET_INDEX)
  return Number(body.toString('latin1', at, body.indexOf(TAB, at)))
}

/** A row without its newline. */
export interface EncodedRow {
  readonly offset: number
  readonly isDead: boolean
  readonly bytes: Buffer
}

/** The rows of a batch that are in its buffer, in order. */
export function* encodedRows(batch: Pick<Batch, 'rows'>): Generator<EncodedRow> {
  const body = batch.rows.bytes.subarray(0, batch.rows.length)
  for (let start = 0; start < body.length;) {
    const end = body.indexOf(NEWLINE, start)
    const bytes = body.subarray(start, end)
    const reasonAt = columnAt(bytes, 0, REASON_INDEX)
    yield { offset: offsetAt(bytes, 0), isDead: bytes[reasonAt] !== TAB, bytes }
    start = end + 1
  }
}

/** Records of a batch within a range, and how many of them are dead. */
export function countRows(batch: Pick<Batch, 'rows'>, { from, to }: OffsetRange): { records: number; dead: number } {
  const counts = { records: 0, dead: 0 }
  for (const { offset, isDead } of encodedRows(batch)) {
    if (offset < from || offset >= to) continue
    counts.records += 1
    if (isDead) counts.dead += 1
  }
  return counts
}

/** Two parts with about half the bytes each, and the first offset of the second; undefined when there is one row only. */
export function splitRows(body: Buffer): { first: Buffer; second: Buffer; middle: number } | undefined {
  let cut = body.indexOf(NEWLINE, Math.floor(body.length / 2)) + 1
  if (cut === body.length) cut = body.lastIndexOf(NEWLINE, Math.max(0, body.length - 2)) + 1
  if (cut <= 0 || cut >= body.length) return undefined
  return { first: body.subarray(0, cut), second: body.subarray(cut), middle: offsetAt(body, cut) }
}

/** Rows for one of the tables behind `landing`. */
export interface TableRows {
  readonly table: 'requests' | 'dead_requests'
  readonly columns: readonly string[]
  readonly body: Buffer
}

const LINE_END = Buffer.from('\n')

/** Rows of `landing` as rows of the tables that its views would put them into; a table without any is left out. */
export function rowsByTable(rows: readonly EncodedRow[]): TableRows[] {
  const accepted = rows
    .filter(({ isDead }) => !isDead)
    .flatMap(({ bytes }) => {
      const reasonAt = columnAt(bytes, 0, REASON_INDEX)
      const timestampAt = columnAt(bytes, reasonAt, TIMESTAMP_INDEX - REASON_INDEX)
      return [bytes.subarray(0, reasonAt), bytes.subarray(timestampAt), LINE_END]
    })
  const dead = rows
    .filter(({ isDead }) => isDead)
    .flatMap(({ bytes }) => [bytes.subarray(0, columnAt(bytes, 0, TIMESTAMP_INDEX) - 1), LINE_END])
  const tables: TableRows[] = [
    { table: 'requests', columns: REQUEST_COLUMNS, body: Buffer.concat(accepted) },
    { table: 'dead_requests', columns: DEAD_COLUMNS, body: Buffer.concat(dead) },
  ]
  return tables.filter(({ body }) => body.length > 0)
}
